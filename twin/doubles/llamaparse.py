"""LlamaParse's API: takes a PDF, really extracts its text, and calls back."""

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

WEBHOOK_TRIES = 3


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


def extract(body: bytes) -> list[str]:
    """Text of each page; raises ValueError for what is no readable PDF."""
    import pypdf

    try:
        return [page.extract_text().replace("\x00", "") for page in pypdf.PdfReader(io.BytesIO(body)).pages]
    except Exception as error:
        # pypdf lets several kinds of error out of a broken file; all of them mean the same to the caller.
        raise ValueError(f"the PDF cannot be read: {type(error).__name__}") from error


def create_app(config: TwinConfig) -> Starlette:
    """The double; `behaviour.llamaparse` may set delay (s), status, and lose (share of call-backs, with a seed)."""
    behaviour = config.behaviour.get("llamaparse", {})
    logging.getLogger("pypdf").setLevel("CRITICAL")
    jobs: dict[str, Job] = {}
    trust = ssl.create_default_context(cafile=config.ca_file)

    chance = random.Random(behaviour.get("seed", 0))

    async def _deliver(job: Job) -> None:
        if chance.random() < behaviour.get("lose", 0):
            return
        payload: dict[str, Any] = {"jobId": job.id, "status": "completed" if job.pages is not None else "failed"}
        if job.pages is None:
            payload["error"] = job.error
        else:
            text = job.markdown()
            payload["result"] = {"md": text, "txt": text}
        body = json.dumps(payload).encode()
        signature = hmac.new(job.secret.encode(), body, hashlib.sha256).hexdigest()
        async with httpx.AsyncClient(verify=trust, timeout=20) as client:
            for attempt in range(WEBHOOK_TRIES):
                try:
                    reply = await client.post(
                        job.webhook_url,
                        content=body,
                        headers={"Content-Type": "application/json", "X-Webhook-Signature": signature},
                    )
                except httpx.HTTPError:
                    await asyncio.sleep(0.2 * (attempt + 1))
                    continue
                if reply.status_code < 500:
                    return

    async def _work(job: Job) -> None:
        try:
            job.pages = await asyncio.to_thread(extract, job.body)
            job.status = "SUCCESS"
        except ValueError as error:
            job.status, job.error = "ERROR", str(error)
        job.body = b""
        if job.webhook_url:
            await _deliver(job)

    async def upload(request: Request) -> Response:
        await asyncio.sleep(behaviour.get("delay", 0))
        if not same(bearer(request), config.llamaparse_key):
            return refuse(401, "Invalid API Key")
        if status := behaviour.get("status"):
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
        jobs[job.id] = job
        return JSONResponse({"id": job.id, "status": job.status}, background=BackgroundTask(_work, job))

    async def show(request: Request) -> Response:
        if not same(bearer(request), config.llamaparse_key):
            return refuse(401, "Invalid API Key")
        job = jobs.get(request.path_params["job_id"])
        if job is None:
            return refuse(404, "Job not found")
        return JSONResponse({"id": job.id, "status": job.status, "error_message": job.error or None})

    async def markdown(request: Request) -> Response:
        if not same(bearer(request), config.llamaparse_key):
            return refuse(401, "Invalid API Key")
        job = jobs.get(request.path_params["job_id"])
        if job is None or job.pages is None:
            return refuse(404, "Result not found")
        return JSONResponse({"markdown": job.markdown(), "job_metadata": {"job_pages": len(job.pages)}})

    async def projects(request: Request) -> Response:
        if not same(bearer(request), config.llamaparse_key):
            return refuse(401, "Invalid API Key")
        return JSONResponse([{"id": str(uuid.UUID(int=1)), "name": "staging"}])

    return Starlette(
        routes=[
            Route("/api/v1/projects", projects),
            Route("/api/parsing/upload", upload, methods=["POST"]),
            Route("/api/parsing/job/{job_id}", show),
            Route("/api/parsing/job/{job_id}/result/markdown", markdown),
        ]
    )
