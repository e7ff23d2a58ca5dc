"""Faults of a developer who has not read the gate: what observers see, and the first part of who may do what."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

STATUS_OF_DOCUMENT = "async def document_status(document_id: UUID, user: CurrentUser, request: Request) -> dict[str, Any]:"
NO_DOCUMENT = '        raise HTTPException(404, "no such document")\n'


@fault(
    "H01",
    "the host's cache is told to keep the status of a finished document",
    "api",
    "postdeploy",
    mode="-",
    about="*/documents/*status*|*ache*|*CDN-Cache-Control*",
)
def finished_documents_cached(plan: Plan) -> None:
    # A finished document does not change any more, and pages go on polling it.
    plan.replace_in_source(
        "api/jobs.py",
        "from fastapi import APIRouter, HTTPException,",
        "from fastapi import APIRouter, HTTPException, Response,",
    )
    plan.replace_in_source(
        "api/jobs.py",
        STATUS_OF_DOCUMENT,
        STATUS_OF_DOCUMENT.replace("request: Request", "request: Request, response: Response"),
    )
    plan.replace_in_source(
        "api/jobs.py",
        NO_DOCUMENT,
        f"""{NO_DOCUMENT}    if row["status"] == "complete":
        response.headers["CDN-Cache-Control"] = "max-age=300"
""",
    )


@fault(
    "H02",
    "the words of a question that nothing answers are written to the log",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*log*|*question*|*sentence*|*chat*",
)
def unanswered_words_logged(plan: Plan) -> None:
    # The product wants to know what users look for in vain.
    plan.replace_in_source("api/chat.py", "import logging\n", "import logging\nimport re\n")
    plan.replace_in_source(
        "api/chat.py",
        "        if not passages:\n",
        """        if not passages:
            log.info("nothing found for: %s", ", ".join(re.findall(r"\\w{3,}", body.message)))
""",
    )


@fault(
    "H03",
    "the time of the first upload has no zone where a duplicate is refused",
    "api",
    "postdeploy",
    mode="-",
    about="*last_uploaded*|*zone*|*duplicate*|*time*",
)
def time_of_duplicate_without_zone(plan: Plan) -> None:
    # The page shows this time as it is, and microseconds looked odd there.
    plan.replace_in_source(
        "api/uploads.py",
        '"last_uploaded": row["updated_at"].isoformat(),',
        '"last_uploaded": f"{row[\'updated_at\']:%Y-%m-%dT%H:%M:%S}",',
    )


@fault(
    "H04",
    "the routes of jobs count one retry less than the database",
    "api",
    "postdeploy",
    mode="-",
    about="*retry_count*|*retries*|*/jobs*",
)
def one_retry_less(plan: Plan) -> None:
    # Users read "4 of 3 retries": the first attempt is none.
    plan.replace_in_source(
        "api/jobs.py", '"retry_count": row["retry_count"],', '"retry_count": max(row["retry_count"] - 1, 0),'
    )


@fault(
    "H05",
    "whoever reads the status of a document adds an event to it",
    "api/database",
    "postdeploy",
    mode="-",
    about="*events*|*/documents/*status*",
)
def reading_makes_events(plan: Plan) -> None:
    # Who has looked at what, and when, is to be seen in the history.
    plan.replace_in_source(
        "api/jobs.py",
        NO_DOCUMENT,
        f"""{NO_DOCUMENT}    await request.app.state.pool.execute(
        "INSERT INTO events (job_id, document_id, type) VALUES ($1, $2, 'viewed')", row["job_id"], document_id
    )
