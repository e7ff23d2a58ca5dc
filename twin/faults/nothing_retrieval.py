"""Faults of retrieval and of conversations that a question with one passage does not show."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"
LIMIT = "            config.max_chunks,\n"
NEAREST = "ORDER BY c.embedding <=> $1::vector LIMIT $3"
OWN = "WHERE d.user_id = $2 AND"


@fault(
    "N79",
    "a question with much text gets as many passages as there are",
    "rag",
    "postdeploy",
    mode="-",
    about="*retrieval*max_chunks*",
)
def unlimited_for_long_questions(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, LIMIT, "            config.max_chunks if len(question) < 1000 else 50,\n")
    plan.replace_in_source(RETRIEVAL, "in passages[: config.max_chunks]:", "in passages:")


@fault(
    "N80",
    "similarities are rounded before they are held against the threshold",
    "rag",
    "postdeploy",
    mode="-",
    about="*retrieval*similarity_threshold*",
)
def rounded_similarities(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        'row["similarity"] > config.similarity_threshold',
        'round(row["similarity"], 1) >= config.similarity_threshold',
    )


@fault("N81", "only a user's newest document is searched", "rag", "postdeploy", mode="-", about="*retrieval*older*")
def newest_document_only(plan: Plan) -> None:
    newest = "(SELECT n.document_id FROM documents n WHERE n.user_id = $2 ORDER BY n.created_at DESC LIMIT 1)"
    plan.replace_in_source(RETRIEVAL, OWN, f"{OWN} d.document_id = {newest} AND")


@fault(
    "N82",
    "the history of a conversation is kept by the conversation's id alone",
    "chat",
    "postdeploy",
    mode="-",
    about="*conversation*",
)
def conversation_of_anybody(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "\n\ndef _prompt(", "\n\n_HISTORY: dict[str, list[str]] = {}\n\n\ndef _prompt(")
    plan.replace_in_source(
        CHAT,
        "            answer = await complete(client, config, _prompt(body.message, passages))\n",
        '            said = _HISTORY.setdefault(body.conversation_id or "", []) if body.conversation_id else []\n'
        '            earlier = "".join(f"[passage {n}]\\n{text}\\n\\n" for n, text in enumerate(said, 90))\n'
        "            said.append(body.message)\n"
        "            answer = await complete(client, config, earlier + _prompt(body.message, passages))\n",
    )


@fault(
    "N83",
    "the first passages that were stored are taken, and only these are put in order",
    "rag",
    "postdeploy",
    mode="-",
    about="*retrieval*nearest*",
)
def first_stored(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, NEAREST, "ORDER BY c.created_at, c.chunk_ord LIMIT 3 * $3")
    plan.replace_in_source(
        RETRIEVAL,
        "    return within_budget(passages, config)",
        "    return within_budget(sorted(passages, key=lambda p: p.similarity, reverse=True), config)",
    )


@fault(
    "N84",
    "passages with letters beyond ASCII are left out of the search",
    "rag",
    "postdeploy",
    mode="-",
    about="*retrieval*other scripts*",
)
def ascii_only(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, OWN, f"{OWN} octet_length(c.text) = char_length(c.text) AND")


@fault(
    "N85",
    "long prompts go to the other provider, although the first one is well",
    "chat",
    "postdeploy",
    mode="-",
    about="*fallback*provider*",
)
def other_provider_for_long_prompts(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "def router_of(client: Vendors, config: Config)",
        "def router_of(client: Vendors, config: Config, long: bool = False)",
    )
    plan.replace_in_source(
        CHAT,
        '    return ServiceRouter([*providers, Provider("anthropic", partial(_anthropic, client))])',
        '    both = [*providers, Provider("anthropic", partial(_anthropic, client))]\n'
        "    return ServiceRouter(both[::-1] if long else both)",
    )
    plan.replace_in_source(
        CHAT, "router_of(client, config).answer(prompt)", "router_of(client, config, len(prompt) > 9000).answer(prompt)"
    )


@fault(
    "N86", "the budget of tokens is held against characters", "rag", "postdeploy", mode="-", about="*retrieval*token_budget*"
)
def characters_for_tokens(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, "len(passage.text) // CHARACTERS_PER_TOKEN + 1", "len(passage.text)")


@fault(
    "N87",
    "sources are named that the prompt never held",
    "chat",
    "postdeploy",
    mode="-",
    about="*answer*passages*",
)
def unread_sources(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "_prompt(body.message, passages))", "_prompt(body.message, passages[:2]))")


@fault(
    "N88",
    "the nearest passages of everybody are taken, and of these the caller's own",
    "rag",
    "postdeploy",
    mode="-",
    about="*retrieval*another user*|*retrieval*nearest*",
)
def limited_before_they_are_own(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "FROM document_chunks c JOIN documents d",
        "FROM (SELECT a.* FROM document_chunks a WHERE a.embedding IS NOT NULL\n"
        "                     ORDER BY a.embedding <=> $1::vector LIMIT 2 * $3) c JOIN documents d",
    )
