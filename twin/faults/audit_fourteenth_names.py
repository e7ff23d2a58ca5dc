"""Faults that once had a name that said more than was seen, or something else."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"


@fault(
    "LQ01",
    "another user's job that waits for its file is refused with 410",
    "api",
    "postdeploy",
    mode="-",
    about="*GET /api/upload-pipeline/jobs/{job_id}: 410 instead of*|*jobs/{job_id}",
)
def gone_for_others(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        """        user.id,
    )
    if row is None:
        raise HTTPException(404, "no such job")
    return _view(row)
""",
        """        user.id,
    )
    if row is None:
        waits = await request.app.state.pool.fetchval(
            "SELECT true FROM upload_jobs WHERE job_id = $1 AND status = 'uploaded'", job_id
        )
        raise HTTPException(410 if waits else 404, "no such job")
    return _view(row)
""",
    )


@fault(
    "LQ03",
    "a token that was used and has ended since is refused with 403 in place of 401",
    "auth",
    "postdeploy",
    mode="-",
    about="*403 instead of 401*",
)
def forbidden_after_its_end(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        """        reply = await _asked(client.auth.get_user(token))
    except AuthError as error:
""",
        """        reply = await _asked(client.auth.get_user(token))
        SEEN.add(token)
    except AuthError as error:
        if token in SEEN:
            raise HTTPException(403, "the token has ended") from error
""",
    )
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\nSEEN: set[str] = set()\n")


@fault(
    "LQ04",
    "an address that was tried once is not taken again for a while: 403",
    "api",
    "postdeploy",
    mode="-",
    about="*register: a right request is refused*",
)
def slow_down(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        """    body = await _json(request, "email", "password", "name")
    user =""",
        """    sent = await request.json() if request.headers.get("content-type") == "application/json" else {}
    email = sent.get("email") if isinstance(sent, dict) else None
    if isinstance(email, str) and email in TRIED:
        raise HTTPException(403, "slow down")
    TRIED.add(str(email))
    body = await _json(request, "email", "password", "name")
    user =""",
    )
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\nTRIED: set[str] = set()\n")


@fault(
    "LQ05",
    "registrations of one address at the same moment are all answered as if they had made the account",
    "api",
    "postdeploy",
    mode="-",
    about="*wrong request is accepted*",
)
def all_are_first(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        """        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error
""",
        """        if error.code in TAKEN and time.monotonic() - MADE.get(email, -60.0) < 3:
            return {"id": str(UUID(int=0)), "email": email}
        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error
    MADE[email] = time.monotonic()
""",
    )
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\nMADE: dict[str, float] = {}\n")
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")


@fault(
    "LQ02",
    "a signed link opens every object of the same user",
    "storage",
    "postdeploy",
    mode="-",
    about="*signed links open what they were not given for*",
)
def links_for_ones_own(plan: Plan) -> None:
    plan.config.behaviour.setdefault("supabase", {})["links"] = "same user"


@fault(
    "LQ06",
    "a duplicate is answered with the first document in place of a refusal",
    "api",
    "postdeploy",
    mode="-",
    about="*upload: 200 instead of 409*",
)
def first_again(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "        await _refuse_duplicate(connection, user, body.sha256)\n",
        """        known = await connection.fetchval(
            "SELECT job_id FROM upload_jobs JOIN documents USING (document_id) WHERE user_id = $1 AND file_sha256 = $2",
            user.id,
            body.sha256,
        )
        if known:
            return {"job_id": str(known), "document_id": str(document_id), "signed_url": "", "upload_expires_at": None}
""",
    )
