"""The API's own description: OpenAPI, written by hand, and a page that lists it."""

from __future__ import annotations

from html import escape
from typing import Any

from aiohttp import web

from api.edge import SETTINGS
from api.schemas import SCHEMAS

routes = web.RouteTableDef()
JOBS = "/api/upload-pipeline/jobs"
UUID = {"type": "string", "format": "uuid"}
ERRORS = {
    400: "the request is malformed",
    401: "a valid bearer token is missing",
    403: "the path is not the caller's own",
    404: "there is no such thing, or it is another user's",
    409: "the present state does not allow it",
    413: "too large",
    422: "the request can be read but not accepted",
    429: "a limit is reached",
    500: "the request could not be completed",
    502: "a vendor failed",
    503: "a dependency cannot be reached",
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(name: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(name)}}}


def _parameter(name: str, place: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _operation(summary: str, answer: str, *errors: int, success: int = 200, body: str = "", **more: Any) -> dict[str, Any]:
    responses = {str(success): _json(answer, "done")}
    responses |= {str(status): _json("Error", ERRORS[status]) for status in sorted({400, 500, *errors})}
    operation: dict[str, Any] = {"summary": summary, "responses": responses}
    if body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(body)}}}
    if 401 in errors and not more.pop("is_open", False):
        operation["security"] = [{"bearer": []}]
    return operation | more


def _page(summary: str, mime: str) -> dict[str, Any]:
    content = {mime: {"schema": {"type": "string" if mime == "text/html" else "object"}}}
    answers = {"200": {"description": "done", "content": content}, "400": _json("Error", ERRORS[400])}
    return {"summary": summary, "responses": answers}


def _accounts() -> dict[str, Any]:
    vendors = (429, 502, 503, 413)
    return {
        "/register": {"post": _operation("create a user", "Created", *vendors, body="Registration")},
        "/auth/signup": {"post": _operation("create a user", "Created", 422, *vendors, success=201, body="Signup")},
        "/login": {"post": _operation("sign in", "SignedIn", 401, *vendors, body="Credentials", is_open=True)},
        "/auth/login": {"post": _operation("sign in", "SignedIn", 401, 422, *vendors, body="Credentials", is_open=True)},
        "/me": {"get": _operation("the signed-in user", "User", 401, 502, 503)},
        "/auth/user": {"get": _operation("the signed-in user", "User", 401, 502, 503)},
    }


def _uploads() -> dict[str, Any]:
    upload = _operation("register a document", "Upload", 401, 413, 422, 429, 502, 503, body="Document")
    upload["responses"]["409"] = _json("Duplicate", "the user has uploaded this document before")
    proxy = _operation("send a document", "Stored", 401, 403, 404, 409, 413, 422, 502, 503)
    pdf = {"schema": {"type": "string", "format": "binary"}}
    proxy["requestBody"] = {"required": True, "content": {"application/pdf": pdf}}
    text = {"type": "string", "minLength": 1}
    proxy["parameters"] = [_parameter("bucket", "path", text), _parameter("key", "path", text)]
    return {
        "/api/upload-pipeline/upload": {"post": upload},
        "/api/upload-pipeline/upload/limits": {"get": _operation("the limits", "Limits")},
        "/api/upload-pipeline/upload-file-proxy/{bucket}/{key}": {"put": proxy},
    }


def _jobs() -> dict[str, Any]:
    asked = [
        _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100}),
        _parameter("offset", "query", {"type": "integer", "minimum": 0, "maximum": 1_000_000}),
        _parameter("state", "query", {"enum": ["queued", "working", "retryable", "done", "deadletter"]}),
    ]
    one, document = [_parameter("job_id", "path", UUID)], [_parameter("document_id", "path", UUID)]
    signature = {"name": "X-Webhook-Signature", "in": "header", "required": False, "schema": {"type": "string"}}
    errors = (401, 404, 413, 422, 502, 503)
    callback = _operation("LlamaParse's callback", "Received", *errors, body="Callback", is_open=True)
    callback["parameters"] = [*one, signature]
    return {
        JOBS: {"get": _operation("the caller's jobs", "Jobs", 401, 422, 502, 503, parameters=asked)},
        f"{JOBS}/{{job_id}}": {"get": _operation("one job", "Job", 401, 404, 502, 503, parameters=one)},
        f"{JOBS}/{{job_id}}/retry": {"post": _operation("retry a job", "Retried", 401, 404, 409, 502, 503, parameters=one)},
        "/documents/{document_id}/status": {
            "get": _operation("one document", "DocumentStatus", 401, 404, 502, 503, parameters=document)
        },
        "/api/upload-pipeline/webhook/llamaparse/{job_id}": {"post": callback},
    }


def _chat(name: str) -> dict[str, Any]:
    return _operation(name, "Answer", 401, 413, 422, 502, 503, body="Question")


def describe(version: str) -> dict[str, Any]:
    """The OpenAPI document."""
    health = _operation("health", "Health")
    health["responses"]["500"] = _json("Health", "the check itself failed")
    head = {"responses": {"200": {"description": "as GET, without the body"}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Insurance Navigator", "version": version},
        "paths": {
            "/": {"get": _operation("greeting", "Greeting"), "head": {"summary": "greeting, without its body", **head}},
            "/health": {"get": health, "head": {"summary": "health, without its body", **head}},
            "/api/v1/status": {"get": _operation("release and database", "Status")},
            "/docs": {"get": _page("this description, to read", "text/html")},
            "/openapi.json": {"get": _page("this description", "application/json")},
            **_accounts(),
            **_uploads(),
            **_jobs(),
            "/api/chat": {"post": _chat("ask")},
            "/chat": {"post": _chat("ask (the old path)")},
        },
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


@routes.get("/openapi.json")
async def openapi(request: web.Request) -> web.Response:
    """For machines."""
    return web.json_response(describe(request.app[SETTINGS].version))


@routes.get("/docs")
async def docs(request: web.Request) -> web.Response:
    """For people."""
    paths = describe(request.app[SETTINGS].version)["paths"].items()
    entries = ((method.upper(), path, operation["summary"]) for path, methods in paths for method, operation in methods.items())
    rows = "".join(f"<tr><td>{m}</td><td><code>{escape(p)}</code></td><td>{escape(s)}</td></tr>" for m, p, s in entries)
    page = '<!doctype html><html lang="en"><title>Insurance Navigator</title><h1>Insurance Navigator</h1>'
    page += f'<p>For machines: <a href="/openapi.json">openapi.json</a></p><table>{rows}</table></html>'
    return web.Response(text=page, content_type="text/html")
