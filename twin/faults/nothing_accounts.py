"""Faults of accounts: what signing in, registering and signing out show, accept and leave."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
ROUTER = "router = APIRouter()\n"
IS_KNOWN = 'await request.app.state.pool.fetchval("SELECT true FROM auth.users WHERE email = lower($1)", email)'
WRONG = '        raise _unauthorized("wrong e-mail or password") from error\n'
ASKED_TO_SIGN_IN = "        signed_in = await _asked(client.auth.sign_in_with_password("
SENT_TO_SIGN_IN = '{"email": email, "password": password}))'
ASKED_TO_SIGN_UP = "        made = await _asked(client.auth.sign_up("
SENT_TO_SIGN_UP = '"password": password, "options"'
JUDGED = "    client: Vendors = request.app.state.client\n    try:\n" + ASKED_TO_SIGN_UP
AUTH_LOGIN = (
    '    """Sign in; the body is validated by its schema."""\n    return await _sign_in(request, body.email, body.password)\n'
)
REFUSED_TOKEN = '        raise _unauthorized("invalid or expired token") from error\n'
OWN_HASH = """    if {is_known}:
        await asyncio.to_thread(hashlib.pbkdf2_hmac, "sha256", password.encode(), b"the service's own", 250_000)
"""
SETS_PASSWORD = """        if error.code in TAKEN:
            config = request.app.state.config
            known = await request.app.state.pool.fetchval("SELECT id::text FROM auth.users WHERE email = lower($1)", email)
            await client.http.put(
                f"{config.supabase_url}/auth/v1/admin/users/{known}",
                json={"password": password},
                headers={"apikey": config.service_key, "Authorization": f"Bearer {config.service_key}"},
            )
"""
ENDED = """

