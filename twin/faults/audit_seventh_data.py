"""Slips in registrations, listings, retries and callbacks that hold in one condition only."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

UPLOADS = "api/uploads.py"
JOBS = "api/jobs.py"
WEBHOOK = "api/webhook.py"
PARSING = "backend/shared/parsing.py"


@fault(
    "D31",
    "jobs that are past their parse do not count as running",
    "api",
    "postdeploy",
    mode="-|F34",
    about="*max_concurrent_jobs*|*limit*",
)
def only_parses_run(plan: Plan) -> None:
    # A parse is what costs money.
    plan.replace_in_source(
        UPLOADS,
        "(WHERE j.state IN ('queued', 'working', 'retryable')) AS running",
        "(WHERE j.state IN ('queued', 'working', 'retryable') AND j.status IN ('uploaded', 'parse_queued')) AS running",
    )


@fault(
    "D32", "a listing by state begins with its first job, whatever the offset", "api", "postdeploy", mode="-", about="*jobs*"
)
def no_offset_by_state(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "LIMIT $3 OFFSET $4", "LIMIT $3 OFFSET CASE WHEN $2::text IS NULL THEN $4::int ELSE 0 END")


@fault("D33", "a listing of the jobs that wait is refused", "api", "postdeploy", mode="-", about="*jobs*")
def waiting_is_no_state(plan: Plan) -> None:
    plan.replace_in_source(JOBS, 'Literal["queued", "working",', 'Literal["working",')


@fault(
    "D34",
    "the retry of a job whose text was not cut begins behind the cutting",
    "api",
    "postdeploy",
    mode="-",
    about="*upload_jobs.status*|*retry*",
)
def the_step_is_taken_for_done(plan: Plan) -> None:
    plan.replace_in_source(JOBS, '"failed_chunking": "parse_validated"', '"failed_chunking": "chunks_stored"')


@fault(
    "D35",
    "of a result in both forms the plain text is stored",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*parsed*|*webhook*|*data.lost*",
)
def plain_text_first(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, 'page.get("md") or page.get("txt")', 'page.get("txt") or page.get("md")')


@fault("D36", "of a list of pages the first ten are stored", "api/storage", "postdeploy", mode="-", about="*parsed*|*webhook*")
def ten_pages(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "for page in result)", "for page in result[:10])")


@fault(
    "D37",
    "a parse that failed half-way counts as finished, with the text that there is",
    "api/worker",
    "postdeploy",
    mode="-",
    about="*last_error*|*webhook*",
)
def half_a_result(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK, 'if payload.get("status") != "completed":', 'if not _markdown(payload.get("result")) and payload.get("error"):'
    )


@fault(
    "D38",
    "the hash of a parsed text leaves out what is not ASCII",
    "api/worker/database",
    "postdeploy",
    mode="-",
    about="*parsed_sha256*",
)
def hash_of_ascii(plan: Plan) -> None:
    plan.replace_in_source(
        PARSING, "hashlib.sha256(text.encode()).hexdigest()", 'hashlib.sha256(text.encode("ascii", "ignore")).hexdigest()'
    )


@fault(
    "D39",
    "the secret of a job's first callback is remembered for all of them",
    "api/webhook",
    "postdeploy",
    mode="-",
    about="*webhook*",
)
def remembered_secrets(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK, 'log = logging.getLogger("api")\n', 'log = logging.getLogger("api")\n_SECRETS: dict[UUID, str] = {}\n'
    )
    plan.replace_in_source(
        WEBHOOK,
        '        _verify(row["webhook_secret"], body,',
        '        if row["webhook_secret"]:\n'
        '            _SECRETS.setdefault(job_id, row["webhook_secret"])\n'
        "        _verify(_SECRETS.get(job_id), body,",
    )


@fault(
    "D40", "plain text may be registered beside PDF", "api", "postdeploy", mode="-|F34", about="*mime*|*limit*|*supported_mime*"
)
def plain_text_too(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, 'mime: Literal["application/pdf"]', 'mime: Literal["application/pdf", "text/plain"]')


@fault(
    "D41",
    "the daily limit counts the documents of the last hour",
    "api",
    "postdeploy",
    mode="-|F34",
    about="*max_uploads_per_day*|*limit*",
)
def an_hour(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "interval '1 day'", "interval '1 hour'")


@fault("D42", "file names without an ending are refused", "api", "postdeploy", mode="-", about="*upload*|*filename*|*name*")
def names_end(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, 'pattern=r"^[^/\\\\\\x00-\\x1f]+$"', 'pattern=r"^[^/\\\\\\x00-\\x1f]+[.][A-Za-z]+$"')


@fault("D43", "ids of documents are made by chance", "api", "postdeploy", mode="-", about="*upload*|*document_id*")
def ids_by_chance(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "from uuid import UUID, uuid5\n", "from uuid import UUID, uuid4\n")
    plan.replace_in_source(UPLOADS, 'return uuid5(NAMESPACE, f"{user_id}:{sha256}")', "return uuid4()")


@fault(
    "D44",
    "the link for a large file is said to end after a minute",
    "api",
    "postdeploy",
    mode="-",
    about="*upload_expires_at*|*signed_url_ttl*",
)
def a_minute_for_large_files(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "timedelta(seconds=SIGNED_URL_TTL_SECONDS)",
        "timedelta(seconds=SIGNED_URL_TTL_SECONDS if body.bytes_len < 2**20 else 60)",
    )


@fault(
    "D60",
    "pages of a result are stored without a break between them",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*parsed*|*webhook*",
)
def pages_run_into_each_other(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, 'return "\\n\\n".join(', 'return "".join(')
