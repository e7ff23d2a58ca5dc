"""Batches: the requests of an uploaded file, carried out when their state is asked for."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.openai.errors import RefusedError
from twin.doubles.openai.files import Files
from twin.doubles.openai.listing import Kept, new_id, page
from twin.doubles.openai.parameters import Parameters, object_of, unsupported
from twin.doubles.schemas import compact

DAY = 86_400
RUNS_FOR = 1.0
OPEN = ("validating", "in_progress", "finalizing")
Work = Callable[[dict[str, Any]], dict[str, Any]]


class Batches:
    """Batches of one account; `work` carries out one request for each endpoint."""

    def __init__(self, files: Files, work: Mapping[str, Work]) -> None:
        self._kept = Kept("No batch found with id '{id}'.")
        self._files = files
        self._work = work

    async def created(self, request: Request) -> Response:
        """A batch of the requests in an uploaded file."""
        body = await object_of(request)
        given = Parameters(body)
        for name in ("input_file_id", "endpoint", "completion_window"):
            given.typed(name, str, required=True)
        given.one_of("completion_window", ("24h",))
        if body["endpoint"] not in self._work:
            raise unsupported("endpoint", body["endpoint"], tuple(self._work))
        if self._files.find(body["input_file_id"])["purpose"] != "batch":
            message = "The input file must have been uploaded with purpose 'batch'."
            raise RefusedError(message, "input_file_id", "invalid_file_purpose")
        now = int(time.time())
        batch = {
            "id": new_id("batch"),
            "object": "batch",
            **{name: body[name] for name in ("endpoint", "input_file_id", "completion_window")},
            "status": "validating",
            "created_at": now,
            "expires_at": now + DAY,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "metadata": given.metadata() or {},
        }
        return JSONResponse(self._kept.keep(batch))

    def _settle(self, batch: dict[str, Any]) -> dict[str, Any]:
        if batch["status"] == "cancelling":
            batch |= {"status": "cancelled", "cancelled_at": int(time.time())}
        elif batch["status"] in OPEN and time.time() >= batch["created_at"] + RUNS_FOR:
            self._run(batch)
        return batch

    def _run(self, batch: dict[str, Any]) -> None:
        now = int(time.time())
        done: list[str] = []
        failed: list[str] = []
        lines = self._files.content(batch["input_file_id"]).decode(errors="replace").splitlines()
        for number, line in enumerate(filter(str.strip, lines), 1):
            try:
                asked = json.loads(line)
                name, body = asked["custom_id"], dict(asked["body"])
            except (ValueError, KeyError, TypeError):
                error = {"code": "invalid_json_line", "message": "This line is not a request.", "param": None, "line": number}
                batch |= {"status": "failed", "failed_at": now, "errors": {"object": "list", "data": [error]}}
                return
            status, reply = self._reply(batch["endpoint"], body)
            response = {"status_code": status, "request_id": uuid.uuid4().hex, "body": reply}
            shown = {"id": new_id("batch_req"), "custom_id": name, "response": response, "error": None}
            (done if status == 200 else failed).append(compact(shown))
        for field, results in (("output_file_id", done), ("error_file_id", failed)):
            if results:
                text = "\n".join(results) + "\n"
                batch[field] = self._files.add(f"{batch['id']}_{field[:6]}.jsonl", text.encode(), "batch_output")["id"]
        batch |= {"status": "completed", **dict.fromkeys(("in_progress_at", "finalizing_at", "completed_at"), now)}
        batch["request_counts"] = {"total": len(done) + len(failed), "completed": len(done), "failed": len(failed)}

    def _reply(self, endpoint: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        try:
            return 200, self._work[endpoint](body)
        except RefusedError as error:
            return error.status, {"error": error.error}

    async def listed(self, request: Request) -> Response:
        """A page of the batches, newest first."""
        return JSONResponse(page(map(self._settle, self._kept.all()), request))

    async def shown(self, request: Request) -> Response:
        """One batch, and how far it is."""
        batch = self._kept.find(request.path_params["id"])
        return JSONResponse(await asyncio.to_thread(self._settle, batch))

    async def cancelled(self, request: Request) -> Response:
        """One batch is cancelled while it runs."""
        batch = self._kept.find(request.path_params["id"])
        if batch["status"] not in OPEN:
            message = f"Cannot cancel a batch with status '{batch['status']}'."
            raise RefusedError(message, status=409)
        batch |= {"status": "cancelling", "cancelling_at": int(time.time())}
        return JSONResponse(batch)
