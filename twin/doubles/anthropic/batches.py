"""Message batches: done a moment after they were created."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.anthropic import messages
from twin.doubles.anthropic.account import object_of
from twin.doubles.anthropic.errors import RefusedError, missing
from twin.doubles.anthropic.listing import new_id, page
from twin.doubles.schemas import compact

RUNS_FOR = timedelta(seconds=1)
EXPIRES_AFTER = timedelta(hours=24)
CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
MOST = 100_000
STATES = ("processing", "succeeded", "errored", "canceled", "expired")


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _checked(requests: Any) -> list[dict[str, Any]]:
    if requests is None:
        raise missing("requests")
    if not isinstance(requests, list) or not requests:
        raise RefusedError("requests: List should have at least 1 item after validation, not 0")
    if len(requests) > MOST:
        raise RefusedError(f"requests: List should have at most {MOST} items after validation, not {len(requests)}")
    seen: set[str] = set()
    for number, one in enumerate(requests):
        for name in ("custom_id", "params"):
            if name not in one:
                raise missing(f"requests.{number}.{name}")
        if not CUSTOM_ID.fullmatch(str(one["custom_id"])):
            raise RefusedError(f"requests.{number}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
        if one["custom_id"] in seen:
            raise RefusedError(f"requests.{number}.custom_id: custom_id must be unique within a batch")
        seen.add(one["custom_id"])
    return requests


class Batches:
    """Message batches of one account."""

    def __init__(self) -> None:
        self._batches: dict[str, dict[str, Any]] = {}
        self._requests: dict[str, tuple[str, list[dict[str, Any]]]] = {}
        self._results: dict[str, list[dict[str, Any]]] = {}

    async def created(self, request: Request) -> Response:
        """A batch of requests for messages."""
        requests = _checked((await object_of(request)).get("requests"))
        now, name = datetime.now(UTC), new_id("msgbatch")
        batch = {
            "id": name,
            "type": "message_batch",
            "processing_status": "in_progress",
            "request_counts": {**dict.fromkeys(STATES, 0), "processing": len(requests)},
            "created_at": _moment(now),
            "expires_at": _moment(now + EXPIRES_AFTER),
            **dict.fromkeys(("ended_at", "archived_at", "cancel_initiated_at", "results_url")),
        }
        self._batches[name] = batch
        self._requests[name] = request.headers["anthropic-version"], requests
        return JSONResponse(batch)

    async def listed(self, request: Request) -> Response:
        """A page of the batches, newest first."""
        batches = [self._settled(batch, request) for batch in reversed(self._batches.values())]
        return JSONResponse(page(batches, request))

    async def shown(self, request: Request) -> Response:
        """One batch, and how far it is."""
        return JSONResponse(await asyncio.to_thread(self._settled, self._find(request), request))

    async def cancelled(self, request: Request) -> Response:
        """A batch is cancelled while it runs."""
        batch = self._settled(self._find(request), request)
        if batch["processing_status"] == "in_progress":
            batch |= {"processing_status": "canceling", "cancel_initiated_at": _moment(datetime.now(UTC))}
        elif batch["processing_status"] == "ended":
            raise RefusedError(f"Batch {batch['id']} cannot be canceled because it has already ended.")
        return JSONResponse(batch)

    async def deleted(self, request: Request) -> Response:
        """A batch that has ended is removed."""
        batch = self._settled(self._find(request), request)
        if batch["processing_status"] != "ended":
            raise RefusedError(f"Batch {batch['id']} cannot be deleted while it is processing; cancel it first.")
        del self._batches[batch["id"]]
        return JSONResponse({"id": batch["id"], "type": "message_batch_deleted"})

    async def results(self, request: Request) -> Response:
        """The results of a batch that has ended, one in each line."""
        batch = self._settled(self._find(request), request)
        if batch["processing_status"] != "ended":
            raise RefusedError(f"Batch {batch['id']} has no available results because it has not ended.", 404)
        lines = "".join(compact(result) + "\n" for result in self._results[batch["id"]])
        return Response(lines, media_type="application/x-jsonl")

    def _find(self, request: Request) -> dict[str, Any]:
        name = request.path_params["id"]
        if name not in self._batches:
            raise RefusedError(f"Message Batch {name} not found.", 404)
        return self._batches[name]

    def _settled(self, batch: dict[str, Any], request: Request) -> dict[str, Any]:
        now = datetime.now(UTC)
        state = batch["processing_status"]
        if state == "ended" or (state == "in_progress" and now < datetime.fromisoformat(batch["created_at"]) + RUNS_FOR):
            return batch
        version, requests = self._requests[batch["id"]]
        results = [
            {
                "custom_id": one["custom_id"],
                "result": {"type": "canceled"} if state == "canceling" else _result(one["params"], version),
            }
            for one in requests
        ]
        self._results[batch["id"]] = results
        kinds = [result["result"]["type"] for result in results]
        batch["request_counts"] = {name: kinds.count(name) for name in STATES}
        url = f"{request.url.scheme}://{request.url.netloc}/v1/messages/batches/{batch['id']}/results"
        batch |= {"processing_status": "ended", "ended_at": _moment(now), "results_url": url}
        return batch


def _result(params: Any, version: str) -> dict[str, Any]:
    try:
        body = {key: value for key, value in params.items() if key != "stream"}
        return {"type": "succeeded", "message": messages.create(body, version, tier="batch")}
    except RefusedError as error:
        return {"type": "errored", "error": error.body(None)}
