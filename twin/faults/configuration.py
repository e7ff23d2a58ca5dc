"""Faults of the environment: variables that are wrong or missing."""

from __future__ import annotations

import secrets

import jwt

from twin.faults import fault
from twin.plan import Plan


@fault(
    "F01",
    "LlamaParse key under the wrong name; the right one holds a placeholder",
    "llamaparse",
    "predeploy",
    "postdeploy",
    about="*LLAMAPARSE_API_KEY*|*documents*pars*",
    log="*llamaparse answered 401*",
    silent=("predeploy",),
)
def misnamed_llamaparse_key(plan: Plan) -> None:
    plan.set_worker("LLAMAPARSE_KEY", plan.config.llamaparse_key)
    plan.set_worker("LLAMAPARSE_API_KEY", "staging_llamaparse_key")


@fault(
    "F02",
    "chat has no valid API keys; the handler returns 200 with an apology",
    "chat/openai",
    "postdeploy",
    about="*OPENAI_API_KEY*|*ANTHROPIC_API_KEY*|*chat*",
    log="*openai answered 401*",
)
def chat_without_keys(plan: Plan) -> None:
    # Only the process lacks them: the declared environment still shows both.
    plan.extra_env["api"] = {"OPENAI_API_KEY": "revoked-openai-key-of-staging", "ANTHROPIC_API_KEY": ""}


@fault(
    "F03",
    "the worker uses the direct IPv6 host of the database",
    "worker",
    "predeploy",
    "postdeploy",
    about="*DATABASE_URL*|*worker*",
    log="*ConnectionRefusedError*|*OSError*",
)
def direct_database_host(plan: Plan) -> None:
    url = plan.config.worker_env["DATABASE_URL"]
    credentials = url.partition("//")[2].partition("@")[0]
    plan.set_worker("DATABASE_URL", f"postgresql://{credentials}@db.abcdefghijkl.supabase.co:5432/staging_db")
    # The address that the name resolves to, on which no server listens.
    unreachable = f"postgresql://{credentials}@[::1]:{plan.config.ports['postgres']}/staging_db"
    plan.extra_env["worker"] = {"DATABASE_URL": unreachable}


@fault("F05", "API and worker use different schemas", "configuration", "predeploy", about="*DATABASE_SCHEMA*")
def different_schemas(plan: Plan) -> None:
    plan.set_worker("DATABASE_SCHEMA", "upload_pipeline_old")


@fault(
    "F10",
    "the database password was rotated, but not in the worker",
    "database/worker",
    "predeploy",
    "postdeploy",
    about="*DATABASE_URL*|*SUPABASE_DB_PASSWORD*|*worker*",
    log="*password authentication failed*",
)
def rotated_password(plan: Plan) -> None:
    url = plan.config.worker_env["DATABASE_URL"].replace(plan.database_password, secrets.token_hex(16))
    plan.set_worker("DATABASE_URL", url)
    plan.set_worker("SUPABASE_DB_PASSWORD", url.partition("//")[2].partition("@")[0].partition(":")[2])


@fault(
    "F12",
    "the worker has a wrong public base URL: no callback arrives",
    "webhook/configuration",
    "predeploy",
    "postdeploy",
    about="*API_BASE_URL*|*callback*",
)
def wrong_base_url(plan: Plan) -> None:
    plan.set_worker("API_BASE_URL", "https://localhost:9")


@fault(
    "F14",
    "the worker lacks its service key and exits at start-up",
    "worker/configuration",
    "predeploy",
    "postdeploy",
    about="*SERVICE_ROLE_KEY*|*worker*",
    log="*missing environment variables*SERVICE_ROLE_KEY*",
)
def missing_service_key(plan: Plan) -> None:
    plan.set_worker("SUPABASE_SERVICE_ROLE_KEY", None)
    plan.set_worker("SERVICE_ROLE_KEY", None)


@fault(
    "G01",
    "the API lacks its anon key and exits at start-up",
    "api/configuration",
    "predeploy",
    "postdeploy",
    mode="F14",
    about="*SUPABASE_ANON_KEY*|*api does not accept connections*|*api is unavailable*",
    log="*missing environment variables*SUPABASE_ANON_KEY*",
)
def api_does_not_start(plan: Plan) -> None:
    plan.may_die = True
    plan.set_api("SUPABASE_ANON_KEY", None)


@fault(
    "F15",
    "the keys belong to another Supabase project",
    "supabase/configuration",
    "predeploy",
    about="*SUPABASE_ANON_KEY*|*SERVICE_ROLE_KEY*",
)
def foreign_project(plan: Plan) -> None:
    for name, role in (("SUPABASE_ANON_KEY", "anon"), ("SUPABASE_SERVICE_ROLE_KEY", "service_role")):
        claims = {"iss": "supabase", "ref": "other-project", "role": role, "exp": 4_000_000_000}
        plan.set_both(name, jwt.encode(claims, secrets.token_hex(32), algorithm="HS256"))
    plan.set_both("SERVICE_ROLE_KEY", plan.config.api_env["SUPABASE_SERVICE_ROLE_KEY"])


@fault(
    "F26",
    "DEBUG is on; log level and poll interval are wrong",
    "configuration",
    "predeploy",
    about="*DEBUG*|*LOG_LEVEL*|*WORKER_POLL_INTERVAL*",
)
def drift(plan: Plan) -> None:
    plan.set_both("DEBUG", "true")
    plan.set_api("LOG_LEVEL", "DEBUG")
    plan.set_worker("WORKER_POLL_INTERVAL", "60")


@fault("F35", "staging uses production's Supabase project", "configuration", "predeploy", about="*SUPABASE_URL*")
def production_url(plan: Plan) -> None:
    real = plan.config.api_env["SUPABASE_URL"]
    plan.extra_env |= {"api": {"SUPABASE_URL": real}, "worker": {"SUPABASE_URL": real}}
    plan.set_both("SUPABASE_URL", "https://navigator-production.supabase.co")
