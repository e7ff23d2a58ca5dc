"""Headers that hold what no header is expected to hold."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION, AUTH = "api/application.py", "api/auth.py"


@fault("LV14", "a token beyond ASCII breaks", "api/auth", "postdeploy", mode="-|F08", about="*/me*")
def odd_tokens(plan: Plan) -> None:
    plan.replace_in_source(AUTH, " or not token.strip() or not token.isascii():", " or not token.strip():")


@fault("LV15", "an id of a request that is not ASCII breaks it", "api", "postdeploy", mode="-", about="*/me*")
def odd_request_ids(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION, '.get(b"x-request-id", b"").decode("latin-1")', '.get(b"x-request-id", b"").decode("ascii")'
    )
