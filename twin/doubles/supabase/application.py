"""The application: four parts that share one database pool."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from starlette.applications import Starlette

from twin.config import TwinConfig
from twin.doubles.supabase import auth, management, realtime, rest, storage
from twin.doubles.supabase.project import Project
from twin.doubles.supabase.realtime_feed import Feed


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _leave(_: object) -> None:
    """Nothing outlives a transaction here, so there is nothing that a connection would have to forget after each query."""


def create_app(config: TwinConfig) -> Starlette:
    """The double of one Supabase project."""
    project = Project(config=config, files=Path(config.folder) / "storage", behaviour=config.behaviour.get("supabase", {}))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        project.pool = await asyncpg.create_pool(
            config.database_admin_url, min_size=1, max_size=12, init=_prepare, reset=_leave, command_timeout=20
        )
        feed = Feed(project)
        project.feed = feed
        await feed.start()
        yield
        await feed.stop()
        await project.pool.close()

    routes = [*auth.routes(project), *storage.routes(project), *rest.routes(project), *realtime.routes(project)]
    routes += management.routes(project)
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.delay = project.behaviour.get("delay", 0)
    return app
