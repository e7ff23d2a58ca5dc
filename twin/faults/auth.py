"""Faults of sign-in and of the tokens."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "F08",
    "any token failure returns 500",
    "auth",
    "postdeploy",
    about="*token*|*GET /me*|*must be refused*",
    log="*RuntimeError: invalid or expired token*",
)
def token_failure_is_500(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py", 'raise _unauthorized("invalid or expired token")', 'raise RuntimeError("invalid or expired token")'
    )


@fault("G07", "valid tokens are refused", "auth", "postdeploy", mode="F08", about="*token*")
def valid_token_refused(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py", "    assert reply is not None\n", '    raise _unauthorized("invalid or expired token")\n'
    )


@fault("F25", "tokens are read without verifying their signature", "auth", "postdeploy", about="*token*")
def unchecked_tokens(plan: Plan) -> None:
    lazy = (
        "    import base64\n    import json\n\n"
        "    try:\n"
        '        part = token.split(".")[1]\n'
        '        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))\n'
        '        return {"id": claims["sub"], "email": claims.get("email", ""), "user_metadata": {}}\n'
        "    except (IndexError, KeyError, ValueError) as error:\n"
        '        raise _unauthorized("not a token") from error\n'
    )
    ask = "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user("
    plan.replace_in_source("api/auth.py", ask, lazy + ask)


@fault(
    "G15",
    "login with a wrong password returns 500",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*POST /login*|*POST /auth/login*",
    log="*RuntimeError: wrong e-mail or password*",
)
def login_breaks(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py", 'raise _unauthorized("wrong e-mail or password")', 'raise RuntimeError("wrong e-mail or password")'
    )
