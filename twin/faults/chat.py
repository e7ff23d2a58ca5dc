"""Faults of retrieval and chat."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "F09", "retrieval filters by the wrong user id, finds nothing and reports success", "rag", "postdeploy", about="*retrieval*"
)
def other_user_id(plan: Plan) -> None:
    plan.replace_in_source(
        "api/chat.py", "config, user.id, body.message", "config, uuid.uuid5(uuid.NAMESPACE_URL, user.email), body.message"
    )


@fault(
    "F11", "questions are embedded with a different model than the chunks", "rag", "postdeploy", about="*retrieval*|*embedding*"
)
def other_embedding_model(plan: Plan) -> None:
    plan.extra_env["api"] = {"RAG_EMBEDDING_MODEL": "text-embedding-ada-002"}


@fault("F16", "graceful degradation is too broad: the user gets the fallback text", "chat", "postdeploy", about="*chat*")
def fallback_always(plan: Plan) -> None:
    plan.replace_in_source(
        "api/chat.py",
        "answer = await complete(client, config, _prompt(body.message, passages))",
        'answer = Routed("Insurance plans differ. Your plan documents hold the details you need.", "fallback")',
    )


@fault(
    "G14",
    "retrieval returns passages of all users",
    "rag",
    "postdeploy",
    mode="-",
    about="*retrieval*|*other users' documents*",
)
def passages_of_all_users(plan: Plan) -> None:
    plan.replace_in_source("api/retrieval.py", "WHERE d.user_id = $2 AND", "WHERE $2::uuid IS NOT NULL AND")


@fault(
    "G30",
    "retrieval ignores the threshold, the number of chunks and the token budget",
    "rag",
    "postdeploy",
    mode="-",
    about="*retrieval*",
)
def unbounded_retrieval(plan: Plan) -> None:
    plan.replace_in_source("api/retrieval.py", 'row["similarity"] > config.similarity_threshold', 'row["similarity"] > -1')
    plan.replace_in_source("api/retrieval.py", "return within_budget(passages, config)", "return passages[::-1]")
    plan.replace_in_source("api/retrieval.py", "            config.max_chunks,\n", "            60,\n")


@fault(
    "G33",
    "chat forgets the conversation and omits its processing time",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*/api/chat*|*chat*",
)
def forgetful_chat(plan: Plan) -> None:
    plan.replace_in_source("api/chat.py", "body.conversation_id or str(uuid.uuid4())", "str(uuid.uuid4())")
    plan.replace_in_source("api/chat.py", '"processing_time": round(time.perf_counter() - started, 6), ', "")
