"""Slips of a stranger, sixth lot: the queue over time, and what retrieval finds."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"
PARSING = "backend/shared/parsing.py"
CHAT = "api/chat.py"


@fault(
    "H21",
    "a document whose bytes come after the third poll is failed, although its link is still good",
    "worker",
    "postdeploy",
    mode="-",
    about="*upload*|*late*|*bytes*|*claim*|*failed_parse*|*wait*",
)
def waiting_counts_as_dying(plan: Plan) -> None:
    # "claims" was thought to be cleared wherever a job gets on; one that waits for its bytes does not get on.
    plan.replace_in_source(
        QUEUE,
        "not_before = now() + make_interval(secs => $2), {RELEASED}, updated_at = now() WHERE job_id = $1",
        "not_before = now() + make_interval(secs => $2), claim_id = NULL, lease_until = NULL,\n"
        "                       updated_at = now() WHERE job_id = $1",
    )


@fault(
    "H22",
    "a job whose worker dies in the last step is taken over by nobody",
    "worker",
    "postdeploy",
    mode="-",
    about="*embeddings_stored*|*lease*|*taken over*|*take over*|*dies*|*died*|*dead worker*|*abandoned*|*last step*",
)
def last_step_is_not_taken_over(plan: Plan) -> None:
    # The last step was believed to be one statement, which either happens or does not.
    plan.replace_in_source(
        QUEUE,
        "(state = 'working' AND lease_until <= now()))",
        "(state = 'working' AND lease_until <= now() AND status <> 'embeddings_stored'))",
    )


@fault(
    "H23",
    "a user with two documents in the queue waits until everybody with one has been served",
    "worker",
    "postdeploy",
    mode="-|F28",
    about="*order*|*oldest*|*queue*|*turn*|*starv*|*overtak*|*claim*",
)
def single_documents_first(plan: Plan) -> None:
    # Meant as fairness among users.
    plan.replace_in_source(
        QUEUE,
        "ORDER BY array_position($2::text[], status), CASE",
        """ORDER BY array_position($2::text[], status),
        (SELECT count(*) > 1 FROM upload_jobs o JOIN documents x ON x.document_id = o.document_id
         WHERE o.state IN ('queued', 'working', 'retryable') AND x.user_id = (
             SELECT y.user_id FROM documents y WHERE y.document_id = upload_jobs.document_id)),
        CASE""",
    )


@fault(
    "H24",
    "the wait before the third retry is no longer than the one before the second",
    "worker",
    "postdeploy",
    mode="-",
    about="*retr*|*delay*|*wait*|*WORKER_RETRY_BASE_DELAY*|*backoff*|*not_before*",
)
def delay_doubles_once(plan: Plan) -> None:
    # Users complained of long waits, and the delay was given a ceiling: twice the base.
    plan.replace_in_source(QUEUE, "2.0 ** (attempt - 1), longest", "2.0 ** min(attempt - 1, 1), longest")


@fault(
    "H25",
    "a job that has used up its retries says only that, and no longer why it failed",
    "worker",
    "postdeploy",
    mode="-",
    about="*last_error*|*reason*",
)
def last_reason_is_lost(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        'reason = {"stage": job["status"], "reason": str(error)[:500] or type(error).__name__, "attempt": attempt}',
        """text = str(error)[:500] or type(error).__name__
        if attempt > self._config.max_retries:
            text = "all attempts are used up"
        reason = {"stage": job["status"], "reason": text, "attempt": attempt}""",
    )


@fault(
    "H26",
    "a job that its owner retries keeps its count of failures, so that the next hiccup ends it",
    "api",
    "postdeploy",
    mode="-",
    about="*retry_count*|*retry*|*retries*|*attempt*",
)
def retry_keeps_the_count(plan: Plan) -> None:
    # The count was to show all attempts that a document ever took.
    plan.replace_in_source("api/jobs.py", "state = 'queued', retry_count = 0, last_error", "state = 'queued', last_error")


@fault(
    "H27",
    "a repeated callback with the right signature is refused, because the secret is thrown away with the first",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*|*repeat*|*signature*",
)
def secret_is_forgotten(plan: Plan) -> None:
    # A secret that has served its purpose is not kept; what LlamaParse does with the 401 was not thought of.
    plan.replace_in_source(
        PARSING,
        "status = 'parsed', state = 'queued', retry_count = 0, not_before = NULL,",
        "status = 'parsed', state = 'queued', retry_count = 0, not_before = NULL,\n                webhook_secret = NULL,",
    )


@fault(
    "H28",
    "a passage that another document of the same user contains word for word is missing from the newer document",
    "worker/rag",
    "postdeploy",
    mode="-|F09",
    about="*chunk*|*passage*|*text*|*document*",
)
def shared_passages_are_kept_once(plan: Plan) -> None:
    # Ids by content were to save embeddings; a chunk belongs to one document only.
    plan.replace_in_source(
        WORKER,
        "        chunks = split(await self._parsed_text(job))\n",
        '        chunks = split(await self._parsed_text(job))\n        owner = (await self._document(job))["user_id"]\n',
    )
    plan.replace_in_source(
        WORKER,
        """uuid5(NAMESPACE, f"{job['document_id']}:{CHUNKER_NAME}:{CHUNKER_VERSION}:{number}")""",
        """uuid5(NAMESPACE, f"{owner}:{CHUNKER_NAME}:{CHUNKER_VERSION}:{text}")""",
    )
    plan.replace_in_source(
        WORKER,
        'VALUES ($1, $2, $3, $4, $5, $6, $7)""",\n                rows,',
        'VALUES ($1, $2, $3, $4, $5, $6, $7)\n                   ON CONFLICT (chunk_id) DO NOTHING""",\n                rows,',
    )


@fault(
    "H29",
    "a row of a table that has figures only is left out of the chunks",
    "worker/rag",
    "postdeploy",
    mode="-|F09",
    about="*chunk*|*passage*|*text*|*table*|*figures*|*line*",
)
def figures_are_taken_for_page_numbers(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/chunking.py",
        "        words = line.split()\n",
        """        if not re.search(r"[^\\W\\d_]", line):
            # A page number or a rule.
            continue
        words = line.split()
""",
    )


FOLLOW_UP = '''_ASKED: dict[tuple[str, str], str] = {}


def _looked_up(user_id: Any, body: ChatRequest) -> str:
    """What is searched for: a follow-up ("and for my children?") makes sense only with the question before it."""
    body.conversation_id = body.conversation_id or str(uuid.uuid4())
    conversation = (str(user_id), body.conversation_id)
    before, _ASKED[conversation] = _ASKED.get(conversation, ""), body.message
    return f"{before}\\n{body.message}".strip()


@router.post("/chat")
'''


@fault(
    "H30",
    "the second question of a conversation is searched for together with the first, and finds what the first was about",
    "chat/rag/api",
    "postdeploy",
    mode="-",
    about="*conversation*|*chat*|*source*|*passage*|*retriev*|*question*",
)
def follow_ups_are_mixed(plan: Plan) -> None:
    plan.replace_in_source(CHAT, '@router.post("/chat")\n', FOLLOW_UP)
    plan.replace_in_source(CHAT, "config, user.id, body.message)", "config, user.id, _looked_up(user.id, body))")
