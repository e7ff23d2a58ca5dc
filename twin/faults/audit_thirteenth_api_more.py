"""Tokens that nobody asks for, names whose ends are cut off, and pages in one form of two."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH, UPLOADS, WEBHOOK = "api/auth.py", "api/uploads.py", "api/webhook.py"


@fault(
    "LV09",
    "the limits are shown to nobody who still sends an ended token",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*limits*",
)
def limits_for_the_signed_in(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS, "from api.auth import Caller, CurrentUser", "from api.auth import Caller, CurrentUser, current_user"
    )
    plan.replace_in_source(
        UPLOADS,
        'async def limits() -> dict[str, Any]:\n    """The published limits."""\n',
        'async def limits(request: Request) -> dict[str, Any]:\n    """The published limits."""\n'
        '    if "authorization" in request.headers:\n        await current_user(request)\n',
    )


@fault("LV10", "nobody registers who still sends an ended token", "api/auth", "postdeploy", mode="-", about="*register*")
def registration_by_the_signed_in(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '    body = await _json(request, "email", "password", "name")\n',
        '    if "authorization" in request.headers:\n        await current_user(request)\n'
        '    body = await _json(request, "email", "password", "name")\n',
    )


@fault(
    "LV11", "a page without Markdown is stored without its plain text", "api/webhook", "postdeploy", mode="-", about="*parsed*"
)
def lost_plain_text(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK, 'str(page.get("md") or page.get("txt") or "")', 'str(page.get("md", page.get("txt")) or "")'
    )


@fault("LV12", "blanks at the ends of file names are cut off", "api/database", "postdeploy", mode="-", about="*filename*")
def trimmed_names(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "        body.filename,\n", "        body.filename.strip(),\n")


@fault("LV13", "nobody signs up who still sends an ended token", "api/auth", "postdeploy", mode="-", about="*signup*")
def sign_up_by_the_signed_in(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '    """Create a user who has given consent."""\n',
        '    """Create a user who has given consent."""\n'
        '    if "authorization" in request.headers:\n        await current_user(request)\n',
    )
