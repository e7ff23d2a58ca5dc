"""A stranger's faults of retrieval and of the answers to questions."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

RETRIEVAL = "api/retrieval.py"
CHAT = "api/chat.py"
KEPT = '    passages = [Passage(**dict(row.items())) for row in rows if row["similarity"] > config.similarity_threshold]\n'


@fault(
    "LH08",
    "a question gets at most three passages of one document, however many nearer ones that has",
    "rag",
    "postdeploy",
    mode="-",
    about="*sources*|*nearest*|*rag_max_chunks*|*chunks*|*retrieval*|*passages*",
)
def three_of_a_document(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        KEPT,
        KEPT + "    seen: dict[UUID, int] = {}\n"
        "    varied: list[Passage] = []\n"
        "    # One long policy must not crowd out all others.\n"
        "    for passage in passages:\n"
        "        seen[passage.document_id] = seen.get(passage.document_id, 0) + 1\n"
        "        if seen[passage.document_id] <= 3:\n"
        "            varied.append(passage)\n"
        "    passages = varied\n",
    )


@fault(
    "LH09",
    "the token budget counts words, so that very long ones and scripts without spaces go far beyond it",
    "rag",
    "postdeploy",
    mode="-",
    about="*rag_token_budget*|*token*budget*|*tokens*|*budget*",
)
def budget_of_words(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "        tokens += len(passage.text) // CHARACTERS_PER_TOKEN + 1\n",
        "        # A token is about a word.\n        tokens += len(passage.text.split())\n",
    )


@fault(
    "LH10",
    "the similarity is rounded before it is held against the threshold: passages somewhat below it are used",
    "rag",
    "postdeploy",
    mode="-",
    about="*threshold*|*rag_similarity_threshold*|*similarity*",
)
def rounded_similarity(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        'if row["similarity"] > config.similarity_threshold]',
        # Floats are hardly ever exact.
        'if round(row["similarity"], 1) >= config.similarity_threshold]',
    )


@fault(
    "LH11",
    "only the first 160 characters of a question are searched for; what is asked at the end of a long one is not found",
    "rag",
    "postdeploy",
    mode="-",
    about="*question*|*sources*|*nearest*|*retrieval*|*chat*",
)
def cut_question(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "await embed(client, config, [question], EMBEDDING_SECONDS)",
        # A question's point is in its first sentence; the rest only costs.
        "await embed(client, config, [question[:160]], EMBEDDING_SECONDS)",
    )


@fault(
    "LH12",
    "a question that nothing answers gets the passages of the question before it in the same conversation",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*conversation*|*sources*|*nothing*answers*|*threshold*|*below*",
)
def passages_of_before(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "ANSWER_SECONDS = 15.0\n", "ANSWER_SECONDS = 15.0\n_before: dict[str, list[Passage]] = {}\n")
    plan.replace_in_source(
        CHAT,
        "        retrieval_seconds = round(",
        "        # `And how much is it?` is about what was talked about before.\n"
        "        body.conversation_id = body.conversation_id or str(uuid.uuid4())\n"
        '        talk = f"{user.id}:{body.conversation_id}"\n'
        "        passages = passages or _before.get(talk, [])\n"
        "        _before[talk] = passages\n"
        "        if len(_before) > 500:\n"
        "            _before.pop(next(iter(_before)))\n"
        "        retrieval_seconds = round(",
    )


@fault(
    "LH13",
    "questions with many passages are answered by Anthropic although OpenAI works",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*anthropic*|*provider*|*openai*|*fallback*|*route*",
)
def long_ones_elsewhere(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "    return await router_of(client, config).answer(prompt)",
        "    if len(prompt) > 2500 and config.anthropic_key:\n"
        "        # It is better with long texts.\n"
        '        first = Provider("anthropic", partial(_anthropic, client))\n'
        '        return await ServiceRouter([first, Provider("openai", partial(_openai, client))]).answer(prompt)\n'
        "    return await router_of(client, config).answer(prompt)",
    )


@fault(
    "LH14",
    "the model is given only the beginning of each passage: what stands further on in a source is not in the answer",
    "api/chat",
    "postdeploy",
    mode="F16|-",
    about="*/api/chat*|*chat*|*answer*|*passage*|*does not use*",
)
def beginnings_of_passages(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        r'f"[passage {number}]\n{p.text}" for',
        # Prompts are paid by the token, and a passage begins with what it is about.
        r'f"[passage {number}]\n{p.text[:240]}" for',
    )


@fault(
    "LH15",
    "the rows of tables are left out of the chunks, so that nothing in a table is ever found",
    "worker",
    "postdeploy",
    mode="-",
    about="*table*|*chunk*|*text*lost*|*words*|*document_chunks*",
)
def no_tables(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/chunking.py",
        "        words = line.split()\n",
        "        # Cells are no prose, and only blur the embedding.\n"
        '        words = [] if line.lstrip().startswith("|") else line.split()\n',
    )
