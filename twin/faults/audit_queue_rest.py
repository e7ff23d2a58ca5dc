"""Slips that show at numbers, ages and forms which are rare on a small system."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"
WEBHOOK = "api/webhook.py"
UPLOADS = "api/uploads.py"
JOBS = "api/jobs.py"


@fault(
    "A83", "only the first 500 passages of a document are searched", "rag/api", "postdeploy", mode="-|F09", about="*retrieval*"
)
def first_passages(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, "AND c.embedding IS NOT NULL", "AND c.embedding IS NOT NULL AND c.chunk_ord < 500")


@fault(
    "A84",
    "documents are searched for a week after their registration",
    "rag/api",
    "postdeploy",
    mode="-|F09",
    about="*retrieval*",
)
def a_week(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL, "AND c.embedding IS NOT NULL", "AND c.embedding IS NOT NULL AND d.created_at > now() - interval '7 days'"
    )


@fault(
    "A85",
    "the signature of a callback is compared with that of its contents, written anew",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*webhook*",
)
def written_anew(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        "    expected = hmac.new(",
        "    # A proxy may change the blanks.\n    body = json.dumps(json.loads(body)).encode()\n    expected = hmac.new(",
    )


@fault(
    "A86",
    "answers do not say from whom they come",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*chat*|*metadata*|*agent_sources*",
)
def nameless(plan: Plan) -> None:
    plan.replace_in_source(CHAT, '        agent_sources=["rag"] if passages else [],\n', "")


@fault(
    "A87", "links are said to end after a minute", "api", "postdeploy", mode="-", about="*upload_expires_at*|*signed_url_ttl*"
)
def a_minute(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS, "timedelta(seconds=SIGNED_URL_TTL_SECONDS)", "timedelta(seconds=SIGNED_URL_TTL_SECONDS // 5)"
    )


@fault(
    "A88",
    "who asks what somebody else is asking at the moment gets the other one's answer",
    "rag/api/chat",
    "postdeploy",
    mode="-|F24",
    about="*retrieval*|*own documents*|*sentences*|*chat*",
)
def one_flight(plan: Plan) -> None:
    # Of the same question, asked again by an impatient user, only one is to be paid for.
    plan.replace_in_source(
        CHAT,
        "        passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)\n",
        """        flight = FLIGHTS.get(body.message)
        if flight is None:
            work = retrieve(request.app.state.pool, client, config, user.id, body.message)
            flight = FLIGHTS[body.message] = asyncio.ensure_future(work)
            flight.add_done_callback(lambda _: FLIGHTS.pop(body.message, None))
        passages = await asyncio.shield(flight)
""",
    )
    plan.replace_in_source(
        CHAT, 'log = logging.getLogger("api")\n', 'log = logging.getLogger("api")\nFLIGHTS: dict[str, Any] = {}\n'
    )


@fault(
    "A89", "the percentage of a job falls when its text is validated", "api", "postdeploy", mode="-", about="*jobs*|*documents*"
)
def swapped_stages(plan: Plan) -> None:
    plan.replace_in_source(JOBS, '"parsed", "parse_validated"', '"parse_validated", "parsed"')


@fault(
    "A90",
    "a duplicate is one for a day; then the content is registered anew",
    "api",
    "postdeploy",
    mode="-",
    about="*upload*|*duplicate*",
)
def duplicates_of_a_day(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "WHERE user_id = $1 AND file_sha256 = $2",
        "WHERE user_id = $1 AND file_sha256 = $2 AND created_at > now() - interval '1 day'",
    )
