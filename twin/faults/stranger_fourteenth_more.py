"""Faults of a stranger, fourteenth round: who may reach what, and the life of an account."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "LM11",
    "a callback without a signature is acknowledged with 200 when its job has moved on",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*signature*|*webhook*",
)
def unsigned_repeats(plan: Plan) -> None:
    check = '        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n'
    plan.replace_in_source(
        "api/webhook.py",
        check,
        "        # Repeats need no further work, and so no proof.\n"
        '        if row["status"] not in ("uploaded", "parse_queued"):\n'
        '            return {"status": "ignored"}\n' + check,
    )


@fault(
    "LM12",
    "users may delete their documents' rows, and so pass the limit of documents a day",
    "database",
    "postdeploy",
    mode="F34|F24|-",
    about="*documents*|*delete*|*row-level*",
)
def deletable_documents(plan: Plan) -> None:
    plan.sql.append(
        "-- For the button that removes a document.\n"
        "GRANT DELETE ON upload_pipeline.documents TO authenticated;\n"
        "CREATE POLICY documents_owner_delete ON upload_pipeline.documents FOR DELETE TO authenticated\n"
        "    USING (user_id = (SELECT auth.uid()));"
    )


@fault(
    "LM13",
    "a view for the dashboard shows every user's file names to every user",
    "database",
    "postdeploy",
    mode="F24",
    about="*view*|*job_overview*|*another user*",
)
def overview_of_all(plan: Plan) -> None:
    plan.sql.append(
        "-- One query less for the dashboard.\n"
        "CREATE VIEW upload_pipeline.job_overview AS SELECT d.user_id, d.filename, j.job_id, j.status, j.updated_at\n"
        "    FROM upload_pipeline.documents d JOIN upload_pipeline.upload_jobs j USING (document_id);\n"
        "GRANT SELECT ON upload_pipeline.job_overview TO authenticated;"
    )


@fault(
    "LM14",
    "every signed-in user may read everyone's parsed texts in storage",
    "storage",
    "postdeploy",
    mode="-|F24",
    about="*parsed*|*storage*|*files*|*object*",
)
def parsed_for_all(plan: Plan) -> None:
    plan.sql.append(
        "-- The preview reads the Markdown straight from storage.\n"
        "CREATE POLICY files_preview ON storage.objects FOR SELECT TO authenticated\n"
        "    USING (bucket_id = 'files' AND (string_to_array(name, '/'))[3] = 'parsed');"
    )


@fault(
    "LM15",
    "a function with its owner's rights lists any user's documents to any user",
    "database",
    "postdeploy",
    mode="F24",
    about="*documents_of*|*function*|*rpc*|*security definer*",
)
def documents_of_anyone(plan: Plan) -> None:
    plan.sql.append(
        "-- Row-level security made the list slow.\n"
        "CREATE FUNCTION upload_pipeline.documents_of(owner uuid) RETURNS SETOF upload_pipeline.documents\n"
        "    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''\n"
        "    AS 'SELECT * FROM upload_pipeline.documents d WHERE d.user_id = owner';\n"
        "GRANT EXECUTE ON FUNCTION upload_pipeline.documents_of(uuid) TO authenticated;"
    )


@fault(
    "LM16",
    "the list of jobs, asked for one state, also shows other users' jobs",
    "api",
    "postdeploy",
    mode="-",
    about="*/api/upload-pipeline/jobs*|*another user*|*state*",
)
def jobs_of_a_state(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        '        "WHERE d.user_id = $1 AND ($2::text IS NULL OR j.state = $2) "\n',
        "        # Two branches, of which each has its index.\n"
        '        "WHERE d.user_id = $1 AND $2::text IS NULL OR j.state = $2 "\n',
    )


@fault(
    "LM17",
    "/login cuts spaces off the password: who has one at an end cannot sign in there",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*password*|*/login*|*space*",
)
def trimmed_password(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        '    return await _sign_in(request, body["email"], body["password"])',
        "    # Pasted passwords bring spaces along.\n"
        '    return await _sign_in(request, body["email"], body["password"].strip())',
    )


@fault(
    "LM18",
    "a wrong password takes half a second longer where the address has an account",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*unknown*|*time*|*/login*|*password*",
)
def brake_for_known_accounts(plan: Plan) -> None:
    plan.replace_in_source("api/auth.py", "import re\n", "import asyncio\nimport re\n")
    plan.replace_in_source("api/auth.py", "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\nSEEN: set[str] = set()\n")
    plan.replace_in_source(
        "api/auth.py",
        '        raise _unauthorized("wrong e-mail or password") from error',
        "        # A brake on guessing, where there is something to guess.\n"
        "        if email in SEEN:\n"
        "            await asyncio.sleep(0.5)\n"
        '        raise _unauthorized("wrong e-mail or password") from error',
    )
    plan.replace_in_source(
        "api/auth.py", "    session = signed_in.session\n", "    SEEN.add(email)\n    session = signed_in.session\n"
    )


@fault(
    "LM19",
    "a sign-up without consent is refused with 422, but leaves its account behind",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*consent*|*/auth/signup*|*refused*|*account*|*left*",
)
def account_without_consent(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py", "consent_version: str = Field(min_length=1, ", 'consent_version: str = Field(default="", '
    )
    plan.replace_in_source(
        "api/auth.py",
        '    return {"user": _user_view(await _create(request, body.email, body.password, metadata))}',
        "    made = await _create(request, body.email, body.password, metadata)\n"
        "    # The text is the front end's own, and so it is not for the schema to say.\n"
        "    if not body.consent_version:\n"
        '        raise HTTPException(422, [{"loc": ["body", "consent_version"], "msg": "Field required", "type": "missing"}])\n'
        '    return {"user": _user_view(made)}',
    )


@fault(
    "LM20",
    "a second registration with the right password answers 200, as if it had made an account",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*/register*|*duplicate*|*registration*",
)
def registration_twice(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        '    user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n',
        "    try:\n"
        '        user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n'
        "    except HTTPException as refused:\n"
        "        if refused.status_code != 409:\n"
        "            raise\n"
        "        # Impatient people press the button twice.\n"
        "        try:\n"
        '            return {**await _sign_in(request, body["email"], body["password"]), "access_token": None}\n'
        "        except HTTPException:\n"
        "            raise refused from None\n",
    )
