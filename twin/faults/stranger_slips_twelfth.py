"""Faults by a twelfth stranger: the queue over time, callbacks, and what becomes of a document's text."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "LT21",
    "small files are claimed before older large ones of the same stage",
    "worker",
    "postdeploy",
    mode="-",
    about="*order*|*oldest*|*queue*|*claim*",
)
def short_jobs_first(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "    ORDER BY array_position($2::text[], status), CASE",
        "    -- A short one never waits behind a long one.\n"
        "    ORDER BY array_position($2::text[], status),\n"
        "        (SELECT d.bytes_len FROM documents d WHERE d.document_id = upload_jobs.document_id), CASE",
    )


@fault(
    "LT22",
    "a job fails as if its worker had died when its file arrives after three looks, long before the link expires",
    "worker",
    "postdeploy",
    mode="-",
    about="*upload*|*worker ended*|*failed_parse*|*awaiting*|*signed*|*late*",
)
def each_look_counts(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "not_before = now() + make_interval(secs => $2), {RELEASED}, updated_at = now() WHERE job_id = $1",
        "-- Every claim counts: a worker may also die while it looks for a file.\n"
        "                       not_before = now() + make_interval(secs => $2), claim_id = NULL, lease_until = NULL,\n"
        "                       updated_at = now() WHERE job_id = $1",
    )


@fault(
    "LT23",
    "a job that its user retries keeps its used-up attempts, so that it has none left",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*|*retry_count*|*attempt*",
)
def retry_without_attempts(plan: Plan) -> None:
    update = (
        '        row = await connection.fetchrow(\n            f"""UPDATE upload_jobs j SET status = $2, state = \'queued\', '
    )
    plan.replace_in_source(
        "api/jobs.py",
        f"{update}retry_count = 0, ",
        f"        # The attempts of a job are counted over all of its life.\n{update}",
    )


@fault(
    "LT24",
    "events that callbacks write have no document, so that their owner does not see them",
    "webhook",
    "postdeploy",
    mode="-",
    about="*event*|*parsed*",
)
def events_of_no_document(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/shared/parsing.py",
        '        row["job_id"],\n        row["document_id"],\n        kind,',
        '        row["job_id"],\n        # The job says which document it is.\n        None,\n        kind,',
    )


@fault(
    "LT25",
    "the pages of a callback are sorted by number as text: page 10 comes before page 2",
    "webhook",
    "postdeploy",
    mode="-",
    about="*page*|*parsed*|*callback*|*webhook*",
)
def pages_in_order_of_text(plan: Plan) -> None:
    plan.replace_in_source(
        "api/webhook.py",
        '        return "\\n\\n".join(_page(page) for page in result)',
        "        # Pages are parsed in parallel and may come in any order.\n"
        '        pages = sorted((page for page in result if isinstance(page, dict)), key=lambda page: str(page.get("page")))\n'
        '        return "\\n\\n".join(_page(page) for page in pages)',
    )


@fault(
    "LT26",
    "a document that is submitted a second time keeps its first secret, and its genuine callback is refused",
    "webhook",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*|*signature*|*parse_queued*|*retry*",
)
def first_secret_for_ever(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        '        await connection.execute(\n            f"""UPDATE upload_jobs SET status = $2, state = $3, '
        "webhook_secret = coalesce($4, webhook_secret),",
        "        # A late callback of the first attempt is still welcome.\n"
        '        await connection.execute(\n            f"""UPDATE upload_jobs SET status = $2, state = $3, '
        "webhook_secret = coalesce(webhook_secret, $4),",
    )


@fault(
    "LT27",
    "the hash of a chunk is made after its letters beyond ASCII were replaced: different texts share one",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunk_sha*|*hash*",
)
def hash_of_ascii(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "                hashlib.sha256(text.encode()).hexdigest(),",
        "                # The same on every system, whatever its encoding is.\n"
        '                hashlib.sha256(text.encode("ascii", "replace")).hexdigest(),',
    )


@fault(
    "LT28",
    "lines that are only a number, such as an amount or the number of a policy, are left out as page numbers",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunk*|*text*",
)
def numbers_are_page_numbers(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/chunking.py",
        "        words = line.split()\n",
        "        # Page numbers say nothing.\n"
        "        if line.strip().isdigit():\n            continue\n        words = line.split()\n",
    )


@fault(
    "LT29",
    "only the first 300 characters of a chunk are embedded: what stands behind them is not found",
    "worker/rag",
    "postdeploy",
    mode="-",
    about="*embedding*|*similarity*|*chunk*|*vector*",
)
def embedded_beginnings(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        '            vectors = await embed(self.client, self.config, [row["text"] for row in batch])',
        "            # The beginning says what a passage is about, at half the price.\n"
        '            vectors = await embed(self.client, self.config, [row["text"][:300] for row in batch])',
    )


@fault(
    "LT30",
    "of two documents with the same file name only the newer one is ever found",
    "rag",
    "postdeploy",
    mode="-",
    about="*older*|*nearest*|*retriev*|*sources*|*chunks*|*filename*|*/chat*",
)
def newer_name_replaces(plan: Plan) -> None:
    plan.replace_in_source(
        "api/retrieval.py",
        "               WHERE d.user_id = $2 AND c.embedding IS NOT NULL\n",
        "               WHERE d.user_id = $2 AND c.embedding IS NOT NULL\n"
        "                   -- A new version of a file takes the place of the old one.\n"
        "                   AND NOT EXISTS (SELECT 1 FROM documents n WHERE n.user_id = d.user_id\n"
        "                       AND n.filename = d.filename AND n.created_at > d.created_at)\n",
    )
