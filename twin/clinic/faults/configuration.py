"""Faults of the environment and of the build."""

from __future__ import annotations

from twin.clinic.changes import fault
from twin.clinic.plan import ClinicPlan


@fault(
    "C06",
    "the page size and the log format differ from the specification",
    "configuration",
    "predeploy",
    "postdeploy",
    mode="-",
    about="*MAX_PAGE_SIZE*|*LOG_FORMAT*|*GET /v2/clinics*",
)
def other_variables(plan: ClinicPlan) -> None:
    plan.env |= {"MAX_PAGE_SIZE": "500", "LOG_FORMAT": "text"}


@fault(
    "C07", "the directory's token is a placeholder", "configuration/auth", "predeploy", mode="-", about="*DIRECTORY_API_TOKEN*"
)
def placeholder_token(plan: ClinicPlan) -> None:
    plan.env["DIRECTORY_API_TOKEN"] = "your-directory-token-changeme-before-release"


@fault(
    "C08", "the Dockerfile starts the service on another port", "build", "predeploy", mode="-", about="*image *|*Dockerfile*"
)
def other_dockerfile(plan: ClinicPlan) -> None:
    plan.replace_in_source("Dockerfile", "EXPOSE 8080", "EXPOSE 8000")
    plan.replace_in_source("Dockerfile", '"--port", "8080"', '"--port", "8000"')
