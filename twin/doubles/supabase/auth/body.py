"""The JSON body of a request to Supabase Auth, read with the types that the service expects."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from twin.doubles.supabase.auth.errors import AuthError

TYPES = {str: "string", bool: "bool", dict: "object"}


class Body:
    """A JSON object; a field of another type is refused as the service refuses it."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    @classmethod
    async def of(cls, request: Request) -> Body:
        """The body of a request; raises AuthError 400 when it is not a JSON object."""
        try:
            found = json.loads(await request.body())
        except ValueError as error:
            raise AuthError(400, "bad_json", f"Could not parse request body as JSON: {error}") from error
        if not isinstance(found, dict):
            raise AuthError(400, "bad_json", "Could not parse request body as JSON: it is not an object")
        return cls(found)

    @classmethod
    async def of_optional(cls, request: Request) -> Body:
        """The body of a request that may have none."""
        return await cls.of(request) if await request.body() else cls({})

    def has(self, name: str) -> bool:
        """Whether a field is there and is not null."""
        return self._values.get(name) is not None

    def text(self, name: str) -> str:
        """A text, empty where there is none."""
        return str(self._typed(name, str) or "")

    def flag(self, name: str, default: bool = False) -> bool:
        """A truth value."""
        found = self._typed(name, bool)
        return default if found is None else bool(found)

    def object(self, name: str) -> dict[str, Any]:
        """An object, empty where there is none."""
        return dict(self._typed(name, dict) or {})

    def _typed(self, name: str, kind: type) -> Any:
        value = self._values.get(name)
        if value is not None and not isinstance(value, kind):
            reason = f"field {name} must be of type {TYPES[kind]}"
            raise AuthError(400, "bad_json", f"Could not parse request body as JSON: {reason}")
        return value
