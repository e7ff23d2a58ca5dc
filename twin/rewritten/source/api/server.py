"""Puts the application together."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import aiohttp
import asyncpg
from aiohttp import web

from api import accounts, callbacks, chat, condition, description, jobs, uploads
from api.context import POOL, UPSTREAM
from api.edge import SETTINGS, edge, sign
from api.settings import Settings
from api.upstream import Upstream

PARTS = (accounts, callbacks, chat, condition, description, jobs, uploads)
CONNECTIONS = 10


async def _connections(app: web.Application) -> AsyncIterator[None]:
    settings = app[SETTINGS]
    trust = ssl.create_default_context()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust, limit=50)) as session:
        app[UPSTREAM] = Upstream(settings, session)
        # Behind a transaction pooler prepared statements are lost. Connections are made when they are needed, so the
        # API starts, and reports its health, while the database is away.
        async with asyncpg.create_pool(
            settings.database_url, min_size=0, max_size=CONNECTIONS, statement_cache_size=0, command_timeout=30
        ) as pool:
            app[POOL] = pool
            yield


async def _health(app: web.Application) -> None:
    app[condition.CHECKED] = condition.fresh()


def make_app(settings: Settings) -> web.Application:
    """The application; it connects when it starts."""
    app = web.Application(middlewares=[edge], client_max_size=uploads.MAX_BYTES + 1)
    app[SETTINGS] = settings
    app.on_response_prepare.append(sign)
    app.on_startup.append(_health)
    app.cleanup_ctx.append(_connections)
    for part in PARTS:
        app.add_routes(part.routes)
    return app
