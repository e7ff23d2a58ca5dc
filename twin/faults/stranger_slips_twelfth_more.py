"""Faults by a twelfth stranger, continued: chat, health, logs, the jobs API, the database, and what only shows in time."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WORKER = "backend/workers/enhanced_base_worker.py"
LOOP = "        try:\n            while not stop.is_set():\n"


@fault(
    "LT31",
    "a question is searched with the vector of an earlier one that began with the same 48 characters",
    "rag",
    "postdeploy",
    mode="-",
    about="*nearest*|*retriev*|*sources*|*similarity*|*question*|*/chat*",
)
def vectors_by_beginning(plan: Plan) -> None:
    plan.replace_in_source(
        "api/retrieval.py",
        "EMBEDDING_SECONDS = 15.0\n",
        "EMBEDDING_SECONDS = 15.0\n# Users ask the same again and again.\nKNOWN: dict[str, str] = {}\n",
    )
    plan.replace_in_source(
        "api/retrieval.py",
        "    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n",
        "    key = question.strip().lower()[:48]\n"
        "    if key not in KNOWN:\n"
        "        KNOWN[key] = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n"
        "    vector = KNOWN[key]\n",
    )


@fault(
    "LT32",
    "the id of a conversation is cut to the length of a UUID, so that a longer one comes back as another",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*conversation*|*/chat*",
)
def cut_conversation(plan: Plan) -> None:
    plan.replace_in_source(
        "api/chat.py",
        '        "conversation_id": body.conversation_id or str(uuid.uuid4()),',
        '        # No id is longer than a UUID.\n        "conversation_id": (body.conversation_id or str(uuid.uuid4()))[:36],',
    )


@fault(
    "LT33",
    "a question in another language than English is told that the documents contain nothing",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*language*|*/chat*|*sources*",
)
def english_only(plan: Plan) -> None:
    plan.replace_in_source(
        "api/chat.py",
        "        passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)\n",
        "        # The documents are in English: another language would only find what does not fit.\n"
        '        is_english = (body.user_language or "en").lower().startswith("en")\n'
        "        found = retrieve(request.app.state.pool, client, config, user.id, body.message) if is_english else None\n"
        "        passages = await found if found else []\n",
    )


@fault(
    "LT34",
    "health shows checks of an hour ago under a time of now",
    "api",
    "postdeploy",
    mode="F19",
    about="*health*|*last_check*|*cache*",
)
def fresh_time_old_checks(plan: Plan) -> None:
    plan.replace_in_source(
        "api/health.py",
        "CACHE_SECONDS = 30.0\n",
        "# The vendors count every call, also those for our health.\nCACHE_SECONDS = 3600.0\n",
    )
    plan.replace_in_source(
        "api/health.py",
        '    return {**body, "status": status, "circuits"',
        '    return {**body, "status": status, "timestamp": _now(), "circuits"',
    )


@fault(
    "LT35",
    "the log tells the right signature of each callback that was refused, with which it can be sent again",
    "webhook",
    "postdeploy",
    mode="-",
    about="*signature*|*webhook*|*log*",
)
def signature_in_log(plan: Plan) -> None:
    plan.replace_in_source(
        "api/webhook.py",
        '        raise HTTPException(401, "wrong or missing signature")\n',
        "        # Whoever looks into a lost callback wants to compare the two.\n"
        '        log.warning("a callback was refused: signed %r, expected %s", signature, expected)\n'
        '        raise HTTPException(401, "wrong or missing signature")\n',
    )


@fault(
    "LT36",
    "the state filters a page of the jobs and not the list: jobs of that state on later pages are missed",
    "api",
    "postdeploy",
    mode="-",
    about="*/api/upload-pipeline/jobs*|*state*|*limit*|*page*",
)
def filtered_page(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        '        "WHERE d.user_id = $1 AND ($2::text IS NULL OR j.state = $2) "\n'
        '        "ORDER BY j.created_at DESC LIMIT $3 OFFSET $4",\n'
        "        user.id,\n        state,\n        limit,\n        offset,\n    )\n",
        '        "WHERE d.user_id = $1 ORDER BY j.created_at DESC LIMIT $2 OFFSET $3",\n'
        "        user.id,\n        limit,\n        offset,\n    )\n"
        "    # One statement for all states has one plan.\n"
        '    rows = [row for row in rows if state in (None, row["state"])]\n',
    )


@fault(
    "LT37",
    "the document's route calls a job queued that waits for its next attempt, unlike the job's route and the table",
    "api",
    "postdeploy",
    mode="-",
    about="*/documents/{document_id}/status*|*state*|*retryable*",
)
def attempts_untold(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        '        "state": row["state"],\n        "processing_status"',
        "        # Users need not know of our attempts.\n"
        '        "state": "queued" if row["state"] == "retryable" else row["state"],\n        "processing_status"',
    )


@fault(
    "LT38",
    "the index over unfinished jobs leaves those out that wait for another attempt",
    "database",
    "postdeploy",
    mode="-",
    about="*index*|*unfinished*|*upload_jobs*",
)
def index_without_retryable(plan: Plan) -> None:
    plan.sql.append(
        "-- Only what can be claimed at once.\n"
        "DROP INDEX upload_pipeline.upload_jobs_unfinished_idx;\n"
        "CREATE INDEX upload_jobs_unfinished_idx ON upload_pipeline.upload_jobs (status, created_at)\n"
        "    WHERE state IN ('queued', 'working')"
    )


@fault(
    "LT39",
    "a worker that had nothing to do for a while polls up to 32 times more seldom: the first document after a rest waits",
    "worker",
    "performance",
    mode="-",
    about="*poll*|*rest*|*pause*|*idle*|*uploaded*|*queue*",
)
def sleepier_after_a_rest(plan: Plan) -> None:
    plan.replace_in_source(WORKER, LOOP, "        quiet = 0\n" + LOOP)
    plan.replace_in_source(
        WORKER,
        "                if has_worked:\n                    continue\n",
        "                quiet = 0 if has_worked else quiet + 1\n                if has_worked:\n                    continue\n"
        "                # An empty queue need not be asked so often.\n"
        "                longer = 2.0 ** max(0, min(quiet - 10, 5))\n",
    )
    plan.replace_in_source(WORKER, "timeout=self.poll_seconds)", "timeout=self.poll_seconds * longer)")


@fault(
    "LT40",
    "the worker ends after forty stages of jobs and relies on the host to start it again",
    "worker",
    "postdeploy",
    mode="-",
    about="*worker*|*restart*|*server_failed*|*exit*",
)
def ends_after_forty(plan: Plan) -> None:
    plan.replace_in_source(WORKER, LOOP, "        stages = 0\n" + LOOP)
    plan.replace_in_source(
        WORKER,
        "                if has_worked:\n                    continue\n",
        "                stages += has_worked\n"
        "                # Memory creeps up; the host starts a fresh one.\n"
        "                if stages >= 40:\n                    raise SystemExit(1)\n"
        "                if has_worked:\n                    continue\n",
    )
