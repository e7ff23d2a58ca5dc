"""What openapi.json says besides the code: bodies of all statuses, bodies that the code reads by itself, and who may call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api import schemas

JSON = "application/json"
BEARER = "HTTPBearer"
SIGNATURE = "WebhookSignature"
REFUSED_BY_STORAGE = "default"
SCHEMES = {
    BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    SIGNATURE: {
        "type": "apiKey",
        "in": "header",
        "name": "X-Webhook-Signature",
        "description": "HMAC-SHA256 of the body in hexadecimal digits, keyed by the job's webhook secret",
    },
}
REASONS = {
    400: "The body cannot be read, or a value in it is not accepted",
    401: "Missing or wrong credentials",
    403: "Not the caller's own",
    404: "The caller has nothing with this id",
    409: "In conflict with what there is",
    413: "Larger than the published limit",
    429: "More than the published limits",
    502: "Storage does not respond as it should",
    503: "A service that this needs does not respond as it should, or is not called at present",
}
PDF = {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
CHALLENGE = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}


@dataclass(frozen=True)
class Operation:
    """The body of a success, and the statuses of refusals; `other` holds those with a body of their own."""

    success: type[BaseModel]
    refusals: tuple[int, ...] = ()
    request: type[BaseModel] | Mapping[str, Any] | None = None
    scheme: str = ""
    status: int = 200
    other: Mapping[int | str, type[BaseModel]] = field(default_factory=dict)

    def models(self) -> Iterator[type[BaseModel]]:
        """All models of this operation."""
        yield from (self.success, schemas.Refusal, *self.other.values())
        if isinstance(self.request, type):
            yield self.request


def _of_user(success: type[BaseModel], *refusals: int, **more: Any) -> Operation:
    return Operation(success, (401, *refusals, 503), scheme=BEARER, **more)


HEALTH = Operation(schemas.Health, other={500: schemas.HealthError})
CHAT = _of_user(schemas.Answer, 400)
UPLOADS = "/api/upload-pipeline"
STATUS_PATH = "/documents/{document_id}/status"
OPERATIONS = {
    "GET /": Operation(schemas.Root),
    "GET /health": HEALTH,
    "GET /api/v1/status": Operation(schemas.Status),
    "POST /register": Operation(schemas.Registered, (400, 409, 503), schemas.Registration),
    "POST /login": Operation(schemas.SignedIn, (400, 401, 503), schemas.Credentials),
    "POST /auth/signup": Operation(schemas.SignedUp, (400, 409, 503), status=201),
    "POST /auth/login": Operation(schemas.SignedIn, (400, 401, 503)),
    "GET /me": _of_user(schemas.Identity),
    "GET /auth/user": _of_user(schemas.Identity),
    f"POST {UPLOADS}/upload": _of_user(schemas.UploadTicket, 400, 413, 429, 502, other={409: schemas.DuplicateDocument}),
    f"PUT {UPLOADS}/upload-file-proxy/{{bucket}}/{{key}}": _of_user(
        schemas.Stored, 403, 413, request=PDF, other={REFUSED_BY_STORAGE: schemas.Refusal}
    ),
    f"GET {UPLOADS}/upload/limits": Operation(schemas.Limits),
    f"GET {UPLOADS}/jobs": _of_user(schemas.Jobs),
    f"GET {UPLOADS}/jobs/{{job_id}}": _of_user(schemas.Job, 404),
    f"POST {UPLOADS}/jobs/{{job_id}}/retry": _of_user(schemas.Job, 404, 409),
    f"GET {STATUS_PATH}": _of_user(schemas.DocumentStatus, 404),
    f"POST {UPLOADS}/webhook/llamaparse/{{job_id}}": Operation(
        schemas.Acknowledged, (400, 401, 404, 503), schemas.Callback, scheme=SIGNATURE
    ),
    "POST /chat": CHAT,
    "POST /api/chat": CHAT,
}


def _body(model: type[BaseModel]) -> dict[str, Any]:
    return {"content": {JSON: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}}


def _link(path: str, name: str) -> dict[str, Any]:
    """To the operation that reads what this one has made."""
    pointer = path.replace("/", "~1")
    return {"operationRef": f"#/paths/{pointer}/get", "parameters": {name: f"$response.body#/{name}"}}


def _complete(found: dict[str, Any], operation: Operation) -> None:
    responses: dict[str, Any] = found["responses"]
    responses.setdefault(str(operation.status), {"description": "Successful Response"}).update(_body(operation.success))
    for status in operation.refusals:
        responses[str(status)] = {"description": REASONS[status], **_body(schemas.Refusal)}
    for other, model in operation.other.items():
        responses[str(other)] = {"description": str(model.__doc__), **_body(model)}
    if operation.scheme == BEARER:
        responses["401"]["headers"] = CHALLENGE
    if operation.scheme:
        found["security"] = [{operation.scheme: []}]
    if isinstance(operation.request, type):
        found["requestBody"] = {"required": True, **_body(operation.request)}
    elif operation.request:
        found["requestBody"] = dict(operation.request)


def completed(found: dict[str, Any]) -> dict[str, Any]:
    """The description with all of that; what the release does not offer is left out."""
    models = {model for operation in OPERATIONS.values() for model in operation.models()}
    _, made = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    components = found.setdefault("components", {})
    components.setdefault("schemas", {}).update(made["$defs"])
    components["securitySchemes"] = SCHEMES
    for path, methods in found["paths"].items():
        for method, known in methods.items():
            if operation := OPERATIONS.get(f"{method.upper()} {path}"):
                _complete(known, operation)
    if STATUS_PATH in found["paths"] and (upload := found["paths"].get(f"{UPLOADS}/upload", {}).get("post")):
        upload["responses"]["200"]["links"] = {"document": _link(STATUS_PATH, "document_id")}
    return found


def describe(app: FastAPI) -> None:
    """Complete what the application shows as its openapi.json."""
    made = app.openapi
    app.openapi = cache(lambda: completed(made()))
