"""The Bearer token that every route of the directory asks for."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

SCHEME = HTTPBearer(auto_error=False)


async def require_token(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(SCHEME)]
) -> None:
    """Raises 401 with WWW-Authenticate when the request does not carry the directory's token."""
    expected: str = request.app.state.settings.token
    if given is None or not hmac.compare_digest(given.credentials.encode(), expected.encode()):
        raise HTTPException(401, "missing or wrong token", headers={"WWW-Authenticate": "Bearer"})
