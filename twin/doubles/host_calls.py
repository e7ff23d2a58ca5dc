"""How a double has the running twin do what it accepted: a request to the twin's control, where it was started for drills."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

from twin.config import TwinConfig

URL, TOKEN = "HARNESS_DRILL_URL", "HARNESS_DRILL_TOKEN"
SECONDS = 60.0


class Host:
    """The control of the twin that a double belongs to; `is_there` says whether it has one."""

    def __init__(self, config: TwinConfig) -> None:
        self._url = config.operator_env.get(URL, "")
        self._token = config.operator_env.get(TOKEN, "")

    @property
    def is_there(self) -> bool:
        """Whether the twin was started for drills."""
        return bool(self._url)

    async def ask(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        """Have a release, a restart or a restore carried out; raises OSError where it was not."""
        return await asyncio.to_thread(self._post, what, body)

    def _post(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/{what}", json.dumps(body).encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as response:
                found: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            raise OSError(f"{what}: {error.code} {error.read()[:200]!r}") from error
        return found
