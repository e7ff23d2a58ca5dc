"""Faults of Render's description of the services."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "F36",
    "plan, region, auto-deploy and health path differ from the specification",
    "render",
    "predeploy",
    about="*plan*|*region*|*auto_deploy*|*health_check_path*",
)
def other_settings(plan: Plan) -> None:
    plan.config.behaviour["render"] = {
        "srv-twinapi.serviceDetails.plan": "free",
        "srv-twinapi.serviceDetails.healthCheckPath": "/",
        "srv-twinworker.serviceDetails.region": "frankfurt",
        "srv-twinworker.autoDeploy": "yes",
    }


@fault(
    "G24",
    "the Dockerfile exposes another port and starts another command",
    "build",
    "predeploy",
    mode="-",
    about="*image api*|*Dockerfile*",
)
def other_dockerfile(plan: Plan) -> None:
    plan.replace_in_source("Dockerfile", "EXPOSE 8000", "EXPOSE 8080")
    plan.replace_in_source("Dockerfile", '"--workers", "1"', '"--workers", "4"')


@fault(
    "G42",
    "the checkout is not the release: it is another repository",
    "build",
    "predeploy",
    mode="-",
    about="*image api*|*image worker*|*checkout*|*repository*",
)
def foreign_checkout(plan: Plan) -> None:
    elsewhere = plan.source.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "README.md").write_text("Another project.\n")
    plan.config.operator_env["HARNESS_SOURCE_TREE"] = str(elsewhere)
