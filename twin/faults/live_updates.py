"""Faults of what was not updated in time, or not everywhere."""

from __future__ import annotations

import time

import jwt

from twin.faults import fault
from twin.plan import Plan

WEEK = 7 * 86400


@fault("LG01", "the worker's base image is out of support", "build", "maintenance", mode="-", about="*image worker*")
def old_image(plan: Plan) -> None:
    plan.replace_in_source("backend/workers/Dockerfile", "FROM python:3.11-slim", "FROM python:3.9-slim")


@fault("LG02", "the service-role key ends in a week", "supabase", "maintenance", mode="-", about="*SUPABASE_SERVICE_ROLE_KEY*")
def ending_key(plan: Plan) -> None:
    config = plan.config
    config.service_role_key = ending_in(plan, config.service_role_key, WEEK)


@fault(
    "LG03",
    "one of two instances has lost its OpenAI key",
    "openai",
    "maintenance",
    mode="-",
    about="*openai*|*field status of GET /health*",
)
def sick_instance(plan: Plan) -> None:
    plan.replace_in_source(
        "api/health.py",
        '        body = _cache["body"]\n',
        '        body = _cache["body"]\n'
        '        _cache["turn"] = not _cache.get("turn", False)\n'
        '        if _cache["turn"]:\n'
        '            services = body["services"] | {"openai": "error: status 401"}\n'
        '            body = body | {"status": "degraded", "services": services}\n'
        "        return JSONResponse(body)\n",
    )


def ending_in(plan: Plan, key: str, seconds: int) -> str:
    """A key of the project with another end, which stands in its place in all environments."""
    config = plan.config
    claims = jwt.decode(key, options={"verify_signature": False}) | {"exp": int(time.time()) + seconds}
    new = jwt.encode(claims, config.jwt_secret, algorithm="HS256")
    for env in (config.api_env, config.worker_env, config.operator_env):
        env |= {name: new for name, value in env.items() if value == key}
    return new
