"""The second version of the parsing API: `/api/v2/parse…`."""

from __future__ import annotations

import json
import uuid
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.llamaparse.account import Account, page_of
from twin.doubles.llamaparse.configuration import VERSIONS, check, check_tags
from twin.doubles.llamaparse.errors import Refused, invalid, json_object, missing, unknown_value, whole_number
from twin.doubles.llamaparse.jobs import CANCELLED, FORMATS, UNREAD_FORMATS, Job
from twin.doubles.llamaparse.results import EXPANDABLE, expanded

STATES = ["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"]
FETCH_SECONDS = 10


class SecondVersion:
    """Handlers of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def create(self, request: Request) -> Response:
        """Parse a stored file or what a URL gives."""
        await self._account.submission(request)
        given = await json_object(request)
        configuration = self._with_saved(given)
        check(configuration, ["body"])
        check_tags(given.get("user_metadata"))
        hooks = self._hooks(given)
        file_id, url = given.get("file_id"), given.get("source_url")
        if bool(file_id) == bool(url):
            raise invalid(["body"], "Value error, Exactly one of file_id and source_url must be provided", given=given)
        if file_id:
            if file_id not in self._account.files:
                raise Refused(404, f"File {file_id} not found")
            name, body = self._account.files[file_id]["name"], self._account.contents[file_id]
        else:
            name, body = await _fetched(str(url))
        return self._begun(name, body, configuration, hooks, given.get("user_metadata"))

    async def upload(self, request: Request) -> Response:
        """Parse a file that comes with the request."""
        await self._account.submission(request)
        form = await request.form()
        file, text = form.get("file"), form.get("configuration")
        if not isinstance(file, UploadFile):
            raise missing(["body", "file"])
        if text is None:
            raise missing(["body", "configuration"])
        try:
            given = json.loads(str(text))
        except ValueError:
            raise Refused(422, "configuration is not valid JSON") from None
        configuration = self._with_saved(given)
        check(configuration, ["body", "configuration"])
        name, body = file.filename or "document.pdf", await file.read()
        if not body:
            raise Refused(400, "File is empty")
        return self._begun(name, body, configuration, self._hooks(given), given.get("user_metadata"))

    def _with_saved(self, given: dict[str, Any]) -> dict[str, Any]:
        """The configuration of a request, completed from the saved one that it names."""
        saved: dict[str, Any] = {}
        if identifier := given.get("configuration_id"):
            if identifier not in self._account.configurations:
                raise Refused(404, f"Configuration {identifier} not found")
            saved = self._account.configurations[identifier]["parameters"]
        own = {key: value for key, value in given.items() if value is not None and value != "configured"}
        return saved | own

    def _hooks(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        hooks = [dict(hook) for hook in given.get("webhook_configurations") or [] if hook.get("webhook_url")]
        for identifier in given.get("webhook_configuration_ids") or []:
            if identifier not in self._account.hooks:
                raise Refused(404, f"Webhook configuration {identifier} not found")
            hooks.append(self._account.hooks[identifier])
        return hooks

    def _begun(
        self, name: str, body: bytes, configuration: dict[str, Any], hooks: list[dict[str, Any]], tags: dict[str, str] | None
    ) -> Response:
        suffix = PurePath(name).suffix.lower()
        if suffix not in FORMATS | UNREAD_FORMATS:
            raise Refused(400, f"Unsupported file type: {suffix}")
        own = {key: value for key, value in configuration.items() if not key.startswith("webhook")}
        job = Job(
            filename=name,
            body=body,
            project_id=self._account.project["id"],
            configuration=own,
            hooks=hooks,
            id=f"pjb-{uuid.uuid4()}",
            user_metadata=tags,
        )
        self._account.begin(job)
        return JSONResponse(job.described(), background=BackgroundTask(self._account.work, job))

    def _job(self, request: Request) -> Job:
        self._account.admit(request)
        job = self._account.jobs.get(request.path_params["job_id"])
        if job is None:
            raise Refused(404, f"Parse job {request.path_params['job_id']} not found")
        return job

    async def get(self, request: Request) -> Response:
        """One job with what `expand` asks for."""
        job = self._job(request)
        wanted = [name for given in request.query_params.getlist("expand") for name in given.split(",") if name]
        for number, name in enumerate(wanted):
            if name not in EXPANDABLE:
                raise unknown_value(["query", "expand", number], sorted(EXPANDABLE), name)
        return JSONResponse(expanded(job, wanted, self._account))

    async def listing(self, request: Request) -> Response:
        """The jobs, newest first."""
        self._account.admit(request)
        query = request.query_params
        status, ids = query.get("status"), query.getlist("job_ids")
        if status is not None and status not in STATES:
            raise unknown_value(["query", "status"], STATES, status)
        first, last = (_plain(query.get(f"created_at_on_or_{end}")) for end in ("after", "before"))
        found = [
            job.described()
            for job in reversed(self._account.jobs.values())
            if status in (None, job.status)
            and (not ids or job.id in ids)
            and first <= _plain(job.created_at)
            and (not last or _plain(job.created_at) <= last)
        ]
        return JSONResponse(page_of(found, whole_number(request, "page_size", 50, 1000), query.get("page_token")))

    async def cancel(self, request: Request) -> Response:
        """Stop a job; refused for one that is over."""
        job = self._job(request)
        if job.is_final:
            raise Refused(409, f"Job {job.id} is already {job.status} and cannot be cancelled")
        job.become(CANCELLED)
        return JSONResponse(job.described(), background=BackgroundTask(self._account.cancelled, job))

    async def delete(self, request: Request) -> Response:
        """Remove a job that is over, and its results."""
        job = self._job(request)
        if not job.is_final:
            raise Refused(409, f"Job {job.id} is {job.status}; cancel it before deleting it")
        del self._account.jobs[job.id]
        return JSONResponse({"id": job.id, "project_id": job.project_id})

    async def versions(self, request: Request) -> Response:
        """The versions of each tier."""
        self._account.admit(request)
        return JSONResponse(VERSIONS | {"latest": {tier: versions[0] for tier, versions in VERSIONS.items()}})


def _plain(time: str | None) -> str:
    """A time as text that sorts: an offset of zero is written in one way."""
    return (time or "").replace("Z", "").replace("+00:00", "").replace(" ", "T")


async def _fetched(url: str) -> tuple[str, bytes]:
    """Name and body of what a URL gives; one that gives nothing makes a job that fails."""
    if not url.startswith(("https://", "http://")):
        raise invalid(["body", "source_url"], "Input should be a valid URL", "url_parsing", url)
    name = PurePath(urlsplit(url).path).name or "document.html"
    # The twin's certificates are its own, and what is fetched here is public.
    async with httpx.AsyncClient(verify=False, timeout=FETCH_SECONDS, follow_redirects=True) as client:
        try:
            reply = (await client.get(url)).raise_for_status()
        except httpx.HTTPError:
            return "unreachable.pdf", b"unreachable"
    return (name if PurePath(name).suffix else f"{name}.html"), reply.content


def routes(account: Account) -> list[Route]:
    """The routes of parse jobs."""
    handlers = SecondVersion(account)
    return [
        Route("/api/v2/parse", handlers.listing),
        Route("/api/v2/parse", handlers.create, methods=["POST"]),
        Route("/api/v2/parse/upload", handlers.upload, methods=["POST"]),
        Route("/api/v2/parse/versions", handlers.versions),
        Route("/api/v2/parse/{job_id}", handlers.get),
        Route("/api/v2/parse/{job_id}", handlers.delete, methods=["DELETE"]),
        Route("/api/v2/parse/{job_id}/cancel", handlers.cancel, methods=["POST"]),
    ]
