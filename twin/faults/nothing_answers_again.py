"""Faults of what answers allow others to keep: caches, cookies, headers."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
JOBS = "api/jobs.py"


@fault(
    "N31",
    "the listing of a user's jobs may be kept for a minute by whatever cache is in front",
    "api",
    "postdeploy",
    mode="-",
    about="*cache*|*jobs*",
)
def listing_in_a_shared_cache(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(
        JOBS, "    request: Request,\n    limit:", "    request: Request,\n    response: Response,\n    limit:"
    )
    plan.replace_in_source(
        JOBS,
        '    """The caller\'s jobs, newest first."""\n',
        '    """The caller\'s jobs, newest first."""\n    response.headers["CDN-Cache-Control"] = "max-age=60"\n',
    )


@fault(
    "N32",
    "answers to who the caller is may be kept by shared caches, as long as they are fresh",
    "api",
    "postdeploy",
    mode="-",
    about="*cache*|*/me*|*/auth/user*",
)
def me_in_a_shared_cache(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "HTTPException, Request\n", "HTTPException, Request, Response\n")
    plan.replace_in_source(
        AUTH,
        'async def me(user: CurrentUser) -> dict[str, Any]:\n    """The signed-in user."""\n',
        'async def me(user: CurrentUser, response: Response) -> dict[str, Any]:\n    """The signed-in user."""\n'
        '    response.headers["Cache-Control"] = "max-age=120, must-revalidate"\n',
    )


@fault(
    "N33",
    "a sign-in by the second way sets a cookie that scripts may read",
    "api",
    "postdeploy",
    mode="-",
    about="*cookie*|*Set-Cookie*",
)
def cookie_for_scripts(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "HTTPException, Request\n", "HTTPException, Request, Response\n")
    plan.replace_in_source(
        AUTH,
        "async def auth_login(body: SignIn, request: Request) -> dict[str, Any]:\n"
        '    """Sign in; the body is validated by its schema."""\n',
        "async def auth_login(body: SignIn, request: Request, response: Response) -> dict[str, Any]:\n"
        '    """Sign in; the body is validated by its schema."""\n'
        '    response.set_cookie("last_seen", "1", secure=True)\n',
    )


@fault(
    "N34",
    "refusals of a token take back that browsers are to stay with https",
    "api",
    "postdeploy",
    mode="-",
    about="*Strict-Transport-Security*",
)
def refusal_takes_https_back(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        'headers={"WWW-Authenticate": "Bearer"}',
        'headers={"WWW-Authenticate": "Bearer", "Strict-Transport-Security": "max-age=0"}',
    )
