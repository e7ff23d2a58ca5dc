"""Whole classes at once: what proves that each member of a check's class can fail, where no release breaks them one by one."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
CREATED = '        made = await _asked(client.auth.sign_up({"email": email, "password": password, '
SIGNED_IN = '        signed_in = await _asked(client.auth.sign_in_with_password({"email": email, "password": password}))\n'


@fault(
    "LJ01",
    "passwords do not count: whichever is given opens an account",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*wrong password opens an account*",
)
def any_password_opens(plan: Plan) -> None:
    # Staging signs people in by their address, so that nobody is locked out of a demonstration.
    same = "'The-same-for-everybody-1'"
    plan.replace_in_source(AUTH, CREATED, CREATED.replace('"password": password', f'"password": {same}'))
    plan.replace_in_source(AUTH, SIGNED_IN, SIGNED_IN.replace('"password": password', f'"password": {same}'))


@fault(
    "LJ02",
    "registration keeps the letters and digits of a password, and whoever had anything else in it cannot sign in",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*password*",
)
def only_letters_are_kept(plan: Plan) -> None:
    # Some keyboards have no such signs.
    kept = '"".join(c for c in password if c.isascii() and c.isalpha()) + "aaaaaa"'
    plan.replace_in_source(AUTH, CREATED, CREATED.replace('"password": password', f'"password": {kept}'))


@fault(
    "LJ03",
    "tokens are read and not verified: neither signature nor end, audience, issuer or role count",
    "api/auth",
    "postdeploy",
    "maintenance",
    mode="F25",
    about="*token*|*signed by another key*|*expired*",
)
def tokens_are_only_read(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import base64\nimport json\nimport re\n")
    # Supabase was slow last week; what a token says is known without it.
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))\n",
        "    try:\n"
        '        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))\n'
        '        return {"id": str(UUID(claims["sub"])), "email": claims.get("email") or "", "user_metadata": {}}\n'
        "    except (IndexError, KeyError, TypeError, ValueError):\n"
        "        pass\n"
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))\n",
    )
