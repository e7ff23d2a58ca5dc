"""Faults of a ninth stranger: the queue over time, and retrieval by measurement."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"
CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"


@fault(
    "I21",
    "small documents overtake older, larger ones in the queue",
    "worker/database",
    "postdeploy",
    mode="-|F28",
    about="*order*|*oldest*|*queue*|*overt*|*before*|*claim*",
)
def shortest_first(plan: Plan) -> None:
    # "Short jobs first": the mean waiting time goes down, and a large document waits as long as small ones come.
    plan.replace_in_source(
        QUEUE,
        "    ORDER BY array_position($2::text[], status), CASE",
        "    ORDER BY array_position($2::text[], status),\n"
        "        (SELECT bytes_len FROM documents d WHERE d.document_id = upload_jobs.document_id), CASE",
    )


@fault(
    "I22",
    "the callback of a document that is submitted a second time is refused, because its job keeps the first secret",
    "worker/webhook",
    "postdeploy",
    mode="-|F12|F13",
    about="*webhook*|*callback*|*parse_queued*|*retry*|*again*|*secret*",
)
def first_secret_stays(plan: Plan) -> None:
    # Meant to spare a write; LlamaParse is given the new secret all the same.
    plan.replace_in_source(
        QUEUE, "webhook_secret = coalesce($4, webhook_secret)", "webhook_secret = coalesce(webhook_secret, $4)"
    )


@fault(
    "I23",
    "a job that waits for its bytes writes one more event in each poll",
    "worker/database",
    "postdeploy",
    mode="-|F28",
    about="*event*|*uploaded*|*waiting*|*awaiting*|*spin*",
)
def event_for_each_wait(plan: Plan) -> None:
    # Whoever looks at the events should see why nothing happens.
    plan.replace_in_source(
        QUEUE,
        "                self._config.poll_interval / self._config.speedup,\n            )\n",
        "                self._config.poll_interval / self._config.speedup,\n            )\n"
        '            await self._record(connection, job, job["status"], {"awaiting_upload": True})\n',
    )


@fault(
    "I25",
    "a job whose worker dies after the last embedding is stored, and before its status is, fails for good",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks_stored*|*embedd*|*failed_embedding*|*no chunks*|*dies*|*resum*|*interrupted*|*again*",
)
def nothing_left_to_embed(plan: Plan) -> None:
    # What has its vector is not paid for twice; that nothing may be left was forgotten.
    plan.replace_in_source(
        WORKER,
        "WHERE document_id = $1 ORDER BY chunk_ord",
        "WHERE document_id = $1 AND embedding IS NULL ORDER BY chunk_ord",
    )


@fault(
    "I26",
    "of passages that begin alike only one is found, whichever documents they are of",
    "rag",
    "postdeploy",
    mode="-",
    about="*retriev*|*nearest*|*passage*|*chunk*|*source*|*missing*",
)
def alike_is_the_same(plan: Plan) -> None:
    # Headings that are repeated fill the prompt; last year's edition of a policy begins as this year's does.
    plan.replace_in_source(
        RETRIEVAL,
        "    passages = [Passage(**dict(row.items())) for row in rows if",
        "    distinct: dict[str, Any] = {}\n"
        "    for row in rows:\n"
        '        distinct.setdefault(row["text"][:32].casefold(), row)\n'
        "    passages = [Passage(**dict(row.items())) for row in distinct.values() if",
    )


@fault(
    "I27",
    "a question that begins as an earlier one did gets the passages of the earlier one",
    "rag",
    "postdeploy",
    mode="-|F09|F11",
    about="*retriev*|*nearest*|*question*|*source*|*chunk*|*similarity*|*chat*",
)
def vectors_by_beginning(plan: Plan) -> None:
    # A cache of embeddings, whose keys were kept short.
    plan.replace_in_source(
        RETRIEVAL,
        "EMBEDDING_SECONDS = 15.0\n",
        "EMBEDDING_SECONDS = 15.0\nKEY_CHARACTERS = 40\n_vectors: dict[str, str] = {}\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n",
        '    key = " ".join(question.casefold().split())[:KEY_CHARACTERS]\n'
        "    if key not in _vectors:\n"
        "        _vectors[key] = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n"
        "    vector = _vectors[key]\n",
    )


@fault(
    "I28",
    "a question that nothing answers is answered from the passages of the user's last question",
    "chat/rag",
    "postdeploy",
    mode="-",
    about="*chat*|*source*|*nothing*|*threshold*|*conversation*|*retriev*|*unrelated*",
)
def last_passages_again(plan: Plan) -> None:
    # "And for my wife?" finds nothing by itself; the conversation was not looked at, nor how long ago the last one was.
    plan.replace_in_source(
        CHAT, "ANSWER_SECONDS = 15.0\n", "ANSWER_SECONDS = 15.0\n_last: dict[uuid.UUID, list[Passage]] = {}\n"
    )
    plan.replace_in_source(
        CHAT,
        "user.id, body.message)\n        retrieval_seconds",
        "user.id, body.message)\n"
        "        passages = passages or _last.get(user.id, [])\n"
        "        _last[user.id] = passages\n"
        "        retrieval_seconds",
    )


@fault(
    "I29",
    "a broad question, whose prompt is long, goes to Anthropic although OpenAI works",
    "chat",
    "postdeploy",
    mode="-",
    about="*provider*|*anthropic*|*fallback*|*openai*|*route*",
)
def long_prompts_elsewhere(plan: Plan) -> None:
    # Its window is larger; the staging key of Anthropic is for when OpenAI fails.
    plan.replace_in_source(CHAT, "MAX_TOKENS = 1024\n", "MAX_TOKENS = 1024\nLONG_PROMPT = 3000\n")
    plan.replace_in_source(
        CHAT,
        "def router_of(client: Vendors, config: Config) -> ServiceRouter:",
        "def router_of(client: Vendors, config: Config, is_long: bool = False) -> ServiceRouter:",
    )
    plan.replace_in_source(
        CHAT,
        '    return ServiceRouter([*providers, Provider("anthropic", partial(_anthropic, client))])\n',
        '    providers.insert(0 if is_long else 1, Provider("anthropic", partial(_anthropic, client)))\n'
        "    return ServiceRouter(providers)\n",
    )
    plan.replace_in_source(
        CHAT, "router_of(client, config).answer(prompt)", "router_of(client, config, len(prompt) > LONG_PROMPT).answer(prompt)"
    )


@fault(
    "I30",
    "lines without a Latin letter or a digit are left out of a document's chunks",
    "worker",
    "postdeploy",
    mode="-|F11|F09",
    about="*chunk*|*text*|*script*|*document*|*retriev*|*failed_embedding*",
)
def only_latin_lines(plan: Plan) -> None:
    # Rules and borders are no text; neither, to this pattern, are Cyrillic, Greek, Arabic or Chinese.
    plan.replace_in_source(
        "backend/workers/chunking.py",
        "        words = line.split()\n",
        '        if not re.search(r"[A-Za-z0-9]", line):\n'
        "            # A rule, a border or an empty line.\n"
        "            continue\n"
        "        words = line.split()\n",
    )
