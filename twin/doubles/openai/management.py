"""What a key of limited scope may not do: fine-tuning, and the organisation's own pages."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.openai.listing import page


async def nothing(request: Request) -> Response:
    """A page of a listing without entries."""
    return JSONResponse(page([], request))


# Path → the right that reading it takes.
PATHS = {
    "fine_tuning/jobs": "api.fine_tuning.jobs.read",
    "organization/users": "api.management.read",
    "organization/admin_api_keys": "api.management.read",
}
