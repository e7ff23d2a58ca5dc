"""Requests to vendors: each has a deadline and a fuse, and fails as a Trouble."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
from backend.workers.fuses import Fuse
from backend.workers.settings import Settings
from backend.workers.troubles import Resting, Trouble

ResultT = TypeVar("ResultT")
CONNECT_SECONDS = 5.0
LONGEST_WISH = 3600.0
# What reading an answer of another form raises.
UNFIT = (ValueError, TypeError, LookupError, AttributeError)


class Line:
    """The worker's way out."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._fuses: dict[str, Fuse] = {}
        # Deadlines are kept here, for the whole of an answer.
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(None, connect=CONNECT_SECONDS), follow_redirects=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(
        self, who: str, seconds: float, read: Callable[[httpx.Response], ResultT], method: str, url: str, **content: Any
    ) -> ResultT:
        """What `read` makes of the answer; raises Trouble. `who` is a service, or `service.part` with a fuse of its own."""
        fuse = self._fuses.setdefault(who, Fuse(who, self._settings.rest_seconds))
        service = who.replace(".", " ")
        if (left := fuse.seconds_to_rest()) > 0:
            raise Resting(service, "is left alone for a while: it failed several times in a row", wish=left)
        is_probe, is_well = fuse.begin(), None
        try:
            response = await self._send(service, seconds, method, url, content)
            is_well = response.status_code < 500 and response.status_code != 429
            if response.is_success:
                try:
                    return await asyncio.to_thread(read, response)
                except UNFIT as error:
                    is_well = False
                    raise Trouble(service, "sent an answer that cannot be read", response.status_code) from error
            raise _refusal(service, response)
        except Trouble as trouble:
            is_well = is_well if trouble.status else False
            raise
        finally:
            fuse.end(is_probe, is_well)

    async def _send(self, service: str, seconds: float, method: str, url: str, content: dict[str, Any]) -> httpx.Response:
        try:
            async with asyncio.timeout(self._settings.patience(seconds)):
                return await self._http.request(method, url, **content)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Trouble(service, "did not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Trouble(service, f"cannot be reached: {type(error).__name__}") from error


def _refusal(service: str, response: httpx.Response) -> Trouble:
    status = response.status_code
    if service.startswith("storage") and status == 400:
        # Storage sends most of its refusals as 400, and says in the body what they are.
        status = _status_in_body(response) or status
    return Trouble(service, f"answered {status}", status, _wish(response))


def _status_in_body(response: httpx.Response) -> int:
    try:
        return int(response.json()["statusCode"])
    except UNFIT:
        return 0


def _wish(response: httpx.Response) -> float:
    try:
        seconds = float(response.headers.get("retry-after", ""))
    except ValueError:
        return 0.0
    return min(max(0.0, seconds), LONGEST_WISH) if math.isfinite(seconds) else 0.0
