"""Callbacks that do not arrive as they should, while the control's board says so."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from twin.control.board import Board, Entry, note
from twin.doubles.llamaparse.jobs import COMPLETED, FAILED, Job

# What a forged callback has for the document's text.
FORGED = "This text was forged."
FALSE_ERROR = "the document could not be parsed in time"
# Tells the webhooks of a job's state; returns the status of each response, 0 where there was none.
Deliver = Callable[[Job], Awaitable[list[int]]]


def _signed_by_a_stranger(hook: dict[str, Any]) -> dict[str, Any]:
    return hook | {"webhook_signing_secret": secrets.token_hex(32)}


def _forged(job: Job) -> Job:
    hooks = [_signed_by_a_stranger(hook) for hook in job.hooks]
    return dataclasses.replace(job, hooks=hooks, status=COMPLETED, pages=[(1, FORGED)], error="")


async def tell(job: Job, board: Board, deliver: Deliver) -> bool:
    """Send the callbacks of a job that has ended the way the next disturbance has it; False where there is none."""
    entries = board.entries("callback") if job.status in (COMPLETED, FAILED) else []
    if not entries:
        return False
    board.strike(entries[0])
    await _strike(entries[0], job, board, deliver)
    return True


async def _strike(entry: Entry, job: Job, board: Board, deliver: Deliver) -> None:
    how = entry["how"]
    sent: list[int] = []
    if how == "late":
        await asyncio.sleep(float(entry["seconds"]))
    if how == "out_of_order":
        sent += await deliver(dataclasses.replace(job, status=FAILED, error=FALSE_ERROR, pages=None))
    if how == "forged":
        sent += await deliver(_forged(job))
    if how == "twice":
        sent += await deliver(job)
    if how != "lost":
        sent += await deliver(job)
    paths = [urlsplit(str(hook["webhook_url"])).path for hook in job.hooks]
    note(board.folder, entry["id"], job=job.id, paths=paths, how=how, statuses=sent)
