"""The answers that the clients receive, held against the vendor's own description of its API."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import httpx2
import schemathesis
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.transport import Response

DESCRIPTIONS = Path(__file__).parent / "descriptions"
# Where each description's paths begin in the vendor's URLs.
ROOTS = {"supabase-auth": "/auth/v1", "openai": "/v1"}
JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """One answer of a vendor that has a description: which one, how it was asked, and the answer."""

    description: str
    method: str
    path: str
    response: Response


@cache
def _described(name: str) -> Any:
    document = json.loads((DESCRIPTIONS / f"{name}.json").read_text())
    return schemathesis.openapi.from_dict(document)


@cache
def _templates(name: str) -> list[tuple[re.Pattern[str], str]]:
    """The description's paths as patterns, those without parameters first."""
    paths = sorted(_described(name).raw_schema["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))), path) for path in paths]


def problems(answer: Answer) -> list[str]:
    """What the vendor's description does not allow in an answer; nothing for an operation that it does not have."""
    for pattern, path in _templates(answer.description):
        if not pattern.fullmatch(answer.path):
            continue
        try:
            _described(answer.description)[path][answer.method].validate_response(answer.response)
        except LookupError:
            return []
        except (Failure, FailureGroup) as found:
            failures = found.exceptions if isinstance(found, FailureGroup) else [found]
            return [f"{answer.method} {path} {answer.response.status_code}: {failure}" for failure in failures]
        return []
    return []


@dataclass
class Recorder:
    """Collects the answers of one case."""

    roots: dict[str, str] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)

    def knows(self, base_url: str, description: str) -> None:
        """Answers below this base URL belong to this description."""
        self.roots[base_url] = description

    def record(self, response: httpx.Response | httpx2.Response) -> None:
        """A hook of the clients: keep an answer that a description may be asked about."""
        url = str(response.request.url)
        name = next((description for base, description in self.roots.items() if url.startswith(f"{base}/")), None)
        if name is None or not response.headers.get("content-type", "").startswith(JSON):
            return
        response.read()
        base = next(base for base in self.roots if url.startswith(f"{base}/"))
        path = urlsplit(url).path.removeprefix(urlsplit(base).path)
        self.answers.append(Answer(name, response.request.method, path, Response.from_any(response)))
