"""Variants aimed at the checks of configuration, keys and the platform; each says what allows it."""

from __future__ import annotations

import jwt

from twin import environments, keys
from twin.plan import Plan
from twin.variants import variant
from twin.variants.platform import API

CONFIG = "backend/shared/config.py"
AUTH = "api/auth.py"
VERIFIED = '''async def verify_token(request: Request, token: str) -> dict[str, Any]:
    """The user whom a token of this project names; raises 401 for any other token."""
    import os

    import jwt

    try:
        claims = jwt.decode(
            token,
            os.environ["SUPABASE_JWT_SECRET"],
            algorithms=["HS256"],
            audience="authenticated",
            options={"require": ["exp", "sub", "email", "role"]},
        )
        user_id = str(UUID(claims["sub"]))
    except (jwt.PyJWTError, ValueError) as error:
        raise _unauthorized("invalid or expired token") from error
    if claims["role"] != "authenticated":
        raise _unauthorized("not a user's token")
    return {"id": user_id, "email": claims["email"], "user_metadata": claims.get("user_metadata")}


async def _verified_by_supabase('''


@variant("W07", "CORS_ORIGINS names the same origins in another order, with a blank behind each comma")
def origins_in_another_order(plan: Plan) -> None:
    """§1 CORS Configuration is a list of origins; neither the order nor the separator's width means anything."""
    origins = plan.config.api_env["CORS_ORIGINS"].split(",")
    plan.set_api("CORS_ORIGINS", ", ".join(reversed(origins)))


@variant("W08", "numbers and flags have the specified values in another notation: 0.30, 30.0, 5.0, False")
def other_notation(plan: Plan) -> None:
    """§1/§2 Environment Variables say values; the services read them as numbers and flags, to which these are the same."""
    plan.set_both("RAG_SIMILARITY_THRESHOLD", "0.30")
    plan.set_both("DEBUG", "False")
    plan.set_worker("WORKER_POLL_INTERVAL", "30.0")
    plan.set_worker("WORKER_RETRY_BASE_DELAY", "5.0")


@variant("W09", "the worker has no key of Anthropic, which only the chat of the API asks")
def anthropic_for_the_chat(plan: Plan) -> None:
    """§3: Anthropic is for chat completions, and optional."""
    plan.set_worker("ANTHROPIC_API_KEY", None)


@variant("W10", "there is no Anthropic at all: no key in any service")
def without_anthropic(plan: Plan) -> None:
    """§3: Anthropic is optional."""
    plan.set_both("ANTHROPIC_API_KEY", None)


@variant("W11", "the worker knows the address for callbacks by a variable of its own, and has no API_BASE_URL")
def own_callback_address(plan: Plan) -> None:
    """§2 Environment Variables list no API_BASE_URL for the worker; how it learns the webhook's URL is left open."""
    plan.set_worker("API_BASE_URL", None)
    plan.set_worker("WEBHOOK_BASE_URL", plan.config.url("api"))
    plan.replace_in_source(CONFIG, '    "API_BASE_URL",\n', "")
    plan.replace_in_source(CONFIG, '_text("API_BASE_URL")', '_text("API_BASE_URL", _text("WEBHOOK_BASE_URL"))')


@variant("W12", "API_BASE_URL ends with a slash")
def address_with_a_slash(plan: Plan) -> None:
    """§1 API_BASE_URL is blacked out in the specification: it is an address, and with a slash it is the same one."""
    plan.set_both("API_BASE_URL", plan.config.url("api") + "/")


def _set_keys(plan: Plan) -> None:
    for env in (plan.config.api_env, plan.config.worker_env, plan.config.operator_env):
        env |= environments.project_keys(plan.config)


@variant("W13", "the project's keys are JWTs that say their role and issuer only: no project, no expiry")
def keys_that_say_their_role(plan: Plan) -> None:
    """Contract, Auth: the keys are JWTs whose role is anon and service_role; no other claim is promised."""
    config = plan.config
    anon, service = (
        jwt.encode({"role": role, "iss": "supabase"}, config.jwt_secret, algorithm="HS256") for role in ("anon", "service_role")
    )
    config.anon_key, config.service_role_key = anon, service
    _set_keys(plan)


@variant("W14", "the anon key is publishable, the service-role key still a JWT")
def keys_of_both_kinds(plan: Plan) -> None:
    """Contract, Auth: both kinds are right; Supabase lets a project use either beside the other."""
    plan.config.anon_key = keys.opaque("publishable")
    _set_keys(plan)


@variant("W15", "the API verifies users' tokens itself, by signature, audience, role and expiry")
def verified_by_the_api(plan: Plan) -> None:
    """§6: Supabase JWT token validation; nobody promises that a right token is asked after its user each time."""
    plan.set_api("SUPABASE_JWT_SECRET", plan.config.jwt_secret)
    plan.replace_in_source(AUTH, "async def verify_token(", VERIFIED)


@variant("W16", "a later deploy was cancelled before it went live; the release before it is live, as it should be")
def cancelled_deploy(plan: Plan) -> None:
    """§7 asks for the release to be deployed, not for its deploy to be the newest that was ever begun."""
    plan.config.behaviour["render_cancelled"] = [API]
