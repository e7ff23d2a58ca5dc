"""Supabase's restore of a project to a moment, which a twin that was started for drills really carries out.

`behaviour.supabase` may hold `restore`: how it goes wrong. `refused` is the message of a refusal, `ignored` accepts and does
nothing, `fails` ends in an error, `earliest` goes back as far as possible, `sql` is run on what was restored, `off` has no
point-in-time recovery.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.host_calls import Host
from twin.doubles.supabase.project import Project

HEALTHY, RESTORING, FAILED = "ACTIVE_HEALTHY", "RESTORING", "RESTORE_FAILED"
BASE = "postgres.base"
# The log of changes is kept by the second.
GRACE_SECONDS = 1


class Recovery:
    """The state of one project's database, and what takes it back."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._host = Host(project.config)
        self._wrong: dict[str, Any] = project.behaviour.get("restore", {})
        self.status = HEALTHY
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_there(self) -> bool:
        """Whether the project can be taken back to any moment."""
        return self._host.is_there and not self._wrong.get("off")

    @property
    def window(self) -> dict[str, int]:
        """The first and the last moment that it can be taken back to."""
        if not self.is_there:
            return {}
        base = Path(self._project.config.folder) / BASE / "backup_label"
        first = int(base.stat().st_mtime) + GRACE_SECONDS
        return {"earliest_physical_backup_date_unix": first, "latest_physical_backup_date_unix": int(time.time())}

    async def restore(self, request: Request) -> Response:
        """Take the database back to a moment."""
        body = await request.json()
        wanted = body.get("recovery_time_target_unix") if isinstance(body, dict) else None
        if not str(wanted).isdecimal():
            return _refused("recovery_time_target_unix: Expected number", 400)
        if not self.is_there:
            return _refused("PITR is not enabled for this project", 400)
        if message := self._wrong.get("refused"):
            return _refused(str(message), 400)
        first, last = self.window.values()
        if not first <= int(str(wanted)) <= last:
            return _refused(f"Recovery time target must be within range: {first} <= t <= {last}", 400)
        if not self._wrong.get("ignored"):
            self.status = RESTORING
            self._spawn(first if self._wrong.get("earliest") else int(str(wanted)))
        return Response(status_code=201)

    async def query(self, request: Request) -> Response:
        """Run SQL as the owner of the database, as the dashboard does."""
        body = await request.json()
        try:
            async with self._project.pool.acquire() as connection:
                # Several statements can be executed, and only one can return rows.
                is_question = body["query"].lstrip().lower().startswith("select")
                rows = await connection.fetch(body["query"]) if is_question else []
                if not is_question:
                    await connection.execute(body["query"])
        except asyncpg.PostgresError as error:
            return _refused(f"Failed to run sql query: ERROR:  {error.sqlstate}: {error}", 400)
        return JSONResponse([{name: str(value) for name, value in row.items()} for row in rows], status_code=201)

    def _spawn(self, moment: float) -> None:
        task = asyncio.get_running_loop().create_task(self._carry_out(moment))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, moment: float) -> None:
        try:
            if self._wrong.get("fails"):
                raise OSError("the restore fails")
            await self._host.ask("restores", {"to": moment})
            # Connections to the server of before are of no use.
            await self._project.pool.expire_connections()
            if statement := self._wrong.get("sql"):
                await self._project.pool.execute(statement)
            self.status = HEALTHY
        except OSError:
            self.status = FAILED


def _refused(message: str, status: int) -> Response:
    return JSONResponse({"message": message}, status_code=status)
