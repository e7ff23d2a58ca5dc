"""Breaches that hide: in one state, by one way, in one field, for one kind of user."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
AUTH = "api/auth.py"
CHAT = "api/chat.py"
JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"


@fault(
    "A01",
    "a job that has not failed is shown without the field last_error",
    "api",
    "postdeploy",
    mode="-",
    about="*last_error*|*jobs*",
)
def empty_fields_are_left_out(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '        raise HTTPException(404, "no such job")\n    return _view(row)\n\n\n@router.get("/api/upload-pipeline/jobs")',
        '        raise HTTPException(404, "no such job")\n'
        "    return {name: value for name, value in _view(row).items() if value is not None}\n\n\n"
        '@router.get("/api/upload-pipeline/jobs")',
    )


@fault(
    "A02",
    "GET /me refuses a token that has ended or is false without naming the scheme",
    "auth/api",
    "postdeploy",
    mode="-|F08",
    about="*WWW-Authenticate*",
)
def no_challenge_for_a_false_token(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("invalid or expired token") from error\n',
        '        raise HTTPException(401, "invalid or expired token") from error\n',
    )


@fault(
    "A03",
    "refusals of requests by the front end's pages do not allow their origin, so that no page can read them",
    "network/api",
    "postdeploy",
    mode="F20|-",
    about="*origin*",
)
def refusals_without_cors(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        '                message["headers"] = [\n                    *message["headers"],\n',
        '                shown = message["status"] < 400\n'
        '                message["headers"] = [\n'
        '                    *(h for h in message["headers"] if shown or h[0] != b"access-control-allow-origin"),\n',
    )


@fault(
    "A04",
    "a name keeps only its letters of ASCII when its user registers",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*name*",
)
def names_in_ascii(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        'body["password"], {"name": body["name"]})',
        'body["password"], {"name": body["name"].encode("ascii", "ignore").decode()})',
    )