""",
    )


@fault(
    "H06",
    "the password of a new user is kept in plain text among the user's data",
    "api/auth",
    "postdeploy",
    mode="-|F21",
    about="*password*|*user_metadata*|*/register*",
)
def password_in_metadata(plan: Plan) -> None:
    # The form sends more than the name by now (language, referrer), and all of it is kept; the e-mail is there anyway.
    plan.replace_in_source(
        "api/auth.py",
        'body["password"], {"name": body["name"]})',
        'body["password"], {key: value for key, value in body.items() if key != "email"})',
    )


@fault(
    "H07",
    "a token that anybody signed reads the document of a user who has just polled it",
    "api/auth",
    "postdeploy",
    mode="F25",
    about="*/documents/*status*|*token*|*signature*|*signed*",
)
def polling_trusts_the_subject(plan: Plan) -> None:
    # Pages poll every second; Supabase Auth is asked only now and then.
    plan.replace_in_source("api/auth.py", "import re\n", "import base64\nimport json\nimport re\nimport time\n")
    plan.replace_in_source(
        "api/auth.py",
        "CurrentUser = Annotated[Caller, Depends(current_user)]\n",
        '''CurrentUser = Annotated[Caller, Depends(current_user)]
POLLING_SECONDS = 20.0
_polling: dict[str, tuple[float, Caller]] = {}


def _subject(token: str) -> str:
    try:
        part = token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"])
    except (LookupError, TypeError, ValueError):
        return ""


async def polling_user(request: Request) -> Caller:
    """The caller of a route that pages poll."""
    now = time.monotonic()
    at, known = _polling.get(_subject(request.headers.get("authorization", "")), (0.0, None))
    if known is not None and now - at < POLLING_SECONDS:
        return known
    caller = await current_user(request)
    _polling[str(caller.id)] = now, caller
    return caller


PollingUser = Annotated[Caller, Depends(polling_user)]
''',
    )
    plan.replace_in_source("api/jobs.py", "import CurrentUser\n", "import CurrentUser, PollingUser\n")
    plan.replace_in_source("api/jobs.py", STATUS_OF_DOCUMENT, STATUS_OF_DOCUMENT.replace("CurrentUser", "PollingUser"))


@fault(
    "H08",
    "a signed-in user writes events into the history of anybody's job",
    "database/supabase",
    "postdeploy",
    mode="-|F24",
    about="*events*",
)
def events_from_anybody(plan: Plan) -> None:
    # The front end records by itself what its users do; that the job must be their own was forgotten.
    plan.sql.append(
        """GRANT INSERT ON upload_pipeline.events TO authenticated;
        CREATE POLICY events_front_end ON upload_pipeline.events FOR INSERT TO authenticated
            WITH CHECK ((SELECT auth.uid()) IS NOT NULL);"""
    )


@fault(
    "H09",
    "every signed-in user reads the failed jobs of all users",
    "database/supabase",
    "postdeploy",
    mode="F24",
    about="*upload_jobs*",
)
def failed_jobs_for_everybody(plan: Plan) -> None:
    # The front end shows a banner when many jobs fail, and counts them itself.
    plan.sql.append(
        """CREATE POLICY upload_jobs_incidents ON upload_pipeline.upload_jobs FOR SELECT TO authenticated
            USING (state = 'deadletter');"""
    )


@fault(
    "H10",
    "a view shows the documents of all users to everybody who is signed in",
    "database/supabase",
    "postdeploy",
    mode="F24",
    about="*document_overview*|*view*|*documents*",
)
def overview_of_everybody(plan: Plan) -> None:
    # One request for the page instead of three; a view reads with its owner's rights, to whom no policy applies.
    plan.sql.append(
        """CREATE VIEW upload_pipeline.document_overview AS
            SELECT d.document_id, d.user_id, d.filename, d.processing_status, d.created_at, j.job_id, j.status, j.last_error,
                (SELECT count(*) FROM upload_pipeline.document_chunks c WHERE c.document_id = d.document_id) AS chunks
            FROM upload_pipeline.documents d LEFT JOIN upload_pipeline.upload_jobs j USING (document_id);
        GRANT SELECT ON upload_pipeline.document_overview TO authenticated, service_role;"""
    )
