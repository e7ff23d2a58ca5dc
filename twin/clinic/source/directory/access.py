"""The Bearer token that every route of the directory requires."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

# Refusals as openapi.json describes them; every route of the directory may return them.
Responses = dict[int | str, dict[str, str]]
REFUSALS: Responses = {
    400: {"description": "The Host header or the body cannot be read"},
    401: {"description": "The token is missing or wrong"},
    413: {"description": "The body is too large"},
}
SCHEME = HTTPBearer(auto_error=False)


async def require_token(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(SCHEME)]) -> None:
    """Raises 401 with WWW-Authenticate when the request does not carry the directory's token."""
    expected: str = request.app.state.settings.token
    if given is None or not hmac.compare_digest(given.credentials.encode(), expected.encode()):
        raise HTTPException(401, "missing or wrong token", headers={"WWW-Authenticate": "Bearer"})
