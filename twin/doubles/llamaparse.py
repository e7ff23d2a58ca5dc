"""LlamaParse's API: accepts a PDF, extracts its text and sends the signed callback."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import logging
import random
import ssl
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.config import TwinConfig
from twin.doubles.web import bearer, refuse, same

CALLBACK_ATTEMPTS = 3
PAUSE_SECONDS = 0.2


@dataclass
class Job:
    """One document; `pages` is None until it is parsed."""

    id: str
    body: bytes
    webhook_url: str
    secret: str
    status: str = "PENDING"
    pages: list[str] | None = None
    error: str = ""

    def markdown(self) -> str:
        """All pages, each under its own heading line when it holds text."""
        return "\n\n".join(page for page in self.pages or [] if page.strip())

    def callback(self, form: str = "both") -> dict[str, Any]:
        """Body of the callback; its result as Markdown and text, one of them (md | txt), or a list of pages."""
        if self.pages is None:
            return {"jobId": self.id, "status": "failed", "error": self.error}
        text = self.markdown()
        pages = [{"page": number, "md": page} for number, page in enumerate(self.pages, 1)]
        forms = {"both": {"md": text, "txt": text}, "md": {"md": text}, "txt": {"txt": text}, "pages": pages}
        return {"jobId": self.id, "status": "completed", "result": forms[form]}


def extract(body: bytes) -> list[str]:
    """The text of each page; raises ValueError when the PDF cannot be read."""
    import pypdf

    try:
        return [page.extract_text().replace("\x00", "") for page in pypdf.PdfReader(io.BytesIO(body)).pages]
    except Exception as error:
        # pypdf raises errors of several types for a broken file; all of them mean the same to the caller.
        raise ValueError(f"the PDF cannot be read: {type(error).__name__}") from error


class LlamaParse:
    """Handlers of one account."""

    def __init__(self, config: TwinConfig) -> None:
        self._key = config.llamaparse_key
        self._behaviour: dict[str, Any] = config.behaviour.get("llamaparse", {})
        self._trust = ssl.create_default_context(cafile=config.ca_file)
        self._random = random.Random(self._behaviour.get("seed", 0))
        self._jobs: dict[str, Job] = {}

    def _refusal(self, request: Request) -> Response | None:
        return None if same(bearer(request), self._key) else refuse(401, "Invalid API Key")

    async def _process(self, job: Job) -> None:
        try:
            job.pages = await asyncio.to_thread(extract, job.body)
            job.status = "SUCCESS"
        except ValueError as error:
            job.status, job.error = "ERROR", str(error)
        job.body = b""
        if job.webhook_url and self._random.random() >= self._behaviour.get("lose", 0):
            for _ in range(self._behaviour.get("repeats", 1)):
                await self._call_back(job)

    async def _call_back(self, job: Job) -> None:
        body = json.dumps(job.callback(self._behaviour.get("result", "both"))).encode()
        signature = hmac.new(job.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Webhook-Signature": signature}
        async with httpx.AsyncClient(verify=self._trust, timeout=20) as client:
            for attempt in range(1, CALLBACK_ATTEMPTS + 1):
                try:
                    reply = await client.post(job.webhook_url, content=body, headers=headers)
                except httpx.HTTPError:
                    await asyncio.sleep(PAUSE_SECONDS * attempt)
                    continue
                if reply.status_code < 500:
                    return

    async def upload(self, request: Request) -> Response:
        """Accept a document and start parsing it."""
        await asyncio.sleep(self._behaviour.get("delay", 0))
        if refused := self._refusal(request):
            return refused
        if status := self._behaviour.get("status"):
            return refuse(status, "Service Unavailable")
        form = await request.form()
        file = form.get("file")
        if not isinstance(file, UploadFile):
            return refuse(422, "file is missing")
        job = Job(
            id=str(uuid.uuid4()),
            body=await file.read(),
            webhook_url=str(form.get("webhook_url") or ""),
            secret=str(form.get("webhook_secret") or ""),
        )
        self._jobs[job.id] = job
        return JSONResponse({"id": job.id, "status": job.status}, background=BackgroundTask(self._process, job))

    async def job(self, request: Request) -> Response:
        """State of one job."""
        if refused := self._refusal(request):
            return refused
        job = self._jobs.get(request.path_params["job_id"])
        if job is None:
            return refuse(404, "Job not found")
        return JSONResponse({"id": job.id, "status": job.status, "error_message": job.error or None})

    async def markdown(self, request: Request) -> Response:
        """The parsed text of one job."""
        if refused := self._refusal(request):
            return refused
        job = self._jobs.get(request.path_params["job_id"])
        if job is None or job.pages is None:
            return refuse(404, "Result not found")
        return JSONResponse({"markdown": job.markdown(), "job_metadata": {"job_pages": len(job.pages)}})

    async def projects(self, request: Request) -> Response:
        """The projects of the key."""
        return self._refusal(request) or JSONResponse([{"id": str(uuid.UUID(int=1)), "name": "staging"}])


def create_app(config: TwinConfig) -> Starlette:
    """The double; `behaviour.llamaparse` may set delay (s), status, result, repeats, seed and lose (share of callbacks)."""
    logging.getLogger("pypdf").setLevel("CRITICAL")
    llamaparse = LlamaParse(config)
    return Starlette(
        routes=[
            Route("/api/v1/projects", llamaparse.projects),
            Route("/api/parsing/upload", llamaparse.upload, methods=["POST"]),
            Route("/api/parsing/job/{job_id}", llamaparse.job),
            Route("/api/parsing/job/{job_id}/result/markdown", llamaparse.markdown),
        ]
    )
