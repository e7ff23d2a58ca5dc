"""The control's HTTP API, on loopback, for those who know its token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.control.kinds import Unknown
from twin.doubles.web import bearer, same
from twin.processes import TwinError

# What a part that does not do as it is told raises.
FAILURES = (TwinError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
Handler = Callable[[Request], Awaitable[Response]]


class Controlled(Protocol):
    """What the API serves."""

    token: str

    async def begin(self, body: Any) -> dict[str, Any]:
        """Carry out a request; raises Unknown."""

    async def lift(self, id: str) -> bool:
        """End a disturbance; False where it has ended before."""

    async def lift_all(self) -> None:
        """End all of them."""

    async def carry_out(self, what: str, body: Any) -> dict[str, bool]:
        """A release, a restart or a restore; raises Unknown."""

    def overview(self) -> dict[str, Any]:
        """Processes, links and disturbances."""

    def described(self, id: str) -> dict[str, Any]:
        """One disturbance; raises KeyError."""


def refusal(status: int, message: str) -> Response:
    """Why a request is not carried out, in one line."""
    return JSONResponse({"error": message}, status_code=status)


class Api:
    """The handlers."""

    def __init__(self, control: Controlled) -> None:
        self._control = control

    async def overview(self, _: Request) -> Response:
        """GET /."""
        return JSONResponse(self._control.overview())

    async def begin(self, request: Request) -> Response:
        """POST /disturbances."""
        try:
            return JSONResponse(await self._control.begin(await request.json()), status_code=201)
        except Unknown as error:
            return refusal(400, str(error))
        except ValueError:
            return refusal(400, "the body is not JSON")
        except FAILURES as error:
            return refusal(503, f"{type(error).__name__}: {error}".splitlines()[0])

    async def described(self, request: Request) -> Response:
        """GET /disturbances/{id}."""
        try:
            return JSONResponse(self._control.described(request.path_params["id"]))
        except KeyError:
            return refusal(404, "no such disturbance")

    async def lift(self, request: Request) -> Response:
        """DELETE /disturbances/{id}; one that has ended by itself is no error."""
        return await self._mended(self._control.lift(request.path_params["id"]))

    async def lift_all(self, _: Request) -> Response:
        """DELETE /disturbances."""
        return await self._mended(self._control.lift_all())

    async def _mended(self, lifting: Awaitable[Any]) -> Response:
        try:
            await lifting
        except FAILURES as error:
            return refusal(503, f"{type(error).__name__}: {error}".splitlines()[0])
        return Response(status_code=204)

    async def carry_out(self, request: Request) -> Response:
        """POST /releases, /restarts and /restores, for the doubles: the response comes when it is done."""
        try:
            what = request.url.path.strip("/")
            return JSONResponse(await self._control.carry_out(what, await request.json()))
        except Unknown as error:
            return refusal(400, str(error))
        except (TwinError, OSError) as error:
            return refusal(500, str(error))

    def guarded(self, handler: Handler) -> Handler:
        """The handler, for those who know the token."""

        async def admitted(request: Request) -> Response:
            if not same(bearer(request), self._control.token):
                return refusal(401, "wrong or missing token")
            return await handler(request)

        return admitted


def create_app(control: Controlled) -> Starlette:
    """The API of one control."""
    api = Api(control)
    table = (
        ("GET", "/", api.overview),
        ("POST", "/disturbances", api.begin),
        ("DELETE", "/disturbances", api.lift_all),
        ("GET", "/disturbances/{id}", api.described),
        ("DELETE", "/disturbances/{id}", api.lift),
        *(("POST", path, api.carry_out) for path in ("/releases", "/restarts", "/restores")),
    )
    return Starlette(routes=[Route(path, api.guarded(handler), methods=[method]) for method, path, handler in table])
