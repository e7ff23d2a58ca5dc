"""Slips of a further hand: the queue over time, and what questions find."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
RETRIEVAL = "api/retrieval.py"


@fault(
    "LS21",
    "smaller documents overtake older ones in the queue",
    "worker",
    "postdeploy",
    mode="-",
    about="*order*|*oldest*|*overt*|*queue*",
)
def small_ones_first(plan: Plan) -> None:
    # "Most people wait for a page or two; the thick policies can take their turn afterwards."
    plan.replace_in_source(
        QUEUE,
        "CASE WHEN status = ANY($3) THEN updated_at ELSE created_at END",
        "(SELECT d.bytes_len FROM documents d WHERE d.document_id = upload_jobs.document_id),\n"
        "        CASE WHEN status = ANY($3) THEN updated_at ELSE created_at END",
    )


@fault(
    "LS22",
    "a document whose bytes come after a few polls has failed by then: waiting is counted as a death of the worker",
    "worker",
    "postdeploy",
    mode="-",
    about="*late*|*wait*|*upload*|*claims*|*bytes*|*failed_parse*",
)
def waiting_counts(plan: Plan) -> None:
    # "A job that waits belongs to nobody": written out, and its third part was forgotten.
    plan.replace_in_source(
        QUEUE,
        "not_before = now() + make_interval(secs => $2), {RELEASED}, updated_at",
        "not_before = now() + make_interval(secs => $2), claim_id = NULL, lease_until = NULL, updated_at",
    )


@fault(
    "LS23",
    "a job whose worker died while it embedded is never taken up again",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks_stored*|*lease*|*died*|*dies*|*taken*|*embed*",
)
def embedding_is_not_taken_over(plan: Plan) -> None:
    # "Embeddings cost money: do not begin them a second time while another worker may still be at it."
    plan.replace_in_source(
        QUEUE,
        "OR (state = 'working' AND lease_until <= now()))",
        "OR (state = 'working' AND status <> 'chunks_stored' AND lease_until <= now()))",
    )


@fault(
    "LS24",
    "a late callback brings a job back that has failed for good",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*|*failed_parse*|*deadletter*",
)
def failed_jobs_revive(plan: Plan) -> None:
    # "LlamaParse sometimes succeeds after we have given up; the text is there, so use it."
    plan.replace_in_source(
        "api/webhook.py",
        'if row["status"] != "parse_queued":',
        'if row["status"] not in ("parse_queued", "failed_parse"):',
    )


@fault(
    "LS25",
    "a job that only waits for its callback can be retried, and its document is parsed twice",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*|*parse_queued*|*twice*|*retried*",
)
def waiting_jobs_are_retried(plan: Plan) -> None:
    # "Support wants people to be able to push a document that hangs at the parser."
    plan.replace_in_source(
        "api/jobs.py",
        'if row["state"] != "deadletter":',
        'if row["state"] != "deadletter" and row["status"] != "parse_queued":',
    )
    plan.replace_in_source(
        "api/jobs.py",
        '            "failed_parse": "uploaded",',
        '            "parse_queued": "uploaded",\n            "failed_parse": "uploaded",',
    )


@fault(
    "LS26",
    "a job that was made more than a day ago is never worked on",
    "worker",
    "postdeploy",
    mode="-",
    about="*old*|*day*|*queue*|*claim*|*never*|*created_at*",
)
def yesterday_is_forgotten(plan: Plan) -> None:
    # "Leftovers from last week slow the claim down; nobody waits for them any more." Retries of old jobs were not thought of.
    plan.replace_in_source(
        QUEUE,
        "      AND status = ANY($1)\n",
        "      AND status = ANY($1) AND created_at > now() - interval '1 day'\n",
    )


@fault(
    "LS27",
    "a question that begins like an earlier one is looked up as that one",
    "rag/chat/api",
    "postdeploy",
    mode="-",
    about="*retriev*|*sources*|*nearest*|*question*|*chat*|*cache*",
)
def same_beginning(plan: Plan) -> None:
    # A cache of questions' vectors with short keys.
    plan.replace_in_source(
        RETRIEVAL,
        "    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n",
        '    key = " ".join(question.casefold().split())[:KEY_CHARACTERS]\n'
        "    if key not in _vectors:\n"
        "        _vectors[key] = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n"
        "    vector = _vectors[key]\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "EMBEDDING_SECONDS = 15.0\n",
        "EMBEDDING_SECONDS = 15.0\nKEY_CHARACTERS = 48\n_vectors: dict[str, str] = {}\n",
    )


@fault(
    "LS28",
    "of one document at most four passages are used, however many are near",
    "rag/chat/api",
    "postdeploy",
    mode="-",
    about="*RAG_MAX_CHUNKS*|*sources*|*nearest*|*retriev*|*chunks*|*limit*",
)
def fair_shares(plan: Plan) -> None:
    # "One long policy must not crowd out the other documents."
    plan.replace_in_source(
        RETRIEVAL,
        "    for passage in passages[: config.max_chunks]:\n",
        "    shares: dict[UUID, int] = {}\n"
        "    for passage in passages[: config.max_chunks]:\n"
        "        shares[passage.document_id] = shares.get(passage.document_id, 0) + 1\n"
        "        if shares[passage.document_id] > SHARE:\n"
        "            continue\n",
    )
    plan.replace_in_source(RETRIEVAL, "EMBEDDING_SECONDS = 15.0\n", "EMBEDDING_SECONDS = 15.0\nSHARE = 4\n")


@fault(
    "LS29",
    "the budget of tokens counts words, so that text without spaces costs nothing",
    "rag/chat/api",
    "postdeploy",
    mode="-",
    about="*RAG_TOKEN_BUDGET*|*token*|*budget*",
)
def words_for_tokens(plan: Plan) -> None:
    # "A token is a word, more or less."
    plan.replace_in_source(
        RETRIEVAL,
        "tokens += len(passage.text) // CHARACTERS_PER_TOKEN + 1",
        "tokens += len(passage.text.split()) + 1",
    )


@fault(
    "LS30",
    "of a very long word, or a line in a script without spaces, only the first 600 characters become searchable",
    "worker/rag",
    "postdeploy",
    mode="-",
    about="*document_chunks*|*text*|*chunk*|*word*|*lost*|*missing*",
)
def long_words_are_cut(plan: Plan) -> None:
    # "No chunk may be longer than the target": true of Latin text, where nothing but garbage has such words.
    plan.replace_in_source(
        "backend/workers/chunking.py",
        "words = line.split()",
        "words = [word[:TARGET_CHARACTERS] for word in line.split()]",
    )
