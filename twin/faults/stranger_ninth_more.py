"""Faults by another hand: uploads to the byte, and accounts (I11 to I20)."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
UPLOADS = "api/uploads.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "I11",
    "signed links take files that are a little larger than the limit",
    "storage/supabase",
    "postdeploy",
    mode="F34",
    about="*size*|*limit*|*5242880*|*MiB*|*signed*",
)
def bucket_takes_a_little_more(plan: Plan) -> None:
    # Room for what a multipart body adds, which storage does not count.
    plan.sql.append("UPDATE storage.buckets SET file_size_limit = 5500000 WHERE id = 'files'")


@fault(
    "I12",
    "the proxy refuses a file of exactly the published size",
    "api",
    "postdeploy",
    mode="-|F34",
    about="*upload-file-proxy*|*proxy*|*limit*|*size*",
)
def proxy_stops_at_the_limit(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "if len(body) > MAX_FILE_SIZE_BYTES:", "if len(body) >= MAX_FILE_SIZE_BYTES:")


@fault(
    "I13",
    "long file names in other scripts lose their ends",
    "api",
    "postdeploy",
    mode="-",
    about="*filename*|*file name*|*document_title*|*name*",
)
def names_are_cut_to_bytes(plan: Plan) -> None:
    # A header of the file's download holds so many bytes.
    plan.replace_in_source(
        UPLOADS,
        "        body.filename,\n        body.mime,",
        '        body.filename.encode()[:120].decode(errors="ignore"),\n        body.mime,',
    )


@fault(
    "I14",
    "documents whose files were not sent do not count as running jobs",
    "api",
    "postdeploy",
    mode="F34",
    about="*limit*|*running*|*concurrent*|*429*|*/upload*",
)
def waiting_jobs_do_not_run(plan: Plan) -> None:
    # People who had closed the page during an upload were told that two jobs were running.
    plan.replace_in_source(
        UPLOADS,
        "j.state IN ('queued', 'working', 'retryable')) AS running",
        "j.state IN ('queued', 'working', 'retryable')\n"
        "                      AND NOT (j.progress ? 'awaiting_upload')) AS running",
    )


@fault(
    "I15",
    "who registers the hash of another user's document gets its text without sending the file",
    "worker",
    "postdeploy",
    mode="-",
    about="*hash*|*sha256*|*never sent*|*another user*|*same content*",
)
def known_content_is_not_parsed_again(plan: Plan) -> None:
    # LlamaParse costs by the page, and many insured people upload the same brochure.
    plan.replace_in_source(
        WORKER,
        "from backend.shared.storage import Storage,",
        "from backend.shared.parsing import store_parsed\nfrom backend.shared.storage import Storage,",
    )
    plan.replace_in_source(
        WORKER,
        "        document = await self._document(job)\n        body = await self._raw(job, document)\n",
        "        document = await self._document(job)\n"
        "        known = await self.pool.fetchrow(\n"
        '            """SELECT k.user_id, k.document_id FROM documents k JOIN documents d USING (file_sha256)\n'
        "               WHERE d.document_id = $1 AND k.document_id <> $1 AND k.parsed_path IS NOT NULL\n"
        '               ORDER BY k.created_at LIMIT 1""",\n'
        '            job["document_id"],\n'
        "        )\n"
        "        if known:\n"
        '            text = await self.storage.read(object_key(known["user_id"], known["document_id"], "parsed"))\n'
        '            row = {"job_id": job["job_id"], "document_id": job["document_id"], "user_id": document["user_id"]}\n'
        "            async with self.queue.leases.holding(job) as connection:\n"
        "                await store_parsed(connection, self.storage, row, text.decode())\n"
        "            return\n"
        "        body = await self._raw(job, document)\n",
    )


@fault(
    "I16",
    "a refused sign-in tells whether the address is that of a user",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*login*|*sign-in*|*unknown address*|*wrong password*",
)
def sign_in_knows_its_users(plan: Plan) -> None:
    # Kinder to those who come back: it was the password.
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\nRETURNING: set[str] = set()\n")
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("wrong e-mail or password") from error\n',
        '        reason = "wrong password" if email.lower() in RETURNING else "wrong e-mail or password"\n'
        "        raise _unauthorized(reason) from error\n",
    )
    plan.replace_in_source(
        AUTH,
        '        raise HTTPException(503, "authentication service failed")\n    return {\n        "access_token"',
        '        raise HTTPException(503, "authentication service failed")\n'
        '    RETURNING.add(email.lower())\n    return {\n        "access_token"',
    )


@fault(
    "I17",
    "spaces around a password do not count at /register and /login",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*password*|*login*|*space*",
)
def passwords_are_trimmed(plan: Plan) -> None:
    # Addresses that were pasted with a space were refused; the same loop reads the passwords.
    plan.replace_in_source(
        AUTH,
        '            raise HTTPException(400, f"not text: {name}")\n',
        '            raise HTTPException(400, f"not text: {name}")\n        body[name] = body[name].strip()\n',
    )


@fault(
    "I18",
    "only the first 72 characters of a password count",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*password*|*72*",
)
def passwords_are_cut(plan: Plan) -> None:
    # Password managers make longer ones, and were refused; the hash does not use the rest.
    plan.replace_in_source(
        AUTH,
        "    if len(password) > MAX_PASSWORD:\n"
        '        raise HTTPException(400, f"password is longer than {MAX_PASSWORD} characters")\n',
        "    password = password[:MAX_PASSWORD]\n",
    )
    plan.replace_in_source(
        AUTH, "min_length=8, max_length=MAX_PASSWORD, pattern", "min_length=8, max_length=4 * MAX_PASSWORD, pattern"
    )
    plan.replace_in_source(
        AUTH,
        'sign_in_with_password({"email": email, "password": password})',
        'sign_in_with_password({"email": email, "password": password[:MAX_PASSWORD]})',
    )


@fault(
    "I19",
    "a sign-up that is refused for its consent leaves the account behind",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*signup*|*refused registration*|*consent*|*left behind*",
)
def consent_is_read_late(plan: Plan) -> None:
    # Consent is looked at where it will be stored one day, which is after the user was made.
    plan.replace_in_source(
        AUTH, "from dataclasses import dataclass\n", "from dataclasses import dataclass\nfrom datetime import datetime\n"
    )
    plan.replace_in_source(
        AUTH,
        '    return {"user": _user_view(await _create(request, body.email, body.password, metadata))}\n',
        "    user = await _create(request, body.email, body.password, metadata)\n"
        "    try:\n"
        "        datetime.fromisoformat(body.consent_timestamp)\n"
        "    except ValueError as error:\n"
        '        raise HTTPException(400, "consent_timestamp is not a time") from error\n'
        "    if not body.consent_version.strip():\n"
        '        raise HTTPException(400, "consent_version is empty")\n'
        '    return {"user": _user_view(user)}\n',
    )


@fault(
    "I20",
    "a second registration with the same password succeeds",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*register*|*duplicate*|*registration*",
)
def double_click_registers_once(plan: Plan) -> None:
    # A double click showed an error to people who had just registered.
    plan.replace_in_source(
        AUTH,
        '    user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n',
        "    try:\n"
        '        user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n'
        "    except HTTPException as refused:\n"
        "        if refused.status_code != 409:\n"
        "            raise\n"
        "        try:\n"
        '            known = await _sign_in(request, body["email"], body["password"])\n'
        "        except HTTPException:\n"
        "            raise refused from None\n"
        '        return {"access_token": None, "token_type": "bearer", "user": known["user"]}\n',
    )
