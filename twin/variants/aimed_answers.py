"""Variants aimed at the shapes of the API's answers; each says what allows it."""

from __future__ import annotations

from typing import Any

from twin.plan import Plan
from twin.variants import variant
from twin.variants.release import APPLICATION, DESCRIBED, reshape

JOBS = "api/jobs.py"
WEBHOOK = "api/webhook.py"
CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"


def _unix_times(method: str, path: str, status: int, body: Any) -> Any:
    import json
    import re
    from datetime import datetime

    if path == "/openapi.json":
        return body

    def unix(found: re.Match[str]) -> str:
        return f"{datetime.fromisoformat(found[1]).timestamp():.3f}"

    return re.sub(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00))"', unix, json.dumps(body))


@variant("W25", "times are numbers: seconds since 1970, with fractions")
def unix_times(plan: Plan) -> None:
    """Contract, HTTP API: timestamp, upload_expires_at and updated_at are named, in no form."""
    reshape(plan, _unix_times)


def _status_in_other_words(method: str, path: str, status: int, body: Any) -> Any:
    if path == "/api/v1/status" and status == 200:
        works = body["database"] == "connected"
        return body | {"status": "operational" if works else "outage", "database": works, "environment": "Staging"}
    return body


@variant("W26", "the status page says `operational`, whether the database works by true, and Staging with a capital")
def status_in_other_words(plan: Plan) -> None:
    """Contract: GET /api/v1/status has these five fields; which words or types they hold is not said."""
    reshape(plan, _status_in_other_words)


def _public_description(method: str, path: str, status: int, body: Any) -> Any:
    if path == "/openapi.json":
        for hidden in [name for name in body["paths"] if "webhook" in name or "proxy" in name]:
            del body["paths"][hidden]
        for hidden in ("/register", "/login", "/chat", "/health", "/"):
            body["paths"].pop(hidden, None)
    return body


@variant("W27", "openapi.json describes what the front end uses, and neither the webhook nor aliases nor operators' pages")
def public_description(plan: Plan) -> None:
    """Contract: GET /openapi.json is 200; it does not say what is described there."""
    reshape(plan, _public_description)


@variant("W28", "a retry and a callback are acknowledged without a body")
def acknowledged_without_a_body(plan: Plan) -> None:
    """Contract: POST …/retry and the webhook succeed with 200, and no body is named."""
    plan.replace_in_source(JOBS, "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(
        JOBS,
        '    return _view(row)\n\n\n@router.get("/documents/',
        '    return Response()\n\n\n@router.get("/documents/',
    )
    plan.replace_in_source(
        JOBS, 'request: Request) -> dict[str, Any]:\n    """Queue', 'request: Request) -> Response:\n    """Queue'
    )
    plan.replace_in_source(
        WEBHOOK, "import APIRouter, HTTPException, Request\n", "import APIRouter, HTTPException, Request, Response\n"
    )
    plan.replace_in_source(WEBHOOK, "request: Request) -> dict[str, str]:", "request: Request) -> Response:")
    plan.replace_in_source(WEBHOOK, 'return {"status": "ignored"}', "return Response()")
    plan.replace_in_source(WEBHOOK, 'return {"status": "ok"}', "return Response()")
    for file, path in ((JOBS, "jobs/{job_id}/retry"), (WEBHOOK, "webhook/llamaparse/{job_id}")):
        old = f'@router.post("/api/upload-pipeline/{path}"'
        plan.replace_in_source(file, old, f"{old}, response_class=Response")
    # The framework's own description: of these two it says that there is no body.
    plan.replace_in_source(APPLICATION, DESCRIBED, "")


def _steps(method: str, path: str, status: int, body: Any) -> Any:
    if not path.startswith("/documents/") or status != 200:
        return body
    order = ["uploaded", "parse_queued", "parsed", "parse_validated", "chunks_stored", "embeddings_stored", "complete"]
    reached = order.index(body["status"]) if body["status"] in order else -1
    steps: list[Any] = [{"step": name, "reached": number <= reached} for number, name in enumerate(order)]
    return [*steps, {"step": body["status"], "state": body["state"], "at": body["updated_at"], "error": body["last_error"]}]


@variant("W29", "the status of a document is the list of its steps")
def document_as_steps(plan: Plan) -> None:
    """Contract: GET /documents/{document_id}/status is 200 for the owner; its body is not described."""
    reshape(plan, _steps)


