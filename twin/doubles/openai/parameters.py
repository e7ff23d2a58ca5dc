"""Parameters of a request, checked one by one; each refusal names the parameter and its code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request

from twin.doubles.openai.errors import RefusedError, missing

MAX_METADATA = 16
NAMES: Mapping[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def kind_of(value: Any) -> str:
    """The JSON type of a value, with its article."""
    return NAMES.get(type(value), "an unknown type")


async def object_of(request: Request) -> dict[str, Any]:
    """The request's JSON object; raises RefusedError."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise RefusedError("We could not parse the JSON body of your request; the API expects a JSON payload.") from None
    if not isinstance(body, dict):
        raise RefusedError(f"Invalid type for request body: expected an object, but got {kind_of(body)} instead.")
    return body


class Parameters:
    """The parameters of one request."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body

    def get(self, name: str, default: Any = None) -> Any:
        """The parameter, or the default when it is null or not there."""
        value = self._body.get(name)
        return default if value is None else value

    def only(self, known: Iterable[str]) -> None:
        """Refuse parameters that do not exist."""
        for name in self._body:
            if name not in known:
                raise RefusedError(f"Unknown parameter: '{name}'.", name, "unknown_parameter")

    def typed(self, name: str, *types: type, required: bool = False) -> Any:
        """The parameter when it is of one of the types."""
        value = self._body.get(name)
        if value is None:
            if required:
                raise missing(name)
            return None
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise mistyped(name, " or ".join(NAMES[one] for one in types), value)
        return value

    def number(self, name: str, least: float, most: float | None = None) -> float | None:
        """A decimal within its bounds."""
        value: float | None = self.typed(name, float, int)
        self._bounds(name, value, least, most, "decimal")
        return value

    def integer(self, name: str, least: int, most: int | None = None) -> int | None:
        """An integer within its bounds."""
        value: int | None = self.typed(name, int)
        self._bounds(name, value, least, most, "integer")
        return value

    @staticmethod
    def _bounds(name: str, value: float | None, least: float, most: float | None, kind: str) -> None:
        if value is None:
            return
        if value < least:
            word, sign, bound, code = "below minimum", ">=", least, f"{kind}_below_min_value"
        elif most is not None and value > most:
            word, sign, bound, code = "above maximum", "<=", most, f"{kind}_above_max_value"
        else:
            return
        message = f"Invalid '{name}': {kind} {word} value. Expected a value {sign} {bound}, but got {value} instead."
        raise RefusedError(message, name, code)

    def one_of(self, name: str, allowed: Sequence[str]) -> str | None:
        """A string out of a list."""
        value: str | None = self.typed(name, str)
        if value is not None and value not in allowed:
            raise unsupported(name, value, allowed)
        return value

    def array(self, name: str, most: int | None = None, least: int = 0) -> list[Any] | None:
        """An array of a length within bounds."""
        value: list[Any] | None = self.typed(name, list)
        if value is not None:
            sized(name, value, least, most)
        return value

    def stops(self, name: str = "stop") -> list[str]:
        """Stop sequences, given as one string or as up to four."""
        value = self.typed(name, str, list)
        if isinstance(value, str):
            return [value]
        sized(name, value or [], 0, 4)
        return list(value or [])

    def metadata(self) -> dict[str, str] | None:
        """Up to sixteen pairs of strings."""
        value: dict[str, Any] | None = self.typed("metadata", dict)
        for key, one in (value or {}).items():
            if not isinstance(one, str):
                raise mistyped(f"metadata.{key}", "a string", one)
        if value is not None and len(value) > MAX_METADATA:
            message = f"Invalid 'metadata': too many properties. Expected at most {MAX_METADATA}, but got {len(value)}."
            raise RefusedError(message, "metadata", "object_above_max_properties")
        return value


def sized(name: str, value: Sequence[Any], least: int, most: int | None) -> None:
    """Refuse an array that is too short or too long."""
    if least and not value:
        expected = f"Expected an array with minimum length {least}, but got an empty array instead."
        raise RefusedError(f"Invalid '{name}': empty array. {expected}", name, "empty_array")
    if most is not None and len(value) > most:
        expected = f"Expected an array with maximum length {most}, but got an array with length {len(value)} instead."
        raise RefusedError(f"Invalid '{name}': array too long. {expected}", name, "array_above_max_length")


def mistyped(name: str, wanted: str, value: Any, param: str | None = None) -> RefusedError:
    """A value of another type than the wanted one."""
    message = f"Invalid type for '{name}': expected {wanted}, but got {kind_of(value)} instead."
    return RefusedError(message, param or name, "invalid_type")


def unsupported(name: str, value: Any, allowed: Sequence[str]) -> RefusedError:
    """A value that is none of the allowed ones."""
    listed = ", ".join(f"'{one}'" for one in allowed)
    return RefusedError(f"Invalid value: '{value}'. Supported values are: {listed}.", name, "invalid_value")
