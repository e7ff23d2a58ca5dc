"""Values that satisfy a JSON schema, made of what a prompt holds; the tool that a prompt asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

from twin.doubles.vectors import COMMON_WORDS

NAME = re.compile(r"(?<![.!?:] )(?<!^)(?<!\n)\b[A-Z][\w'-]+(?: [A-Z][\w'-]+)*")
QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
WORD = re.compile(r"[a-z0-9]+")
FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "someone@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com",
}


class Filler:
    """Fills schemas from one prompt: its names, quotations and numbers, in order."""

    def __init__(self, prompt: str, root: Mapping[str, Any]) -> None:
        self._root = root
        self._prompt = prompt
        named = [*QUOTED.findall(prompt), *NAME.findall(prompt)]
        self._names: Iterator[str] = chain(named, repeat(named[0])) if named else repeat("")
        numbers = NUMBER.findall(prompt)
        self._numbers: Iterator[str] = chain(numbers, repeat(numbers[0])) if numbers else repeat("1")

    def value(self, schema: Any, name: str = "value") -> Any:
        """A value that the schema allows."""
        if not isinstance(schema, Mapping):
            return name
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._named(schema["enum"])
        kind = schema.get("type")
        if isinstance(kind, Sequence) and not isinstance(kind, str):
            kind = next((one for one in kind if one != "null"), "null")
        return self._of_kind(str(kind or ("object" if "properties" in schema else "string")), schema, name)

    def _named(self, allowed: Sequence[Any]) -> Any:
        lowered = self._prompt.lower()
        return next((one for one in allowed if isinstance(one, str) and one.lower() in lowered), allowed[0])

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        if reference := schema.get("$ref"):
            found: Any = self._root
            for step in str(reference).removeprefix("#").strip("/").split("/"):
                found = found.get(step, {}) if step else found
            return self._resolved(found) if found is not schema else {}
        for several in ("anyOf", "oneOf", "allOf"):
            if options := schema.get(several):
                chosen = next((one for one in options if one.get("type") != "null"), options[0])
                return self._resolved(chosen)
        return schema

    def _of_kind(self, kind: str, schema: Mapping[str, Any], name: str) -> Any:
        match kind:
            case "object":
                return {key: self.value(inner, key) for key, inner in (schema.get("properties") or {}).items()}
            case "array":
                return [self.value(schema.get("items", {}), name) for _ in range(max(1, schema.get("minItems", 1)))]
            case "integer" | "number":
                return self._bounded(kind, schema)
            case "boolean":
                return True
            case "null":
                return None
        return FORMATS.get(str(schema.get("format"))) or next(self._names) or name

    def _bounded(self, kind: str, schema: Mapping[str, Any]) -> float:
        number = float(next(self._numbers))
        number = max(number, schema.get("minimum", number))
        number = min(number, schema.get("maximum", number))
        return int(number) if kind == "integer" or number.is_integer() else number


def instance(schema: Mapping[str, Any], prompt: str) -> Any:
    """A value of the schema, with what the prompt names where it fits."""
    return Filler(prompt, schema).value(schema)


def arguments(schema: Mapping[str, Any] | None, prompt: str) -> dict[str, Any]:
    """Arguments for a tool with these parameters; optional ones are left out unless the prompt holds an allowed word."""
    schema = schema or {}
    required = schema.get("required")
    properties = schema.get("properties") or {}
    wanted = properties if required is None else {key: properties.get(key, {}) for key in required}
    value = instance({**schema, "type": "object", "properties": wanted}, prompt)
    return value if isinstance(value, dict) else {}


def asked_for(tools: Sequence[Mapping[str, Any]], prompt: str) -> Mapping[str, Any] | None:
    """The tool (name, description) that shares most words with the prompt, if any does."""
    asked = _content(prompt)

    def shared(tool: Mapping[str, Any]) -> int:
        text = f"{tool.get('name', '')} {tool.get('description') or ''}"
        return len(asked & _content(re.sub(r"([a-z])([A-Z])", r"\1 \2", text).replace("_", " ")))

    best = max(tools, key=shared, default=None)
    return best if best is not None and shared(best) else None


def _content(text: str) -> set[str]:
    return {word.removesuffix("s") for word in WORD.findall(text.lower())} - COMMON_WORDS - {"get", "current", "given"}


def compact(value: Any) -> str:
    """JSON as language models write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
