"""Slips of the worker and of retrieval that only some documents, jobs or moments show."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

RETRIEVAL = "api/retrieval.py"
PARSING = "backend/shared/parsing.py"
CHUNKING = "backend/workers/chunking.py"
QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "D61",
    "the last passage of a document is not embedded where it is alone in its batch",
    "worker/rag",
    "postdeploy",
    mode="-",
    about="*queue_5*|*embedding*|*stage*",
)
def one_passage(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "range(0, len(rows), BATCH)", "range(0, len(rows) - 1, BATCH)")


@fault(
    "D62",
    "a text of less than a hundred letters is taken for no text",
    "webhook/api/worker",
    "postdeploy",
    mode="-",
    about="*queue_5*|*stage*|*document*",
)
def too_short_to_be_true(plan: Plan) -> None:
    # Scans that hold a page number alone were searched.
    plan.replace_in_source(PARSING, "elif not text.strip():", "elif len(text.strip()) < 100:")


@fault(
    "D63",
    "a worker waits for a job that another one is claiming",
    "worker",
    "postdeploy",
    mode="-|F28",
    about="*queue*|*starve*",
)
def locked_is_waited_for(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "    FOR UPDATE SKIP LOCKED LIMIT 1)", "    FOR UPDATE LIMIT 1)")


@fault("D65", "a job is given up one retry too early", "worker", "postdeploy", mode="-", about="*queue*|*MAX_RETRIES*|*tried*")
def one_too_few(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "attempt > self._config.max_retries", "attempt >= self._config.max_retries")


@fault("D66", "a job is given up two retries too late", "worker", "postdeploy", mode="-", about="*queue*|*MAX_RETRIES*|*tried*")
def two_too_many(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "attempt > self._config.max_retries", "attempt > self._config.max_retries + 2")


@fault(
    "D67",
    "what stands between angle brackets is taken out of passages",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks*|*unbroken*|*lost*",
)
def no_tags(plan: Plan) -> None:
    # Parsers write tables as HTML now and then.
    plan.replace_in_source(
        CHUNKING, "    for line in re.split(", '    text = re.sub(r"<[^>]+>", " ", text)\n    for line in re.split('
    )


@fault(
    "D68",
    "powers and fractions are made plain figures in passages",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks*|*unbroken*|*lost*",
)
def plain_figures(plan: Plan) -> None:
    plan.replace_in_source(CHUNKING, "import re\n", "import re\nimport unicodedata\n")
    plan.replace_in_source(CHUNKING, 're.split(r"\\n+", text)', 're.split(r"\\n+", unicodedata.normalize("NFKC", text))')


@fault(
    "D69",
    "the hash of a parsed text is that of the text without its line ends",
    "worker/api/webhook",
    "postdeploy",
    mode="-",
    about="*parsed_sha256*",
)
def hash_of_the_stripped(plan: Plan) -> None:
    plan.replace_in_source(
        PARSING,
        "hashlib.sha256(text.encode()).hexdigest(),\n    )",
        "hashlib.sha256(text.strip().encode()).hexdigest(),\n    )",
    )


@fault(
    "D70",
    "a question fails while a document of its user is being embedded",
    "rag/chat/api",
    "postdeploy",
    mode="-|F02",
    about="*chat*|*answer*",
)
def passages_without_vectors(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, " AND c.embedding IS NOT NULL", "")


@fault(
    "D71",
    "a job that fails while it is embedded is said to have failed while it was cut",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks_stored*|*failed_*",
)
def another_step(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, '"chunks_stored": "failed_embedding"', '"chunks_stored": "failed_chunking"')


@fault(
    "D72",
    "a job that is given up because its workers died stays among the running ones",
    "worker",
    "postdeploy",
    mode="-",
    about="*job*|*state*",
)
def given_up_and_running(plan: Plan) -> None:
    # They are looked at by hand.
    is_left = """"retryable" if not final or job["claims"] > 3 else "deadletter\""""
    plan.replace_in_source(QUEUE, '"deadletter" if final else "retryable"', is_left)


@fault(
    "D73",
    "updated_at of a job stays when its text was cut into passages",
    "worker",
    "postdeploy",
    mode="-",
    about="*updated_at*|*job*",
)
def time_stands_still(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        '{f"{RELEASED}," if released else ""} updated_at = now()',
        '{f"{RELEASED}," if released else ""} updated_at = CASE WHEN $2 = \'chunks_stored\' THEN updated_at ELSE now() END',
    )


@fault(
    "D74",
    "passages of less than thirty letters are not searched",
    "rag",
    "postdeploy",
    mode="-|F09",
    about="*retrieval*",
)
def no_short_passages(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, " AND c.embedding IS NOT NULL", " AND c.embedding IS NOT NULL AND length(c.text) >= 30")


@fault(
    "D75",
    "of a file only the first megabyte is given to the parser",
    "worker",
    "postdeploy",
    mode="-",
    about="*other*|*stage*|*document*",
)
def first_megabyte(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        'return await self.storage.read(object_key(document["user_id"], job["document_id"], "raw"))',
        'return (await self.storage.read(object_key(document["user_id"], job["document_id"], "raw")))[: 1 << 20]',
    )


@fault(
    "D76",
    "the reason of a file that is no PDF quotes its beginning",
    "worker",
    "postdeploy",
    mode="-",
    about="*last_error*|*document*",
)
def quoted(plan: Plan) -> None:
    plan.replace_in_source(WORKER, '"the file cannot be read: no %PDF- header"', 'f"no PDF, but {body[:40]!r}"')


@fault("D77", "a user's five newest documents are searched", "rag", "postdeploy", mode="-|F09", about="*retrieval*")
def newest_documents(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "WHERE d.user_id = $2 AND",
        "WHERE d.document_id IN (SELECT document_id FROM documents WHERE user_id = $2 ORDER BY created_at DESC LIMIT 5) AND",
    )


@fault("D78", "passages are searched for a year", "rag", "postdeploy", mode="-|F09", about="*retrieval*")
def for_a_year(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL, "AND c.embedding IS NOT NULL", "AND c.embedding IS NOT NULL AND c.created_at > now() - interval '1 year'"
    )


@fault("D79", "jobs of more than a month are not taken", "worker", "postdeploy", mode="-|F28", about="*queue*|*aged*|*job*")
def a_month(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE, "      AND status = ANY($1)\n", "      AND status = ANY($1) AND created_at > now() - interval '30 days'\n"
    )
