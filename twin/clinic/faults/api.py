"""Faults of the API: another release, or a change that should not have been made."""

from __future__ import annotations

from twin.clinic.changes import fault
from twin.clinic.plan import ClinicPlan


@fault("C09", "the previous release is still live", "api", "postdeploy", mode="-", about="*release commit*|*release version*")
def stale_release(plan: ClinicPlan) -> None:
    plan.extra_env["api"] = {"RELEASE_COMMIT": "0" * 40, "RELEASE_VERSION": "2.3.9"}


@fault("C10", "one route does not check the token", "auth/api", "postdeploy", mode="-", about="*/v2/clinics/{clinic_id}*")
def open_route(plan: ClinicPlan) -> None:
    route = '@router.get("/{clinic_id}", '
    plan.replace_in_source("directory/clinics.py", f"{route}dependencies=[Depends(require_token)], ", route)


@fault("C11", "a wrong token causes a 500", "auth/api", "postdeploy", mode="-", about="*token*|*/v2/clinics*")
def wrong_token_is_500(plan: ClinicPlan) -> None:
    plan.replace_in_source("directory/access.py", "raise HTTPException(401, ", "raise RuntimeError(")
    plan.replace_in_source("directory/access.py", ', headers={"WWW-Authenticate": "Bearer"})', ")")


@fault("C12", "/healthz shows the connection string", "api", "postdeploy", mode="-", about="*/healthz*")
def leaking_health(plan: ClinicPlan) -> None:
    plan.replace_in_source(
        "directory/status.py", '"checks": checks,', '"checks": checks,\n        "database": settings.database_url,'
    )


@fault("C13", "/healthz is served from a cache that never expires", "api", "postdeploy", mode="-", about="*health*")
def stale_health(plan: ClinicPlan) -> None:
    plan.replace_in_source("directory/status.py", "datetime.now(UTC).isoformat()", '"2026-03-04T09:00:00+00:00"')


@fault("C14", "the page size is not limited", "api", "postdeploy", mode="-", about="*GET /v2/clinics*|*limit *")
def unlimited_pages(plan: ClinicPlan) -> None:
    plan.replace_in_source("directory/clinics.py", "Query(ge=1, le=settings.max_page_size)", "Query(ge=1)")


@fault(
    "C15", "request bodies of any size are accepted", "api", "postdeploy", mode="-", about="*POST /v2/appointments*|*limit *"
)
def unlimited_bodies(plan: ClinicPlan) -> None:
    plan.replace_in_source("directory/application.py", "limit=settings.request_limit_bytes", "limit=2**40")


@fault("C16", "responses have no correlation id", "api", "postdeploy", mode="-", about="*X-Correlation-ID*")
def untraceable(plan: ClinicPlan) -> None:
    plan.replace_in_source(
        "directory/middleware.py", '                    (b"x-correlation-id", correlation.encode("latin-1")),\n', ""
    )
