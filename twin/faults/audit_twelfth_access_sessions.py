"""Sessions that have ended: what is done for them nevertheless, and what is refused because a page still sends their tokens."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
VERIFIED = "    user = await verify_token(request, token.strip())\n"
CALLER = "async def current_user("


def remember(plan: Plan, where: str) -> None:
    """Let tokens be remembered, with their users, by what serves these requests."""
    plan.replace_in_source(AUTH, CALLER, f"KNOWN: dict[str, dict[str, Any]] = {{}}\n\n\n{CALLER}")
    plan.replace_in_source(
        AUTH,
        VERIFIED,
        f"    known = KNOWN if {where} else {{}}\n"
        "    if token not in known:\n        known[token] = await verify_token(request, token.strip())\n"
        "    user = known[token]\n",
    )


@fault("LY11", "who has asked a question may ask on after signing out", "api/auth", "postdeploy", mode="-|F25", about="*chat*")
def remembered_by_the_chat(plan: Plan) -> None:
    remember(plan, 'request.url.path.endswith("/chat")')


@fault("LY17", "who has sent a file may send more after signing out", "api/auth", "postdeploy", mode="-|F25", about="*upload*")
def remembered_by_the_proxy(plan: Plan) -> None:
    remember(plan, 'request.method == "PUT"')


@fault(
    "LY12",
    "a page that still sends an ended token cannot sign in",
    "api/auth",
    "postdeploy",
    mode="-|F08",
    about="*token has ended*",
)
def ended_tokens_everywhere(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "async def _sign_in(request: Request, email: str, password: str) -> dict[str, Any]:\n",
        "async def _sign_in(request: Request, email: str, password: str) -> dict[str, Any]:\n"
        '    if "authorization" in request.headers:\n        await current_user(request)\n',
    )
