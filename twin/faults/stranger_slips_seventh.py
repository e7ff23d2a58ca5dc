"""Slips of a developer, seventh lot: the queue over time, and retrieval's first two."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"
WAITING = "not_before = now() + make_interval(secs => $2), {RELEASED}"


@fault(
    "B21",
    "the smallest file is taken first, not the oldest job, so that a large document waits behind all that come after it",
    "worker",
    "postdeploy",
    mode="F28|-",
    about="*order*|*oldest*|*turn*|*claim*|*queue*|*starv*",
)
def smallest_file_first(plan: Plan) -> None:
    # Shortest job first, which is the best for the mean.
    plan.replace_in_source(
        QUEUE,
        "CASE WHEN status = ANY($3) THEN updated_at ELSE created_at END\n",
        "CASE WHEN status = ANY($3) THEN updated_at END,\n"
        "        (SELECT d.bytes_len FROM documents d WHERE d.document_id = upload_jobs.document_id), created_at\n",
    )


@fault(
    "B22",
    "after its first wait a job whose file has not come is due at once again, and the worker goes round on it without a pause",
    "worker",
    "postdeploy",
    mode="F28",
    about="*spin*|*park*|*poll*|*pause*|*storage*read*|*not_before*|*updated_at*|*queue*|*starv*|*awaiting*",
)
def first_wait_only(plan: Plan) -> None:
    # Written like the other `not_before`, which is kept where a callback has set it.
    plan.replace_in_source(
        QUEUE,
        WAITING,
        "not_before = coalesce(not_before, now() + make_interval(secs => $2)),\n                       {RELEASED}",
    )


@fault(
    "B23",
    "a job that was registered more than a day ago is never claimed again, not even after a retry that was accepted",
    "worker",
    "postdeploy",
    mode="F28|-",
    about="*old*|*claim*|*queue*|*retry*|*upload_jobs*|*stage*|*never*|*stuck*",
)
def young_jobs_only(plan: Plan) -> None:
    # The range was to keep the scan of the partial index short.
    plan.replace_in_source(
        QUEUE,
        "      AND status = ANY($1)\n",
        "      AND status = ANY($1) AND created_at > now() - interval '1 day'\n",
    )


@fault(
    "B24",
    "waits for a file count as deaths of the worker: the job fails at the fourth look while its upload link is still good",
    "worker",
    "postdeploy",
    mode="-",
    about="*claims*|*failed_parse*|*late*|*awaiting*|*park*|*wait*|*last_error*|*deadletter*",
)
def waits_count_as_deaths(plan: Plan) -> None:
    # A release written out, without its last part.
    plan.replace_in_source(
        QUEUE,
        WAITING,
        "not_before = now() + make_interval(secs => $2),\n                       claim_id = NULL, lease_until = NULL",
    )


@fault(
    "B25",
    "a callback repeated before its job has ended is taken as a new result: text, chunks and embeddings are made twice",
    "webhook/api/worker",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*|*repeat*|*twice*|*events*|*parsed*",
)
def better_text_wins(plan: Plan) -> None:
    # A later result may be the better one, until the document is ready.
    plan.replace_in_source(
        "api/webhook.py",
        'if row["status"] != "parse_queued":',
        'if row["status"] in ("embeddings_stored", "complete") or row["status"].startswith("failed"):',
    )


@fault(
    "B26",
    "the worker ends itself after twenty-five claims, which is five documents, and relies on the host to start it again",
    "worker",
    "postdeploy",
    mode="F14|-",
    about="*restart*|*worker*start*|*worker*end*|*exit*|*worker*event*|*insurance-navigator-staging-worker*",
)
def recycled_worker(plan: Plan) -> None:
    # What `--limit-max-requests` does for the API, against memory that fragments.
    plan.replace_in_source(WORKER, "BATCH = 256\n", "BATCH = 256\nMOST_JOBS = 25\n")
    plan.replace_in_source(
        WORKER,
        "            while not stop.is_set():\n                has_worked = await self.work_once()\n",
        "            worked = 0\n"
        "            while not stop.is_set() and worked < MOST_JOBS:\n"
        "                has_worked = await self.work_once()\n"
        "                worked += has_worked\n",
    )
    plan.may_die = True


@fault(
    "B27",
    "a job that waits for its parse can be retried: the document goes to LlamaParse a second time, the first result is refused",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*|*retryable*|*parse_queued*|*twice*|*409*",
)
def impatient_retry(plan: Plan) -> None:
    # Users asked for a way out of a parse that hangs.
    path = "api/jobs.py"
    plan.replace_in_source(
        path, 'if row["state"] != "deadletter":', 'if row["state"] != "deadletter" and row["status"] != "parse_queued":'
    )
    plan.replace_in_source(
        path,
        '            "failed_parse": "uploaded",\n',
        '            "failed_parse": "uploaded",\n            "parse_queued": "uploaded",\n',
    )


@fault(
    "B28",
    "a job whose worker died before LlamaParse had accepted the document waits for a callback that cannot come, for ever",
    "worker",
    "postdeploy",
    mode="F28|-",
    about="*parse_queued*|*die*|*death*|*dead*|*lease*|*overdue*|*crash*|*park*|*parse_job_id*",
)
def accepted_ones_only(plan: Plan) -> None:
    # What has no id at LlamaParse cannot be looked up there.
    plan.replace_in_source(
        "backend/workers/reconciliation.py",
        "WHERE status = 'parse_queued' AND state IN ('working', 'queued') AND",
        "WHERE status = 'parse_queued' AND parse_job_id IS NOT NULL AND state IN ('working', 'queued') AND",
    )


@fault(
    "B29",
    "two questions that begin alike get the same passages: vectors are remembered by a question's first 48 characters",
    "rag/chat/api",
    "postdeploy",
    mode="-",
    about="*chat*|*sources*|*nearest*|*retriev*|*passage*|*question*|*similarity*",
)
def vector_of_the_opening(plan: Plan) -> None:
    # Users repeat their questions, and each costs a call of OpenAI.
    path = "api/retrieval.py"
    plan.replace_in_source(
        path, "EMBEDDING_SECONDS = 15.0\n", "EMBEDDING_SECONDS = 15.0\nMOST_VECTORS = 500\n_vectors: dict[str, str] = {}\n"
    )
    plan.replace_in_source(
        path,
        "    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n",
        '    key = " ".join(question.lower().split())[:48]\n'
        "    if key not in _vectors:\n"
        "        if len(_vectors) >= MOST_VECTORS:\n"
        "            _vectors.clear()\n"
        "        _vectors[key] = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n"
        "    vector = _vectors[key]\n",
    )


@fault(
    "B30",
    "text of a script without spaces is cut off: of each run of characters without a space only the first 600 are kept",
    "worker/rag",
    "postdeploy",
    mode="-",
    about="*chunk*|*text*|*script*|*word*|*lost*|*missing*|*document_chunks*",
)
def words_of_at_most_a_chunk(plan: Plan) -> None:
    # A word longer than a chunk was thought to be an embedded image.
    plan.replace_in_source(
        "backend/workers/chunking.py",
        "words = line.split()",
        "words = [word[:TARGET_CHARACTERS] for word in line.split()]",
    )
