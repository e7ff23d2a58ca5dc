"""Slips in uploads, in the queue and in what a question is answered from: each at an edge of what is promised."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

UPLOADS = "api/uploads.py"
JOBS = "api/jobs.py"
CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"
PARSING = "backend/shared/parsing.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "A51",
    "file names of 121 to 124 characters are accepted",
    "api",
    "postdeploy",
    mode="-|F34",
    about="*filename*|*limit*|*name*",
)
def the_ending_is_not_counted(plan: Plan) -> None:
    # The ending is no part of the name that people choose.
    plan.replace_in_source(UPLOADS, "max_length=120", "max_length=124")


@fault("A52", "a hash of 63 digits is accepted", "api", "postdeploy", mode="-", about="*upload*|*sha256*|*hash*")
def a_lost_zero(plan: Plan) -> None:
    # A client that writes numbers loses a zero in front.
    plan.replace_in_source(UPLOADS, "[0-9a-f]{64}$", "[0-9a-f]{63,64}$")


@fault(
    "A53", "every type of an application is registered, not only PDF", "api", "postdeploy", mode="-|F34", about="*mime*|*limit*"
)
def applications(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS, '    mime: Literal["application/pdf"]\n', '    mime: str = Field(pattern=r"^application/")\n'
    )


@fault("A54", "registrations with recognition of pictures are refused", "api", "postdeploy", mode="-", about="*upload*|*ocr*")
def no_recognition(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "    ocr: bool = Field(default=False, strict=True)\n", "    ocr: Literal[False] = False\n")


@fault(
    "A55",
    "the type of a document is stored as that of any file",
    "api/database",
    "postdeploy",
    mode="-",
    about="*documents.mime*",
)
def any_file(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "        body.mime,\n", '        "application/octet-stream",\n')


@fault(
    "A56",
    "a document that is refused for the running jobs stays registered",
    "api/database",
    "postdeploy",
    mode="-",
    about="*upload*|*documents*|*left*",
)
def registered_before_the_limits(plan: Plan) -> None:
    # The refusal ends the transaction; the row of the document is written beside it, to be found when the user tries again.
    plan.replace_in_source(
        UPLOADS,
        """    if row["running"] >= MAX_CONCURRENT_JOBS:
""",
        """    if row["running"] >= MAX_CONCURRENT_JOBS:
        await pool.execute(
            \"\"\"INSERT INTO documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path)
               VALUES ($1, $2, $3, $4, $5, $6, '')\"\"\",
            document_id_of(user.id, body.sha256), user.id, body.filename, body.mime, body.bytes_len, body.sha256,
        )
""",
    )
    plan.replace_in_source(
        UPLOADS,
        "async def _refuse_over_limits(connection: asyncpg.Connection, user: Caller) -> None:",
        "async def _refuse_over_limits(connection: asyncpg.Connection, user: Caller, body: Any, pool: Any) -> None:",
    )
    plan.replace_in_source(
        UPLOADS,
        "await _refuse_over_limits(connection, user)",
        "await _refuse_over_limits(connection, user, body, request.app.state.pool)",
    )


@fault(
    "A57",
    "the daily limit counts the documents of a month",
    "api",
    "postdeploy",
    mode="-",
    about="*max_uploads_per_day*|*limit*",
)
def a_month(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "interval '1 day'", "interval '30 days'")


@fault(
    "A58",
    "jobs that wait for their callback do not count as running",
    "api",
    "postdeploy",
    mode="-|F34",
    about="*max_concurrent_jobs*|*limit*",
)
def waiting_is_not_running(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "(WHERE j.state IN ('queued', 'working', 'retryable')) AS running",
        "(WHERE j.state IN ('queued', 'working', 'retryable') AND j.status <> 'parse_queued') AS running",
    )


@fault("A59", "a job that waits for its callback can be retried", "api", "postdeploy", mode="-", about="*retry*")
def retry_of_the_parked(plan: Plan) -> None:
    # Users whose callback was lost asked for it.
    plan.replace_in_source(
        JOBS,
        'if row["state"] != "deadletter":',
        'if row["state"] != "deadletter" and row["status"] != "parse_queued":',
    )
    plan.replace_in_source(
        JOBS,
        '            "failed_parse": "uploaded",\n',
        '            "failed_parse": "uploaded",\n            "parse_queued": "uploaded",\n',
    )


@fault("A60", "a listing by state filters one page of all jobs", "api", "postdeploy", mode="-", about="*jobs*")
def filtered_after_the_page(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '"WHERE d.user_id = $1 AND ($2::text IS NULL OR j.state = $2) "',
        '"WHERE d.user_id = $1 AND ($2::text IS NULL OR true) "',
    )
    plan.replace_in_source(
        JOBS, "[_view(row) for row in rows]", '[_view(row) for row in rows if state in (None, row["state"])]'
    )


@fault(
    "A61",
    "a finished job is shown at 86 percent",
    "api",
    "postdeploy",
    mode="-",
    about="*jobs*|*documents*|*percent*|*progress*",
)
def never_the_whole(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "STAGES.index(status) / (len(STAGES) - 1)", "STAGES.index(status) / len(STAGES)")


@fault("A62", "the answer to a retry shows the job as it was before", "api", "postdeploy", mode="-", about="*retry*")
def the_row_before(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '        row = await connection.fetchrow(\n            f"""UPDATE',
        '        await connection.fetchrow(\n            f"""UPDATE',
    )


@fault(
    "A73",
    "other content under a known name is refused as a duplicate",
    "api",
    "postdeploy",
    mode="-",
    about="*upload*|*duplicate*",
)
def known_by_name(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "user_id = $1 AND file_sha256 = $2", "user_id = $1 AND $2 IN (file_sha256, filename)")
    plan.replace_in_source(
        UPLOADS,
        "        await _refuse_duplicate(connection, user, body.sha256)\n",
        "        for known in (body.sha256, body.filename):\n            await _refuse_duplicate(connection, user, known)\n",
    )


@fault(
    "A74", "file names must end in .pdf, in small letters", "api", "postdeploy", mode="-", about="*upload*|*filename*|*name*"
)
def small_ending(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, 'pattern=r"^[^/\\\\\\x00-\\x1f]+$"', 'pattern=r"^[^/\\\\\\x00-\\x1f]+[.]pdf$"')


@fault(
    "A75",
    "jobs that failed after their parse still count as running",
    "api",
    "postdeploy",
    mode="-",
    about="*max_concurrent_jobs*|*max_uploads*|*limit*",
)
def failed_still_runs(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "(WHERE j.state IN ('queued', 'working', 'retryable')) AS running",
        "(WHERE j.status NOT IN ('complete', 'failed_parse', 'duplicate')) AS running",
    )
