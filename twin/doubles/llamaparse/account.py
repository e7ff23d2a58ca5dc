"""One account: its key, its project, its files and jobs, and the work on a job."""

from __future__ import annotations

import asyncio
import base64
import datetime
import hashlib
import hmac
import json
import random
import secrets
import ssl
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from twin.config import TwinConfig
from twin.control.board import Board
from twin.doubles.llamaparse import callbacks, disturbed_callbacks
from twin.doubles.llamaparse.errors import Refused, invalid
from twin.doubles.llamaparse.jobs import CANCELLED, COMPLETED, FAILED, RUNNING, Job, chosen, read
from twin.doubles.web import bearer, same

MAXIMUM_BYTES = 315 * 1024 * 1024
# A job that is asked after, instead of calling back, takes this long: less than the clients' first pause.
PARSE_SECONDS = 0.5


class Account:
    """What belongs to the key."""

    def __init__(self, config: TwinConfig) -> None:
        self._key = config.llamaparse_key
        self.base_url = config.url("llamaparse")
        self.behaviour: dict[str, Any] = config.behaviour.get("llamaparse", {})
        self._board = Board(Path(config.folder)) if config.behind else None
        self._trust = ssl.create_default_context(cafile=config.ca_file)
        self._random = random.Random(self.behaviour.get("seed", 0))
        self._signer = secrets.token_bytes(32)
        self._parsed: set[str] = set()
        self.jobs: dict[str, Job] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.hooks: dict[str, dict[str, Any]] = {}
        self.configurations: dict[str, dict[str, Any]] = {}
        created = "2025-01-21T00:00:00Z"
        self.project: dict[str, Any] = {
            "id": str(uuid.UUID(int=1)),
            "name": "staging",
            "organization_id": str(uuid.UUID(int=2)),
            "is_default": True,
            "created_at": created,
            "updated_at": created,
        }

    def admit(self, request: Request) -> None:
        """Raises Refused where the key is not accepted, or the request names what is not the key's."""
        given = bearer(request)
        if not given:
            raise Refused(401, "Not authenticated")
        if not same(given, self._key):
            raise Refused(401, "Invalid API Key")
        for name, own in (("project_id", self.project["id"]), ("organization_id", self.project["organization_id"])):
            asked = request.query_params.get(name)
            if asked is None or asked == own:
                continue
            try:
                uuid.UUID(asked)
            except ValueError:
                raise invalid(["query", name], "Input should be a valid UUID", "uuid_parsing", asked) from None
            raise Refused(404, f"{name.removesuffix('_id').capitalize()} {asked} not found")

    async def submission(self, request: Request) -> None:
        """Admit a request that hands in a document; `delay` and `status` of the behaviour act here."""
        await asyncio.sleep(self.behaviour.get("delay", 0))
        self.admit(request)
        if status := self.behaviour.get("status"):
            raise Refused(status, "Too Many Requests" if status == 429 else "Service Unavailable")
        limit = int(self.behaviour.get("max_bytes", MAXIMUM_BYTES))
        if int(request.headers.get("content-length") or 0) > limit:
            raise Refused(413, f"File is too large: at most {limit} bytes")

    def begin(self, job: Job) -> Job:
        """Keep a job that is about to be worked on."""
        seen = hashlib.sha256(job.body + json.dumps(job.configuration, sort_keys=True, default=str).encode()).hexdigest()
        job.is_cache_hit = seen in self._parsed and not job.configuration.get("disable_cache")
        self._parsed.add(seen)
        self.jobs[job.id] = job
        return job

    async def work(self, job: Job) -> None:
        """Parse a document and tell its webhooks."""
        # One draw for a job: which callbacks are lost is settled by the order of the jobs and the seed.
        is_told = bool(job.hooks) and self._random.random() >= self.behaviour.get("lose", 0)
        await self._tell(job, is_told)
        job.become(RUNNING)
        await self._tell(job, is_told)
        if self.behaviour.get("stalls"):
            return
        if not job.hooks and "tier" in job.configuration:
            await asyncio.sleep(self.behaviour.get("parse_seconds", PARSE_SECONDS))
        try:
            pages = chosen(await asyncio.to_thread(read, job.filename, job.body), job.configuration.get("page_ranges") or {})
            state, error = COMPLETED, ""
        except ValueError as problem:
            pages, state, error = None, FAILED, str(problem)
        job.body = b""
        if job.status == CANCELLED:
            return
        job.pages, job.error = pages, error
        job.become(state)
        await self._tell(job, is_told)

    async def cancelled(self, job: Job) -> None:
        """Tell the webhooks of a job that it was cancelled."""
        await self._tell(job, bool(job.hooks))

    async def _tell(self, job: Job, is_told: bool) -> None:
        if not is_told or (self._board and await disturbed_callbacks.tell(job, self._board, self._deliver)):
            return
        # A callback may come more than once; the vendor says so.
        for _ in range(self.behaviour.get("repeats", 1)):
            await self._deliver(job)

    async def _deliver(self, job: Job) -> list[int]:
        patience = float(self.behaviour.get("patience", callbacks.PATIENCE_SECONDS))
        return await callbacks.deliver(job, self._trust, str(self.behaviour.get("result", "")), patience)

    def presigned(self, name: str, seconds: int = 3600) -> dict[str, Any]:
        """A URL that gives one stored content without a key, for a while."""
        expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
        until = str(int(expires.timestamp()))
        query = f"expires={until}&signature={self.signature(name, until)}"
        return {
            "url": f"{self.base_url}/presigned/{quote(name)}?{query}",
            "expires_at": expires.isoformat().replace("+00:00", "Z"),
            "form_fields": None,
        }

    def signature(self, name: str, until: str) -> str:
        """Of a presigned URL."""
        return hmac.new(self._signer, f"{name}\n{until}".encode(), hashlib.sha256).hexdigest()


def page_of(items: list[Any], request_size: int, token: str | None, *, total: bool = False) -> dict[str, Any]:
    """One page of a listing in the second version's form; raises Refused for a token that was never given."""
    try:
        start = int(base64.urlsafe_b64decode(token.encode()).decode()) if token else 0
    except ValueError:
        raise Refused(400, "Invalid page token") from None
    end = start + request_size
    following = base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(items) else None
    return {"items": items[start:end], "next_page_token": following, "total_size": len(items) if total else None}
