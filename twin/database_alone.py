"""PostgreSQL alone: `python -m twin.database_alone` starts it, asks its version, and ends it; exit code 1 without it."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sys

from twin.installation import make_folder
from twin.ports import free_ports
from twin.postgres import Postgres
from twin.processes import Processes, TwinError


async def _version(postgres: Postgres) -> str:
    connection = await postgres.connect("postgres")
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


def main() -> int:
    """Print the version; returns the exit code."""
    try:
        folder = make_folder("database-alone-")
    except TwinError as error:
        print(error)
        return 1
    processes = Processes(folder)
    try:
        (port,) = free_ports(1)
        postgres = Postgres(processes, f"postgresql://postgres:{secrets.token_hex(8)}@127.0.0.1:{port}/postgres", port)
        postgres.start_init()
        postgres.start()
        print(f"PostgreSQL {asyncio.run(_version(postgres))}")
    except (TwinError, OSError, RuntimeError) as error:
        print(error)
        return 1
    finally:
        processes.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