def _only_a_message(method: str, path: str, status: int, body: Any) -> Any:
    if path in ("/register", "/auth/signup") and status < 300:
        return {"message": "Your account is ready. Please sign in.", "next": "/login"}
    return body


@variant("W30", "registering and signing up answer with a message, and tell nothing of the account")
def accounts_with_a_message(plan: Plan) -> None:
    """Contract: POST /register is `200, user created`, POST /auth/signup is 201; sign in afterwards. No field is named."""
    reshape(plan, _only_a_message)


def _linked_jobs(method: str, path: str, status: int, body: Any) -> Any:
    if path != "/api/upload-pipeline/jobs" or status != 200:
        return body
    page = {"size": body["limit"], "offset": body["offset"]}
    return {"_links": {"self": {"href": path}}, "page": page, "_embedded": {"jobs": body["jobs"]}}


@variant("W31", "the listing of jobs is HAL: links, a page, and the jobs below _embedded")
def linked_listing(plan: Plan) -> None:
    """Contract: GET …/jobs is 200 with the caller's jobs only; how they are wrapped is left open."""
    reshape(plan, _linked_jobs)


def _short_jobs(method: str, path: str, status: int, body: Any) -> Any:
    if path != "/api/upload-pipeline/jobs" or status != 200:
        return body
    shown = [{"id": job["job_id"], "state": job["state"], "created": job["created_at"]} for job in body["jobs"]]
    return body | {"jobs": shown}


@variant("W32", "the listing shows each job in short: its id as `id`, its state and its time")
def short_jobs(plan: Plan) -> None:
    """Contract: the fields of a job are those of GET …/jobs/{job_id}; an entry of the listing has none named."""
    reshape(plan, _short_jobs)


@variant("W33", "ids of conversations are made by the service; one that it does not know begins a new conversation")
def own_conversations(plan: Plan) -> None:
    """Contract: a question may carry conversation_id, and an answer has one; that a caller may invent one is not said."""
    plan.replace_in_source(
        CHAT,
        '"conversation_id": body.conversation_id or str(uuid.uuid4()),',
        '"conversation_id": _conversation(body.conversation_id),',
    )
    plan.replace_in_source(
        CHAT,
        "\n\ndef _body(",
        "\n\n_KNOWN: set[str] = set()\n\n\n"
        "def _conversation(given: str | None) -> str:\n"
        "    if given in _KNOWN:\n"
        "        return str(given)\n"
        '    made = f"conv_{uuid.uuid4().hex}"\n'
        "    _KNOWN.add(made)\n"
        "    return made\n"
        "\n\ndef _body(",
    )


def _short_text(method: str, path: str, status: int, body: Any) -> Any:
    if path.endswith("/chat") and status == 200 and len(body["text"]) > 40:
        body["text"] = body["text"][:40].rstrip() + "…"
    return body


@variant("W34", "`text` of an answer is its beginning, for a notification; `response` is the whole")
def short_text(plan: Plan) -> None:
    """Contract: an answer has text and response; why there are two is not said."""
    reshape(plan, _short_text)


def _documents_too(method: str, path: str, status: int, body: Any) -> Any:
    if path.endswith("/chat") and status == 200:
        passages = [source for source in body["sources"] if isinstance(source, dict)]
        names = {source["document_id"]: source["filename"] for source in passages}
        documents = [{"type": "document", "document_id": each, "filename": name} for each, name in names.items()]
        body["sources"] += [{"type": "user", "label": "Your documents"}, *documents] if documents else []
    return body


@variant("W35", "the sources of an answer are its passages, and behind them the documents that these come from")
def documents_too(plan: Plan) -> None:
    """Contract, RAG: at most RAG_MAX_CHUNKS chunks; `sources` of the answer may name more than chunks."""
    reshape(plan, _documents_too)


@variant("W36", "the sources of an answer are shown in the order of the document, as a reader expects it")
def sources_as_read(plan: Plan) -> None:
    """Contract, RAG: retrieval is best first; in which order an answer lists its sources is not said."""
    plan.replace_in_source(RETRIEVAL, "    similarity: float\n", "    similarity: float\n    chunk_ord: int\n")
    plan.replace_in_source(RETRIEVAL, "d.filename, c.text,", "d.filename, c.text, c.chunk_ord,")
    plan.replace_in_source(
        CHAT, "        _sources(passages),\n", "        _sources(sorted(passages, key=lambda p: (p.filename, p.chunk_ord))),\n"
    )
