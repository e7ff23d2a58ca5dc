"""Requests to Supabase and the models. A failure there is an error here, never an answer."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

from api.errors import ApiError
from api.settings import Settings

LOG = logging.getLogger("api.upstream")
QUICK = aiohttp.ClientTimeout(total=10)
PATIENT = aiohttp.ClientTimeout(total=60)


@dataclass(frozen=True)
class Reply:
    """A vendor's response."""

    status: int
    raw: bytes

    @property
    def data(self) -> dict[str, Any]:
        """Its JSON object, or an empty one."""
        try:
            value = json.loads(self.raw)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def failed(vendor: str, reply: Reply) -> ApiError:
    """What the caller learns of a vendor's refusal: who, and which status."""
    LOG.error("%s returned %s", vendor, reply.status)
    return ApiError(502, f"{vendor}_failed", f"{vendor} returned status {reply.status}")


class Upstream:
    """The vendors, by one client session."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.settings, self._session = settings, session

    async def _send(self, vendor: str, method: str, url: str, timeout: aiohttp.ClientTimeout = QUICK, **rest: Any) -> Reply:
        try:
            async with self._session.request(method, url, timeout=timeout, allow_redirects=False, **rest) as response:
                return Reply(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            LOG.error("%s: %s", vendor, type(error).__name__)
            raise ApiError(503, f"{vendor}_unavailable", f"{vendor} cannot be reached", Retry_After="5") from error

    async def auth(self, method: str, path: str, token: str | None = None, body: Any = None) -> Reply:
        """Supabase Auth, as the project's public client or as a user."""
        headers = {"apikey": self.settings.anon_key}
        # A publishable key is no token, so it stands in `apikey` alone.
        if token or self.settings.anon_key.count(".") == 2:
            headers["Authorization"] = f"Bearer {token or self.settings.anon_key}"
        return await self._send("auth", method, f"{self.settings.supabase_url}/auth/v1{path}", headers=headers, json=body)

    async def _storage(self, method: str, path: str, more: dict[str, str] | None = None, **rest: Any) -> Reply:
        key = self.settings.service_key
        headers = {"apikey": key, "Authorization": f"Bearer {key}", **(more or {})}
        url = f"{self.settings.storage_url}{quote(path)}"
        return await self._send("storage", method, url, PATIENT, headers=headers, **rest)

    async def store(self, key: str, content: bytes, mime: str, overwrite: bool = False) -> Reply:
        """Write an object of the bucket `files`."""
        more = {"Content-Type": mime, "x-upsert": "true" if overwrite else "false"}
        return await self._storage("POST", f"/object/{key}", more, data=content)

    async def signed_upload(self, key: str) -> str:
        """A URL that accepts one upload without a token."""
        reply = await self._storage("POST", f"/object/upload/sign/{key}", json={})
        if reply.status != 200 or not isinstance(url := reply.data.get("url"), str):
            raise failed("storage", reply)
        return f"{self.settings.storage_url}{url}"

    async def openai(self, path: str, body: Any) -> dict[str, Any]:
        """A call of OpenAI that succeeds, or ApiError."""
        headers = {"Authorization": f"Bearer {self.settings.openai_key}"}
        reply = await self._send("openai", "POST", f"{self.settings.openai_url}{path}", PATIENT, headers=headers, json=body)
        if reply.status != 200:
            raise failed("openai", reply)
        return reply.data

    async def probe(self, vendor: str, url: str, **headers: str) -> str:
        """`healthy`, or what is wrong with a vendor."""
        try:
            reply = await self._send(vendor, "GET", url, headers=headers)
        except ApiError as error:
            return f"error: {error.message}"
        return "healthy" if reply.status < 400 else f"error: status {reply.status}"
