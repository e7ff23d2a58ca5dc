"""Headers that a vendor adds to each of its answers."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Headed:
    """Adds what `make` gives to each answer that does not have it."""

    def __init__(self, app: ASGIApp, make: Callable[[], dict[str, str]]) -> None:
        self._app = app
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._make().items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_headed if scope["type"] == "http" else send)
