"""Variants of the bodies of /health, the status page and the chat."""

from __future__ import annotations

from typing import Any

from twin.plan import Plan
from twin.variants import variant
from twin.variants.release import reshape, retouch
from twin.variants.reshaped import Headers


def _words(method: str, path: str, status: int, body: Any) -> Any:
    words = {
        "database": "connected (pool 3/8)",
        "supabase_auth": "ok",
        "openai": "up",
        "llamaparse": "healthy",
        "rag": "ok: 12 ms",
    }
    if path == "/health":
        broken = [value for value in body["services"].values() if str(value).startswith("error")]
        body["services"] = body["services"] if broken else words | {"redis": "not_configured"}
    if path == "/api/v1/status":
        body |= {"database": {"status": body["database"], "latency_ms": 1.2}}
    return body


@variant("V62", "health as words, with details; the database of the status page as an object")
def health_in_words(plan: Plan) -> None:
    reshape(plan, _words)


def _objects(method: str, path: str, status: int, body: Any) -> Any:
    if path != "/health" or status != 200:
        return body
    found = {}
    for name, value in body["services"].items():
        word = value["status"] if isinstance(value, dict) else value
        found[name] = {"status": word, "latency_ms": 3.5, "error": None} | (
            {"healthy": word == "healthy"} if name != "rag" else {}
        )
    found["anthropic"] = {"status": "error", "healthy": False, "required": False, "error": "overloaded"}
    optional = {"anthropic": "error: overloaded", "translation": {"healthy": False}}
    degraded = "degraded" if body["status"] == "healthy" else body["status"]
    return body | {"status": degraded, "services": found, "optional_services": optional}


@variant("V63", "health as objects; degraded because an optional part does not work")
def degraded_by_an_optional_part(plan: Plan) -> None:
    reshape(plan, _objects)


def _age(method: str, path: str, status: int, headers: Headers) -> tuple[int, Headers]:
    return status, [*headers, (b"Age", b"12"), (b"Cache-Control", b"public, max-age=30")] if path == "/health" else headers


@variant("V64", "health is cached for the whole 30 s, and says so by Age and Cache-Control")
def cached_health(plan: Plan) -> None:
    plan.replace_in_source("api/health.py", "CACHE_SECONDS / request.app.state.config.speedup", "CACHE_SECONDS")
    retouch(plan, _age)


def _named_version(method: str, path: str, status: int, body: Any) -> Any:
    if path == "/health" and "version" in body:
        body["version"] = f"insurance-navigator v{body['version']} (build 77)"
    if path == "/api/v1/status":
        body |= {"version": f"v{body['version']}+g{body['commit'][:7]}", "commit": body["commit"][:8]}
    return body


def _product(method: str, path: str, status: int, headers: Headers) -> tuple[int, Headers]:
    return status, [*headers, (b"server", b"h2o-edge (eu-west-1, pop 7)")]


@variant(
    "V65",
    "a version with product, v and build, a short commit; a Server header with digits that are no version",
)
def named_version(plan: Plan) -> None:
    reshape(plan, _named_version)
    retouch(plan, _product)
    plan.api_arguments += ["--no-server-header"]


def _other_sources(method: str, path: str, status: int, body: Any) -> Any:
    if not path.endswith("/chat") or status != 200 or body["sources"] == ["system"]:
        return body
    usage = {"input_tokens": 310, "output_tokens": None, "models": [{"id": "gpt-4o-mini"}]}
    body["metadata"] |= {
        "error": "",
        "error_type": None,
        "usage": usage,
        "processing_time": "0.812 s",
        "trace": ["rag", "chat"],
    }
    sources = [source["filename"] for source in body["sources"]]
    return body | {"sources": sources, "suggestions": [], "success": True}


@variant("V66", "chat names its sources by file; longer metadata with empty errors; answers without a length")
def sources_by_name(plan: Plan) -> None:
    reshape(plan, _other_sources)
    retouch(plan, _streamed)


def _streamed(method: str, path: str, status: int, headers: Headers) -> tuple[int, Headers]:
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return status, kept if path.endswith("/chat") else headers
