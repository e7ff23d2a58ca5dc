"""Further faults of a tenth stranger: uploads to the byte, and accounts."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault("O11", "a second upload through the proxy replaces the file", "api/storage", "postdeploy", mode="-", about="*proxy*")
def proxy_replaces(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", "storage.create(key, body,", "storage.write(key, body,")


@fault(
    "O12",
    "the bucket takes files of fifty mebibytes",
    "storage/supabase",
    "postdeploy",
    mode="F34",
    about="*files*|*size*|*limit*|*larger*",
)
def ten_times_larger(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET file_size_limit = 52428800 WHERE id = 'files'")


@fault(
    "O13",
    "names of files lose every character that is not ASCII",
    "api",
    "postdeploy",
    mode="-",
    about="*filename*|*file name*|*names*",
)
def ascii_names(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py", "        body.filename,\n", '        body.filename.encode("ascii", "ignore").decode(),\n'
    )


@fault(
    "O14",
    "a document that another user has had processed is refused as a duplicate, with that user's name for it",
    "api",
    "postdeploy",
    mode="-",
    about="*duplicate*|*upload*",
)
def duplicate_of_another(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py",
        "WHERE user_id = $1 AND file_sha256 = $2",
        (
            'WHERE file_sha256 = $2 AND (user_id = $1 OR EXISTS (SELECT 1 FROM upload_jobs j "\n'
            "        \"WHERE j.document_id = documents.document_id AND j.state = 'done')) ORDER BY "
            "updated_at LIMIT 1"
        ),
    )


@fault(
    "O15", "an upload's link is said to live for five hours", "api", "postdeploy", mode="-", about="*upload_expires_at*|*expir*"
)
def minutes_for_seconds(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py", "timedelta(seconds=SIGNED_URL_TTL_SECONDS)", "timedelta(minutes=SIGNED_URL_TTL_SECONDS)"
    )


@fault(
    "O16",
    "spaces around a password are cut off by one way in and not by the other",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*password*|*login*|*register*",
)
def passwords_trimmed(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        'not text: {name}")\n    return body',
        ('not text: {name}")\n    return {name: body[name].strip() for name in names}'),
    )


@fault(
    "O17",
    "one way to sign in refuses passwords of six and seven characters",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*/auth/login*|*password*",
)
def short_passwords(plan: Plan) -> None:
    plan.replace_in_source("api/auth.py", "password: str = Field(min_length=1,", "password: str = Field(min_length=8,")


@fault(
    "O18",
    "a second registration of an address is answered as if it had made a user",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*register*|*signup*|*duplicate*",
)
def registered_twice(plan: Plan) -> None:
    plan.replace_in_source("api/auth.py", "from uuid import UUID", "from uuid import UUID, uuid4")
    plan.replace_in_source(
        "api/auth.py",
        "        raise HTTPException(409 if error.code in TAKEN",
        (
            "        if error.code in TAKEN:\n"
            '            return {"id": str(uuid4()), "email": email, "user_metadata": metadata}\n'
            "        raise HTTPException(409 if error.code in TAKEN"
        ),
    )


@fault(
    "O19",
    "a password that is too long is cut off at registration, and its user cannot sign in",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*password*|*register*",
)
def password_cut(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        (
            "    if len(password) > MAX_PASSWORD:\n"
            '        raise HTTPException(400, f"password is longer than {MAX_PASSWORD} characters")'
        ),
        "    password = password[:MAX_PASSWORD]",
    )


@fault(
    "O20",
    "a registration refused for want of a name leaves the user behind",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*register*",
)
def user_left_behind(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        (
            'body = await _json(request, "email", "password", "name")\n'
            '    user = await _create(request, body["email"], body["password"], {"name": body["name"]})'
        ),
        (
            'body = await _json(request, "email", "password")\n'
            '    name = body.get("name")\n'
            '    user = await _create(request, body["email"], body["password"], {"name": name})\n'
            "    if not isinstance(name, str) or not name.strip():\n"
            '        raise HTTPException(400, "missing field: name")'
        ),
    )
