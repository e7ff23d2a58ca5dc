"""A twin with drills as a stranger sees it: requests from outside, and documents that are handed in."""

import json
import os
import ssl
import time
from collections.abc import Callable
from typing import Any

import httpx

from fixtures.drills.control import Control
from twin.company import Person

Test = Callable[[], object]
PATIENCE = 4.0


class Drilled:
    """One twin by the operator's settings."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values
        self.control = Control(values["HARNESS_DRILL_URL"], values["HARNESS_DRILL_TOKEN"])
        self._trust = ssl.create_default_context(cafile=values["HARNESS_CA_FILE"])

    def ask(self, url: str, key: str = "", method: str = "GET", **more: Any) -> httpx.Response:
        """One request on a connection of its own, whose certificate is verified."""
        headers = ({"Authorization": f"Bearer {key}"} if key else {}) | more.pop("headers", {})
        with httpx.Client(verify=self._trust, timeout=PATIENCE) as client:
            return client.request(method, url, headers=headers, **more)

    def openai(self, path: str = "/models") -> httpx.Response:
        """A page of OpenAI's."""
        return self.ask(self.values["OPENAI_BASE_URL"] + path, self.values["OPENAI_API_KEY"])

    def llamaparse(self) -> httpx.Response:
        """The account's projects at LlamaParse."""
        return self.ask(self.values["LLAMAPARSE_BASE_URL"] + "/api/v1/projects", self.values["LLAMAPARSE_API_KEY"])

    def anthropic(self) -> httpx.Response:
        """Anthropic's models."""
        headers = {"anthropic-version": "2023-06-01"}
        return self.ask(self.values["ANTHROPIC_BASE_URL"] + "/v1/models", self.values["ANTHROPIC_API_KEY"], headers=headers)

    def supabase(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        """A request with the project's most powerful key."""
        key = self.values["SUPABASE_SERVICE_ROLE_KEY"]
        return self.ask(self.values["SUPABASE_URL"] + path, key, method, headers={"apikey": key}, **more)

    def storage(self) -> httpx.Response:
        """The project's buckets."""
        return self.supabase("/storage/v1/bucket")

    def auth(self) -> httpx.Response:
        """The project's users."""
        return self.supabase("/auth/v1/admin/users")

    def api(self, path: str) -> httpx.Response:
        """A page of the API."""
        return self.ask(self.values["API_BASE_URL"] + path)

    def health(self, part: str) -> str:
        """What the API says of one of the parts that it needs."""
        found = self.api("/health").json()["services"][part]
        return str(found if isinstance(found, str) else found["error"] or found["status"])

    def upload(self) -> str:
        """The job of a new user's document."""
        client = httpx.Client(base_url=self.values["API_BASE_URL"], verify=self._trust, timeout=30)
        with client:
            return Person(client, f"drilled-{os.urandom(4).hex()}").upload(int.from_bytes(os.urandom(3), "big"))


def until(test: Test, seconds: float = 20.0) -> None:
    """Wait until a test holds; raises AssertionError with the last of what it found."""
    end = time.monotonic() + seconds
    while True:
        try:
            found: object = test()
        except (httpx.TransportError, json.JSONDecodeError, KeyError) as error:
            found = error
        if found is True:
            return
        assert time.monotonic() < end, f"not within {seconds:g} s: {found!r}"
        time.sleep(0.1)
