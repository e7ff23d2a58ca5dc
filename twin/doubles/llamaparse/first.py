"""The first version of the parsing API: `/api/parsing/…` and `/api/v1/parsing/…`."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from twin.doubles.llamaparse.account import Account
from twin.doubles.llamaparse.errors import Refused, invalid, missing
from twin.doubles.llamaparse.jobs import COMPLETED, FIRST_VERSION, FORMATS, UNREAD_FORMATS, Job


class FirstVersion:
    """Handlers of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def upload(self, request: Request) -> Response:
        """Accept a document and start parsing it."""
        await self._account.submission(request)
        form = await request.form()
        file = form.get("file")
        if file is None:
            raise missing(["body", "file"])
        if not isinstance(file, UploadFile):
            raise invalid(["body", "file"], "Expected UploadFile, received: <class 'str'>", given=file)
        name = file.filename or "document.pdf"
        suffix = PurePath(name).suffix.lower()
        if suffix not in FORMATS | UNREAD_FORMATS:
            raise Refused(400, f"Unsupported file type: {suffix}")
        body = await file.read()
        if not body:
            raise Refused(400, "File is empty")
        options = {key: str(value) for key, value in form.items() if key != "file"}
        job = self._account.begin(
            Job(
                filename=name,
                body=body,
                project_id=self._account.project["id"],
                hooks=hooks_of(options),
                configuration=kept(options),
            )
        )
        answer = {"id": job.id, "status": FIRST_VERSION[job.status]}
        return JSONResponse(answer, background=BackgroundTask(self._account.work, job))

    def _job(self, request: Request) -> Job:
        self._account.admit(request)
        job = self._account.jobs.get(request.path_params["job_id"])
        if job is None:
            raise Refused(404, "Job not found")
        return job

    async def job(self, request: Request) -> Response:
        """State of one job."""
        job = self._job(request)
        answer = {"id": job.id, "status": FIRST_VERSION[job.status], "error_code": None, "error_message": job.error or None}
        return JSONResponse(answer | ({"error_code": "PARSING_FAILED"} if job.error else {}))

    async def details(self, request: Request) -> Response:
        """What a job was asked to do."""
        job = self._job(request)
        answer = {"job_id": job.id, "status": FIRST_VERSION[job.status], "error_message": job.error or None}
        return JSONResponse(answer | {"parameters": job.configuration | {"file_name": job.filename}})

    async def result(self, request: Request) -> Response:
        """The result of one job: markdown, text or json, and `raw/…` of it without an envelope."""
        job = self._job(request)
        kind = request.path_params["kind"]
        if job.status != COMPLETED:
            raise Refused(404, "Result not found")
        if kind == "json":
            pages = [{"page": n, "text": text, "md": text, "images": [], "items": []} for n, text in job.pages or []]
            return JSONResponse({"pages": pages, "job_metadata": job.metadata(), "file_name": job.filename})
        if kind not in ("markdown", "text"):
            raise Refused(404, f"Result {kind} not found")
        if "raw" in request.url.path.split("/"):
            return PlainTextResponse(job.markdown())
        return JSONResponse({kind: job.markdown(), "job_metadata": job.metadata()})

    async def formats(self, request: Request) -> Response:
        """Endings of file names that are accepted."""
        self._account.admit(request)
        return JSONResponse(sorted((FORMATS | UNREAD_FORMATS) - {""}))


def hooks_of(options: dict[str, str]) -> list[dict[str, Any]]:
    """The webhooks of an upload: one by its own fields, others in `webhook_configurations`."""
    found: list[dict[str, Any]] = []
    if url := options.get("webhook_url"):
        found.append({"webhook_url": url, "webhook_signing_secret": options.get("webhook_secret"), "first_version": True})
    try:
        more = json.loads(options.get("webhook_configurations") or "[]")
    except ValueError:
        raise invalid(["body", "webhook_configurations"], "Invalid JSON", "json_invalid") from None
    return found + [dict(hook) for hook in more if isinstance(hook, dict) and hook.get("webhook_url")]


def kept(options: dict[str, str]) -> dict[str, Any]:
    """The options of an upload that change its result."""
    kept_options: dict[str, Any] = {key: value for key, value in options.items() if not key.startswith("webhook")}
    if target := options.get("target_pages"):
        # This version counts from 0, the second from 1.
        kept_options["page_ranges"] = {
            "target_pages": ",".join(str(int(page) + 1) for page in target.split(",") if page.isdigit())
        }
    elif options.get("max_pages", "").isdigit():
        kept_options["page_ranges"] = {"max_pages": int(options["max_pages"])}
    return kept_options


def routes(account: Account) -> list[Route]:
    """The routes below both of its prefixes."""
    handlers = FirstVersion(account)
    return [
        route
        for base in ("/api/parsing", "/api/v1/parsing")
        for route in (
            Route(f"{base}/upload", handlers.upload, methods=["POST"]),
            Route(f"{base}/supported_file_extensions", handlers.formats),
            Route(f"{base}/job/{{job_id}}", handlers.job),
            Route(f"{base}/job/{{job_id}}/details", handlers.details),
            Route(f"{base}/job/{{job_id}}/result/raw/{{kind}}", handlers.result),
            Route(f"{base}/job/{{job_id}}/result/{{kind}}", handlers.result),
        )
    ]
