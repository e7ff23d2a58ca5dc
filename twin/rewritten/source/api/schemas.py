"""The shapes of requests and responses, as JSON Schema."""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string"}
ID = {"type": "string", "format": "uuid"}
TIME = {"type": "string", "format": "date-time"}
COUNT = {"type": "integer", "minimum": 0}
BOOLEAN = {"type": "boolean"}
STATE = {"type": "string", "enum": ["queued", "working", "retryable", "done", "deadletter"]}
PASSWORD = {"type": "string", "minLength": 1, "maxLength": 1000}
EMAIL = {"type": "string", "format": "email"}
NAME = {"type": "string", "minLength": 1, "maxLength": 200}


def _optional(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "nullable": True}


def _object(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


USER = _object({"id": ID, "email": TEXT, "name": TEXT, "created_at": _optional(TIME)})
SERVICE = _object({"healthy": BOOLEAN, "status": TEXT, "error": _optional(TEXT), "last_check": TIME})
SESSION = {"token_type": TEXT, "access_token": TEXT, "expires_in": _optional(COUNT), "user": USER}
JOB = _object(
    {
        "job_id": ID,
        "document_id": ID,
        "status": TEXT,
        "state": STATE,
        "progress": {"type": "object"},
        "retry_count": COUNT,
        "last_error": _optional({"type": "object"}),
        "cost_cents": {"type": "number", "minimum": 0},
        "created_at": TIME,
        "updated_at": TIME,
    }
)
SOURCE = _object({"document_id": ID, "filename": TEXT, "chunk_ord": COUNT, "text": TEXT, "similarity": {"type": "number"}})
METADATA = _object(
    {
        "processing_time": {"type": "number", "minimum": 0},
        "confidence": {"type": "number"},
        "agent_sources": _list(TEXT),
        "chunks": COUNT,
    }
)
REQUESTS: dict[str, Any] = {
    "Registration": _object({"email": EMAIL, "password": PASSWORD, "name": NAME}),
    "Signup": _object({"email": EMAIL, "password": PASSWORD, "consent_version": NAME, "consent_timestamp": TIME}),
    "Credentials": _object({"email": EMAIL, "password": PASSWORD}),
    "Document": _object(
        {
            "filename": {"type": "string", "minLength": 1, "maxLength": 120, "pattern": r"^[^/\\]+$"},
            "bytes_len": {"type": "integer", "minimum": 1},
            "mime": {"type": "string", "enum": ["application/pdf"]},
            "sha256": {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"},
            "ocr": BOOLEAN,
        },
        "ocr",
    ),
    "Callback": _object(
        {
            "status": {"type": "string", "enum": ["completed", "failed"]},
            "result": {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]},
            "error": TEXT,
        },
        "result",
        "error",
    ),
    "Question": _object(
        {
            "message": {"type": "string", "minLength": 1, "maxLength": 20000},
            "conversation_id": _optional(TEXT),
            "user_language": _optional(TEXT),
            "context": _optional({"type": "object"}),
        },
        "conversation_id",
        "user_language",
        "context",
    ),
}
ANSWERS: dict[str, Any] = {
    "Error": _object({"error": _object({"code": TEXT, "message": TEXT})}),
    "Greeting": _object({"service": TEXT, "version": TEXT}),
    "Health": _object(
        {
            "status": {"type": "string", "enum": ["healthy", "degraded", "error"]},
            "version": TEXT,
            "timestamp": TIME,
            "services": {"type": "object", "additionalProperties": SERVICE},
        }
    ),
    "Status": _object({"status": TEXT, "environment": TEXT, "version": TEXT, "database": TEXT, "timestamp": TIME}),
    "User": USER,
    "Created": _object({"user": USER, "token_type": TEXT, "access_token": _optional(TEXT)}),
    "SignedIn": _object(SESSION),
    "Upload": _object({"job_id": ID, "document_id": ID, "signed_url": TEXT, "upload_expires_at": TIME}),
    "Duplicate": _object({"error_type": TEXT, "message": TEXT, "document_title": TEXT, "last_uploaded": TIME}),
    "Limits": _object(
        {
            "max_file_size_bytes": COUNT,
            "max_filename_length": COUNT,
            "max_concurrent_jobs_per_user": COUNT,
            "max_uploads_per_day_per_user": COUNT,
            "supported_mime_types": _list(TEXT),
            "signed_url_ttl_seconds": COUNT,
        }
    ),
    "Stored": _object({"status": TEXT, "path": TEXT}),
    "Job": JOB,
    "Jobs": _object({"items": _list(JOB), "limit": COUNT, "offset": COUNT}),
    "Retried": _object({"job_id": ID, "status": TEXT, "state": STATE}),
    "DocumentStatus": _object(
        {
            "document_id": ID,
            "filename": TEXT,
            "processing_status": _optional(TEXT),
            "status": _optional(TEXT),
            "job": {"nullable": True, "allOf": [JOB]},
            "created_at": TIME,
            "updated_at": TIME,
        }
    ),
    "Received": _object({"received": BOOLEAN, "repeated": BOOLEAN, "status": TEXT}),
    "Answer": _object(
        {
            "text": TEXT,
            "response": TEXT,
            "conversation_id": TEXT,
            "timestamp": TIME,
            "metadata": METADATA,
            "sources": _list(SOURCE),
            "success": BOOLEAN,
        }
    ),
}
SCHEMAS = REQUESTS | ANSWERS
