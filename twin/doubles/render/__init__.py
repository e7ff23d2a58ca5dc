"""Render's public API: the two services of the twin, and what may be read and changed around them.

Changes stay in the double: they show in later answers, and change nothing of the twin. Only a twin that was started for drills
runs what is deployed, rolled back or restarted here (`fleet.py`).

`behaviour.render` overrides values of the services by dotted path, `behaviour.deploys` values of the newest deploy by service.
`render_groups` moves variables into environment groups (name: services, keys; values and files that only the group has),
`render_variables` and `render_files` change what Render alone holds of a service (None removes it), and `render_gone` lists
services that were removed.
`render_neighbours` is the number of other services, `render_history` that of earlier deploys, `render_page` the most that a
page holds, `render_limits` (read, write) what may be asked in a window of `render_window` seconds (60), `render_delay` the
seconds that each answer takes; every read that is the n-th of `render_flaky` fails. `render_figures` are values of
metrics in the place of the made-up ones, `render_events` further events (service, type, details).
`render_mishaps` lists for each kind the services or variables with which it goes wrong: `rollback_gone` (no build is kept),
`rollback_stuck` (never live), `rollback_fails`, `rollback_elsewhere` (another build goes live), `restart_ignored`,
`rollback_environment` (it runs with that of the deploy before), `variables_kept` (a second new value is accepted, and
the first one stays), `auto_deploy_stays`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount

from twin.config import TwinConfig
from twin.doubles.render import (
    databases,
    deploys,
    disks,
    environment,
    extras,
    hooks,
    logs,
    metrics,
    services,
    streams,
    workspace,
)
from twin.doubles.render.account import Account
from twin.doubles.render.answers import Problem, respond
from twin.doubles.render.course import settle
from twin.doubles.render.description import API
from twin.doubles.render.guard import Guard, Manners

__all__ = ["create_app"]
# Seconds between two readings of the services' logs.
READ_SECONDS = 0.25
PARTS = (services, environment, deploys, logs, metrics, workspace, extras, databases, disks, streams)


def create_app(config: TwinConfig) -> Starlette:
    """The double of one account."""
    account = Account(config)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        reading = asyncio.create_task(_collect(account))
        yield
        reading.cancel()

    app = Starlette(
        routes=[
            Mount("/v1", routes=[route for part in PARTS for route in part.routes(account)]),
            *hooks.routes(account, config.render_key),
        ],
        exception_handlers={Problem: respond, HTTPException: respond},
        middleware=[Middleware(Guard, key=config.render_key, manners=Manners.of(config.behaviour))],
        lifespan=lifespan,
    )
    app.state.page_size = config.behaviour.get("render_page")
    return app


async def _collect(account: Account) -> None:
    """Read the services' logs as they are written, so that lines which name no time have that of their arrival."""
    while True:
        account.log_files.read()
        for service_id in account.deploys if account.fleet.runs(API) else ():
            settle(account, service_id)
        await asyncio.sleep(READ_SECONDS)