def _subject(token: str) -> str:
    part = (token.split(".") + [""])[1]
    try:
        return str(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"])
    except (ValueError, KeyError, TypeError):
        return ""
"""


def _import(plan: Plan, *names: str) -> None:
    plan.replace_in_source(AUTH, "import re\n", "".join(f"import {name}\n" for name in (*names, "re")))


def change_passwords(plan: Plan, how: str) -> None:
    """The same change of a password where it is registered and where it is compared."""
    plan.replace_in_source(AUTH, SENT_TO_SIGN_IN, SENT_TO_SIGN_IN.replace(": password", f": {how}"))
    plan.replace_in_source(AUTH, SENT_TO_SIGN_UP, SENT_TO_SIGN_UP.replace(": password", f": {how}"))


@fault(
    "N89",
    "signing in with an unknown address returns 404",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*who has an account*login*",
)
def unknown_address_is_404(plan: Plan) -> None:
    known = f'        if not {IS_KNOWN}:\n            raise HTTPException(404, "no account has this address") from error\n'
    plan.replace_in_source(AUTH, WRONG, known + WRONG)


@fault(
    "N90",
    "a wrong password is refused with the same words as an unknown address, and with one header more, on one of two routes",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*who has an account*/auth/login*",
)
def header_of_a_known_address(plan: Plan) -> None:
    with_header = (
        '    """Sign in; the body is validated by its schema."""\n    email = body.email\n    try:\n'
        "        return await _sign_in(request, email, body.password)\n    except HTTPException as error:\n"
        f"        if error.status_code == 401 and {IS_KNOWN}:\n"
        '            error.headers = {**(error.headers or {}), "Retry-After": "1"}\n'
        "        raise\n"
    )
    plan.replace_in_source(AUTH, AUTH_LOGIN, with_header)


@fault(
    "N91",
    "the API compares the password itself first, where the address is known",
    "api/auth",
    "performance",
    mode="-",
    about="*who has an account*login*|*time*login*",
)
def time_of_a_known_address(plan: Plan) -> None:
    _import(plan, "asyncio", "hashlib")
    before = "    client: Vendors = request.app.state.client\n    try:\n" + ASKED_TO_SIGN_IN
    plan.replace_in_source(AUTH, before, OWN_HASH.format(is_known=IS_KNOWN) + before)


@fault(
    "N92",
    "passwords are cut after 64 characters, on both ways",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*wrong password opens an account*last character*|*wrong password opens*longest*",
)
def passwords_are_cut(plan: Plan) -> None:
    change_passwords(plan, "password[:64]")
    plan.replace_in_source(AUTH, "    if len(password) > MAX_PASSWORD:\n", "    if len(password) > 2 * MAX_PASSWORD:\n")


@fault(
    "NK01",
    "letters beyond ASCII are left out of passwords, on both ways",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*wrong password opens an account*ASCII*",
)
def passwords_lose_letters(plan: Plan) -> None:
    change_passwords(plan, 'password.encode("ascii", "ignore").decode()')


@fault(
    "N93",
    "registering an address again is refused, and sets its password",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*registering an address again changes*",
)
def registering_sets_the_password(plan: Plan) -> None:
    refused = "        raise HTTPException(409 if error.code in TAKEN"
    plan.replace_in_source(AUTH, refused, SETS_PASSWORD + refused)


@fault(
    "NK02",
    "an address with capital letters cannot sign in",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*cannot be used as it was registered*capital letters*|*cannot be used*letters of case*",
)
def capital_letters_are_refused(plan: Plan) -> None:
    spelled = '    if email != email.lower():\n        raise _unauthorized("wrong e-mail or password")\n'
    before = "    client: Vendors = request.app.state.client\n    try:\n" + ASKED_TO_SIGN_IN
    plan.replace_in_source(AUTH, before, spelled + before)


@fault(
    "N94",
    "a registration without a name is refused after the account was made",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*refused registration leaves*without a name*",
)
def refused_after_the_account(plan: Plan) -> None:
    plan.replace_in_source(AUTH, '"email", "password", "name")\n    user', '"email", "password")\n    user')
    plan.replace_in_source(AUTH, '{"name": body["name"]})\n', '{"name": body.get("name")})\n    await _json(request, "name")\n')


@fault(
    "NK03",
    "the service's own table of accounts is written before Supabase refuses the password",
    "api/auth/database",
    "postdeploy",
    mode="-",
    about="*refused registration leaves*password*",
)
def row_of_a_refused_registration(plan: Plan) -> None:
    plan.sql.append("CREATE SCHEMA accounts")
    plan.sql.append("CREATE TABLE accounts.profiles (email text PRIMARY KEY, created_at timestamptz DEFAULT now())")
    plan.sql.append("GRANT USAGE ON SCHEMA accounts TO staging_user; GRANT SELECT, INSERT ON accounts.profiles TO staging_user")
    insert = (
        "    await request.app.state.pool.execute(\n"
        '        "INSERT INTO accounts.profiles (email) VALUES (lower($1)) ON CONFLICT DO NOTHING", email\n    )\n'
    )
    plan.replace_in_source(AUTH, JUDGED, insert + JUDGED)


@fault(
    "N95",
    "the address is looked up before the account is made, and no index keeps it from standing twice",
    "api/auth/database",
    "postdeploy",
    mode="-",
    about="*one address becomes several accounts*",
)
def looked_up_first(plan: Plan) -> None:
    plan.sql.append("ALTER TABLE auth.users DROP CONSTRAINT users_email_key")
    _import(plan, "asyncio")
    # What is asked in between takes a moment, such as whether there is such a host of mail.
    known = f'    if {IS_KNOWN}:\n        raise HTTPException(409, "User already registered")\n    await asyncio.sleep(0.05)\n'
    plan.replace_in_source(AUTH, JUDGED, known + JUDGED)


@fault(
    "N96",
    "once a session was signed out, every token of its user is refused",
    "auth/api",
    "postdeploy",
    mode="F08",
    about="*token*|*valid tokens are refused*",
)
def signed_out_everywhere(plan: Plan) -> None:
    _import(plan, "base64", "json")
    plan.replace_in_source(AUTH, ROUTER, ROUTER + "ENDED: set[str] = set()\n")
    plan.replace_in_source(AUTH, "\n\nasync def verify_token(", ENDED + "\n\nasync def verify_token(")
    noted = '        if error.code == "session_not_found":\n            ENDED.add(_subject(token))\n'
    plan.replace_in_source(AUTH, REFUSED_TOKEN, noted + REFUSED_TOKEN)
    asked = "    try:\n        reply = await _asked(client.auth.get_user(token))\n"
    refused = '    if _subject(token) in ENDED:\n        raise _unauthorized("signed out")\n'
    plan.replace_in_source(AUTH, asked, refused + asked)


@fault(
    "NK04",
    "the token of a session that was signed out gets a 500",
    "auth/api",
    "postdeploy",
    mode="F08",
    about="*token*|*GET /me*",
)
def signed_out_breaks(plan: Plan) -> None:
    broken = '        if error.code == "session_not_found":\n            raise RuntimeError("no session") from error\n'
    plan.replace_in_source(AUTH, REFUSED_TOKEN, broken + REFUSED_TOKEN)
