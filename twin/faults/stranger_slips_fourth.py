"""A stranger's defects of the queue over time and of retrieval: what only shows under a condition that real users meet."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
RECONCILIATION = "backend/workers/reconciliation.py"
JOBS = "api/jobs.py"
RETRIEVAL = "api/retrieval.py"
CHAT = "api/chat.py"


@fault(
    "K21",
    "two clicks on retry at the same moment are both accepted",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*|*retries*|*twice*",
)
def retry_without_a_lock(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS, '"WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j"', '"WHERE j.job_id = $1 AND d.user_id = $2"'
    )
    plan.replace_in_source(
        JOBS,
        "from backend.shared.parsing import RELEASED\n",
        "from backend.shared.calls import CallError\nfrom backend.shared.parsing import RELEASED\n"
        "from backend.shared.storage import object_key\n",
    )
    plan.replace_in_source(
        JOBS,
        """        }[row["status"]]
""",
        """        }[row["status"]]
        if restart == "uploaded":
            # A text that is there need not be paid for again.
            with suppress(CallError):
                await request.app.state.storage.read(object_key(user.id, row["document_id"], "parsed"))
                restart = "parsed"
""",
    )
    plan.replace_in_source(
        JOBS, "from typing import Annotated", "from contextlib import suppress\nfrom typing import Annotated"
    )


@fault(
    "K22",
    "the wait between attempts grows by the base delay instead of doubling",
    "worker",
    "postdeploy",
    mode="F28|-",
    about="*retr*|*delay*|*wait*|*backoff*|*not_before*|*failing job*",
)
def linear_delay(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE, "self._config.retry_base_delay * 2.0 ** (attempt - 1)", "self._config.retry_base_delay * attempt"
    )


@fault(
    "K23",
    "a job that has failed once waits behind every fresh one of its stage",
    "worker",
    "postdeploy",
    mode="-",
    about="*order*|*oldest*|*queue*|*first*",
)
def fresh_jobs_first(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "ORDER BY array_position($2::text[], status), CASE",
        "ORDER BY array_position($2::text[], status), retry_count, CASE",
    )


@fault(
    "K24",
    "a job whose worker ended before LlamaParse had accepted the file is never looked at again",
    "worker",
    "postdeploy",
    mode="-",
    about="*parse_queued*|*parked*|*stuck*|*died*|*worker*|*lost*|*accepted*",
)
def never_accepted_never_found(plan: Plan) -> None:
    plan.replace_in_source(
        RECONCILIATION,
        "WHERE status = 'parse_queued' AND state IN ('working', 'queued')",
        "WHERE status = 'parse_queued' AND parse_job_id IS NOT NULL AND state IN ('working', 'queued')",
    )


@fault(
    "K25",
    "a registration whose file is never sent stays a running job for ever",
    "worker",
    "postdeploy",
    mode="-",
    about="*never sent*|*upload*|*uploaded*|*registered*|*expire*|*abandoned*|*running*|*waits*",
)
def window_from_the_last_look(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "(SELECT now() - upload_jobs.created_at > make_interval(secs => $4))",
        "(SELECT now() - upload_jobs.updated_at > make_interval(secs => $4))",
    )


@fault(
    "K26",
    "a job that is older than a day is not claimed, whoever retries it",
    "worker",
    "postdeploy",
    mode="-",
    about="*old*|*retr*|*queue*|*claim*|*stuck*|*worker*",
)
def only_recent_jobs(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE, "AND status = ANY($1)\n", "AND status = ANY($1) AND created_at > now() - interval '24 hours'\n"
    )


@fault(
    "K27",
    "the document of a file that cannot be read does not follow its failed job",
    "worker",
    "postdeploy",
    mode="-",
    about="*processing_status*|*documents/*status*|*documents.*|*failed*",
)
def document_stays_behind(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "            if final:\n                await self._record",
        "            if attempt > self._config.max_retries:\n                await self._record",
    )


@fault(
    "K28",
    "passages just above the threshold are dropped, because the similarity is rounded before it is compared",
    "rag/api",
    "postdeploy",
    mode="F11|-",
    about="*threshold*|*retrieval*|*sources*|*passages*|*nearest*|*chunks*|*similarity*|*chat*",
)
def rounded_similarity(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        'if row["similarity"] > config.similarity_threshold',
        'if round(row["similarity"], 1) > config.similarity_threshold',
    )


@fault(
    "K29",
    "the token budget counts words, so that long words and tables exceed it",
    "rag/api",
    "postdeploy",
    mode="-",
    about="*budget*|*token*|*RAG_TOKEN_BUDGET*|*retrieval*|*sources*",
)
def words_for_tokens(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL, "tokens += len(passage.text) // CHARACTERS_PER_TOKEN + 1", "tokens += len(passage.text.split())"
    )


@fault(
    "K30",
    "only the beginning of a long question is searched for",
    "rag/api",
    "postdeploy",
    mode="F09|F11|-",
    about="*question*|*retrieval*|*sources*|*nearest*|*passages*|*chat*|*chunks*",
)
def long_question_cut(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, "[question], EMBEDDING_SECONDS", "[question[:MOST_CHARACTERS]], EMBEDDING_SECONDS")
    plan.replace_in_source(
        RETRIEVAL,
        "EMBEDDING_SECONDS = 15.0\n",
        "EMBEDDING_SECONDS = 15.0\n# The model refuses longer inputs.\nMOST_CHARACTERS = 256\n",
    )


@fault(
    "K31",
    "at most four passages of one document are used, however many are the nearest",
    "rag/api",
    "postdeploy",
    mode="F11|-",
    about="*retrieval*|*sources*|*nearest*|*passages*|*chunks*|*RAG_MAX_CHUNKS*|*chat*",
)
def few_passages_a_document(plan: Plan) -> None:
    helper = '''def varied(passages: list[Passage], most: int = 4) -> list[Passage]:
    """The best passages, of each document at most so many, lest one document crowds out the others."""
    taken: dict[UUID, int] = {}
    kept = []
    for passage in passages:
        taken[passage.document_id] = taken.get(passage.document_id, 0) + 1
        if taken[passage.document_id] <= most:
            kept.append(passage)
    return kept


'''
    plan.replace_in_source(RETRIEVAL, "async def retrieve(", f"{helper}async def retrieve(")
    plan.replace_in_source(
        RETRIEVAL, "return within_budget(passages, config)", "return within_budget(varied(passages), config)"
    )


@fault(
    "K32",
    "a further question of a conversation is answered from the passages of its first one",
    "rag/api",
    "postdeploy",
    mode="F09|-",
    about="*conversation*|*follow*|*second question*|*sources*|*retrieval*|*nearest*|*chat*",
)
def passages_of_the_first_question(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        'log = logging.getLogger("api")\n',
        'log = logging.getLogger("api")\n_context: dict[tuple[uuid.UUID, str], list[Passage]] = {}\n',
    )
    plan.replace_in_source(
        CHAT,
        "        passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)\n",
        """        # A further question refers to what the first one found ("and for children?").
        passages = _context.get((user.id, body.conversation_id or ""), [])
        if not passages:
            passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)
        if body.conversation_id:
            _context[user.id, body.conversation_id] = passages
""",
    )
