"""Variants of how answers travel: headers, encodings, and what describes the API."""

from __future__ import annotations

from typing import Any

from twin.plan import Plan
from twin.variants import variant
from twin.variants.release import APPLICATION, END, reshape, retouch
from twin.variants.reshaped import Headers


def _other_headers(method: str, path: str, status: int, headers: Headers) -> tuple[int, Headers]:
    import itertools
    import time

    numbers = itertools.count(time.time_ns())
    found = []
    for name, value in headers:
        if name == b"x-request-id" and len(value) == 36 and not path.startswith("/api"):
            value = b"req_%x" % next(numbers)
        if name == b"x-process-time":
            value = b"%.3f" % float(value) if path.startswith("/api") else b"%.3e" % float(value)
        if name == b"content-type" and value == b"application/json":
            value = b"application/json; charset=utf-8"
        if method == "HEAD" and name == b"content-length":
            continue
        found.append((b"-".join(part.capitalize() for part in name.split(b"-")), value))
    found += [(b"Set-Cookie", b"affinity=7f3a; Path=/; Secure; HttpOnly; SameSite=Lax"), (b"X-Frame-Options", b"DENY")]
    return status, [*found, (b"Strict-Transport-Security", b"max-age=63072000"), (b"Server", b"h2o")]


@variant("V48", "headers in other case, a charset, cookies, other request ids, times with an exponent, a server called h2o")
def other_headers(plan: Plan) -> None:
    retouch(plan, _other_headers)
    plan.api_arguments += ["--no-server-header"]


@variant("V49", "answers are packed with gzip and sent in chunks")
def packed_and_chunked(plan: Plan) -> None:
    lines = (
        "    from starlette.middleware.gzip import GZipMiddleware\n\n    app.add_middleware(GZipMiddleware, minimum_size=1)\n"
    )
    retouch(plan, _without_length)
    plan.replace_in_source(APPLICATION, END, lines + END)


def _without_length(method: str, path: str, status: int, headers: Headers) -> tuple[int, Headers]:
    return status, [(name, value) for name, value in headers if name.lower() != b"content-length" or status == 204]


def _older_description(method: str, path: str, status: int, body: Any) -> Any:
    if path != "/openapi.json":
        return body
    body["openapi"] = "3.0.3"
    body["info"] = {"title": "Navigator 2 (2024 edition)", "version": "2024.2", "x-build": 77}
    return body


def _other_permissions(method: str, path: str, status: int, headers: Headers) -> tuple[int, Headers]:
    found: Headers = []
    for name, value in headers:
        if name == b"access-control-allow-methods":
            value = b"PATCH,PUT,POST,OPTIONS,GET,DELETE"
        if name == b"access-control-allow-headers":
            value = b"content-type,AUTHORIZATION,x-request-id"
        found.append((name, value))
    is_preflight = method == "OPTIONS" and status == 200
    kept = [(name, value) for name, value in found if name not in (b"content-length", b"content-type")]
    return (204, kept) if is_preflight else (status, found)


@variant(
    "V50", "OpenAPI 3.0 with a product's name and year, other documentation pages, pre-flights answered 204 in other words"
)
def other_description(plan: Plan) -> None:
    reshape(plan, _older_description)
    retouch(plan, _other_permissions)
    plan.replace_in_source(
        "api/health.py",
        "router = APIRouter()\n",
        "router = APIRouter()\n\n\n"
        '@router.get("/docs", include_in_schema=False)\n'
        "async def docs() -> Response:\n"
        '    page = "<!doctype html><title>API</title><script id=\\"api-reference\\" data-url=\\"/openapi.json\\"></script>"\n'
        '    return Response(page, media_type="text/html")\n',
    )
    plan.replace_in_source(APPLICATION, "lifespan=lifespan)", "lifespan=lifespan, docs_url=None)")
