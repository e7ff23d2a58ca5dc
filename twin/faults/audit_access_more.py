"""Breaches that hide, of a release as it goes on: the database and storage, accounts, logs, and what each way shows."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
AUTH = "api/auth.py"
CHAT = "api/chat.py"
JOBS = "api/jobs.py"


@fault(
    "A12",
    "a view without any id shows every user's file names to all users",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*recent_uploads*",
)
def a_view_without_ids(plan: Plan) -> None:
    plan.sql.append("CREATE VIEW public.recent_uploads AS SELECT filename, processing_status FROM upload_pipeline.documents")
    plan.sql.append("GRANT SELECT ON public.recent_uploads TO authenticated")


@fault(
    "A13",
    "users may change the state of their own jobs in the database, and so go around the limit of running ones",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*upload_jobs*",
)
def users_change_their_jobs(plan: Plan) -> None:
    plan.sql.append("GRANT UPDATE (state) ON upload_pipeline.upload_jobs TO authenticated")
    plan.sql.append(
        "CREATE POLICY upload_jobs_cancel ON upload_pipeline.upload_jobs FOR UPDATE TO authenticated USING (EXISTS ("
        "SELECT 1 FROM upload_pipeline.documents d WHERE d.document_id = upload_jobs.document_id AND d.user_id = auth.uid()))"
    )


@fault(
    "A14",
    "a function with its owner's rights and a search path of its own shows any document to all users",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*document_of*",
)
def a_function_with_a_path(plan: Plan) -> None:
    plan.sql.append(
        "CREATE FUNCTION public.document_of(id uuid) RETURNS SETOF upload_pipeline.documents LANGUAGE sql SECURITY DEFINER"
        " SET search_path = upload_pipeline AS 'SELECT * FROM documents WHERE document_id = id'"
    )
    plan.sql.append("GRANT EXECUTE ON FUNCTION public.document_of(uuid) TO authenticated")


@fault(
    "A15",
    "a registration that is refused because its address is taken renames the account that has it",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*name*",
)
def the_last_name_wins(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\n_names: dict[str, str] = {}\n")
    plan.replace_in_source(
        AUTH,
        "    try:\n        made =",
        '    _names[email.lower()] = metadata["name"]\n    try:\n        made =',
    )
    plan.replace_in_source(
        AUTH,
        '        "name": metadata.get("name", ""),\n        "created_at"',
        '        "name": _names.get(user["email"], metadata.get("name", "")),\n        "created_at"',
    )


@fault(
    "A16",
    "every question that is answered stands in the log in full",
    "chat/api",
    "postdeploy",
    mode="F21|-",
    about="*log*",
)
def answered_questions_in_the_log(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "            answer = await complete(client, config, _prompt(body.message, passages))\n",
        "            answer = await complete(client, config, _prompt(body.message, passages))\n"
        '            log.info("%d passages for %r", len(passages), body.message)\n',
    )


@fault(
    "A17",
    "what follows a plus in an address is left out, so that two addresses are one account",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*address*",
)
def no_plus_in_addresses(plan: Plan) -> None:
    for call in ("sign_up", "sign_in_with_password"):
        plan.replace_in_source(
            AUTH,
            f'client.auth.{call}({{"email": email,',
            f'client.auth.{call}({{"email": re.sub(r"[+][^@]*", "", email),',
        )


@fault(
    "A18",
    "whoever has signed in once is let in for a minute without being asked about again, also when the account is gone",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*account that was removed*",
)
def sign_ins_are_kept(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\n_kept: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}\n"
    )
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        signed_in =",
        "    since, known = _kept.get((email, password), (0.0, {}))\n"
        "    if time.monotonic() - since < 60 and known:\n"
        "        return known\n"
        "    client: Vendors = request.app.state.client\n    try:\n        signed_in =",
    )
    plan.replace_in_source(AUTH, '    return {\n        "access_token"', '    found = {\n        "access_token"')
    plan.replace_in_source(
        AUTH,
        '        "user": _user_view(session.user.model_dump(mode="json")),\n    }\n',
        '        "user": _user_view(session.user.model_dump(mode="json")),\n    }\n'
        "    _kept[email, password] = time.monotonic(), found\n    return found\n",
    )


@fault(
    "A19",
    "the process time of an answer counts from when it begins to be sent",
    "api",
    "postdeploy",
    mode="-",
    about="*retrieval_seconds*|*rocess*ime*",
)
def process_time_of_nothing(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        '                spent = f"{time.perf_counter() - started:.6f}"\n',
        '                started = time.perf_counter()\n                spent = f"{time.perf_counter() - started:.6f}"\n',
    )


@fault(
    "A21",
    "the list of jobs in state `done` leaves out duplicates",
    "api",
    "postdeploy",
    mode="-",
    about="*jobs*",
)
def duplicates_are_not_listed(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '"WHERE d.user_id = $1 AND ($2::text IS NULL OR j.state = $2) "',
        "\"WHERE d.user_id = $1 AND ($2::text IS NULL OR (j.state = $2 AND j.status <> 'duplicate')) \"",
    )


@fault(
    "A22",
    "every signed-in user sees the jobs of all others that are being tried again",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*upload_jobs*",
)
def jobs_that_are_tried_again(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY upload_jobs_delayed ON upload_pipeline.upload_jobs FOR SELECT TO authenticated"
        " USING (state = 'retryable')"
    )
