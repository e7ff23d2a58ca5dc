"""Faults of TLS, CORS and hosts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twin.faults import fault
from twin.plan import Plan


@fault(
    "F20",
    "a CORS origin of the staging front end is missing",
    "network",
    "postdeploy",
    about="*origin https://staging-app.accessa.ai*",
)
def missing_origin(plan: Plan) -> None:
    origins = plan.config.api_env["CORS_ORIGINS"].split(",")
    plan.extra_env["api"] = {"CORS_ORIGINS": ",".join(origins[:1] + origins[2:])}


@fault("G22", "every CORS origin is allowed", "network", "postdeploy", mode="F20", about="*origin *|*web pages*")
def every_origin(plan: Plan) -> None:
    plan.replace_in_source("api/application.py", "allow_origins=list(config.cors_origins)", 'allow_origin_regex=".*"')


@fault("F32", "the TLS certificate is expired", "network", "postdeploy", about="*certificate*")
def expired_certificate(plan: Plan) -> None:
    now = datetime.now(UTC)
    plan.certificate = lambda ca: ca.issue_cert(
        "localhost", "127.0.0.1", not_before=now - timedelta(days=60), not_after=now - timedelta(days=1)
    )


@fault("G23", "the TLS certificate is for another host", "network", "postdeploy", mode="F32", about="*certificate*")
def certificate_of_another_host(plan: Plan) -> None:
    plan.certificate = lambda ca: ca.issue_cert("elsewhere.example")


@fault("F33", "the Host header is not checked", "network", "postdeploy", about="*host *|*foreign hosts*")
def any_host(plan: Plan) -> None:
    plan.replace_in_source("api/application.py", "allowed_hosts=[*TRUSTED_HOSTS, own_host]", 'allowed_hosts=["*"]')


@fault(
    "G25",
    "the host serves its maintenance page with status 200",
    "api",
    "postdeploy",
    "performance",
    mode="-",
    about="*instead of JSON*|*web page*",
)
def maintenance_page(plan: Plan) -> None:
    plan.config.behaviour["proxy"] = {"kind": "maintenance"}


@fault("G26", "a proxy returns 502 for one request in twenty", "network/api", "postdeploy", mode="-", about="*proxy*")
def occasional_502(plan: Plan) -> None:
    plan.config.behaviour["proxy"] = {"kind": "bad_gateway", "every": 20}


@fault(
    "G27",
    "one response in twenty stalls in the middle of its body",
    "api",
    "postdeploy",
    mode="-",
    about="*in the middle of its body*|*no complete answer*",
)
def stalled_bodies(plan: Plan) -> None:
    plan.config.behaviour["proxy"] = {"kind": "stall", "every": 20}


@fault("G28", "every response of the API takes 0.7 s longer", "api", "performance", mode="-", about="*too slow*|*target *")
def slow_api(plan: Plan) -> None:
    plan.config.behaviour["proxy"] = {"kind": "slow", "seconds": 0.7}


@fault("G29", "the API returns 500 for everything", "api", "postdeploy", "performance", mode="-", about="*endpoint *500*|*500*")
def broken_api(plan: Plan) -> None:
    plan.config.behaviour["proxy"] = {"kind": "error"}
