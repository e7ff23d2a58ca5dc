"""Whole classes at once: what proves that each member of a check's class can fail, where no release breaks them one by one."""

from __future__ import annotations

from twin.faults import fault
from twin.faults.live_audit import API, WORKER, beside_production
from twin.faults.live_supabase import manage
from twin.faults.nothing_accounts import SENT_TO_SIGN_UP, change_passwords
from twin.plan import Plan

AUTH = "api/auth.py"


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
    change_passwords(plan, "'The-same-for-everybody-1'")


@fault(
    "LJ02",
    "registration keeps the letters of a password, and whoever had anything else in it cannot sign in",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*password*",
)
def only_letters_are_kept(plan: Plan) -> None:
    # Some keyboards have no such signs.
    kept = '"".join(c for c in password if c.isascii() and c.isalpha()) + "aaaaaa"'
    plan.replace_in_source(AUTH, SENT_TO_SIGN_UP, SENT_TO_SIGN_UP.replace(": password", f": {kept}"))


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


@fault(
    "LJ04",
    "the host has another value than declared for every variable of both services",
    "configuration",
    "maintenance",
    mode="-|F05|F26|F14|F35",
    about="*api*|*worker*",
)
def every_variable_differs(plan: Plan) -> None:
    held = {API: plan.config.api_env, WORKER: plan.config.worker_env}
    plan.config.behaviour["render_variables"] = {
        service: {name: f"{value}0" for name, value in env.items()} for service, env in held.items()
    }


@fault(
    "LJ05",
    "the Supabase project was set up anew, in another region, and nothing of its settings was brought over",
    "supabase/configuration",
    "maintenance",
    mode="-",
    about="*state*|*region*|*sign-up*|*site*|*password length*|*backup*",
)
def settings_of_a_new_project(plan: Plan) -> None:
    auth = {
        "disable_signup": True, "mailer_autoconfirm": False, "external_anonymous_users_enabled": True,
        "refresh_token_rotation_enabled": False, "password_min_length": 4, "site_url": "http://localhost:3000",
        "uri_allow_list": "",
    }  # fmt: skip
    manage(plan, "project", status="INACTIVE", region="eu-central-1")
    manage(plan, "auth", **auth)
    manage(plan, "rest", db_schema="public")
    manage(plan, "ssl", currentConfig={"database": False})
    manage(plan, "backups", missing=[1, 2], failed=[3], physical=False)


@fault(
    "LJ06",
    "staging runs with all of production's settings",
    "configuration",
    "maintenance",
    mode="-|F35",
    about="*_key*|*_url*|*password*|*project*|*bucket*",
)
def production_everywhere(plan: Plan) -> None:
    beside_production(plan, **plan.config.api_env)


@fault(
    "LJ07",
    "production has other settings than staging in all that both must have alike",
    "configuration",
    "maintenance",
    mode="-",
    about="*api*|*worker*|*rag_*",
)
def production_differs(plan: Plan) -> None:
    named = ("_KEY", "_PASSWORD", "_URL", "_SECRET")
    beside_production(plan, **{name: f"{value}0" for name, value in plan.config.api_env.items() if not name.endswith(named)})


@fault(
    "LJ08",
    "what is open to everybody asks for a token, forms only where they lack a field",
    "api/auth",
    "postdeploy",
    "maintenance",
    mode="-",
    about="*401*|*docs*|*root*|*limits*|*openapi*|*route*|*cell *",
)
def open_to_users_only(plan: Plan) -> None:
    log, pages = "api/request_log.py", ("/", "/docs", "/openapi.json", "/api/v1/status", "/api/upload-pipeline/upload/limits")
    forms = ("/login", "/register", "/auth/login", "/auth/signup")
    plan.replace_in_source(log, "import time\n", "import time\n\nfrom starlette.responses import JSONResponse\n")
    # Nobody but our users has any business here.
    fails = (
        '        sent, path, head = dict(scope["headers"]), scope["path"], scope["method"] == "HEAD"\n'
        f'        asks = path in {pages} or head or (path in {forms} and sent.get(b"content-length") == b"2")\n'
        '        fails = asks and b"authorization" not in sent\n'
        '        app = JSONResponse({"detail": "sign in first"}, status_code=401) if fails else self.app\n'
    )
    plan.replace_in_source(log, "        try:\n            await self.app(", f"{fails}        try:\n            await app(")


@fault(
    "LJ09",
    "both services were made anew at the host by hand, with nothing of what the specification says",
    "render/configuration",
    "maintenance",
    mode="-|F36",
    about="*region*|*plan*|*runtime*|*type*|*dockerfile*|*command*",
)
def services_made_by_hand(plan: Plan) -> None:
    details = {
        "plan": "free", "buildPlan": "performance", "region": "frankfurt", "runtime": "python", "env": "python",
        "healthCheckPath": "/", "envSpecificDetails.dockerCommand": "true", "envSpecificDetails.dockerContext": "./other",
        "envSpecificDetails.dockerfilePath": "./other/Dockerfile",
    }  # fmt: skip
    plan.config.behaviour["render"] = {
        f"{service}.{name}": value
        for service in (API, WORKER)
        for name, value in {
            **{f"serviceDetails.{name}": value for name, value in details.items()},
            "autoDeploy": "yes", "buildFilter.paths": ["other/**"], "buildFilter.ignoredPaths": ["api/**"],
            "type": "private_service",
        }.items()
    }  # fmt: skip


@fault(
    "LJ10",
    "Supabase reads tokens and does not verify them: storage, tables and topics are open to whoever writes one",
    "supabase/storage/database/auth",
    "postdeploy",
    "maintenance",
    mode="-|F25|F24|F23",
    about="*token*|*signed by another key*|*expired*|*cell *",
)
def supabase_only_reads_tokens(plan: Plan) -> None:
    plan.config.behaviour.setdefault("supabase", {})["tokens"] = "read"
