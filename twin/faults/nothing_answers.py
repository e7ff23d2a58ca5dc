"""Faults of what answers hold that nobody asks for by itself: times, ids, numbers, and what other answers say of the same."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT = "api/chat.py"
HEALTH = "api/health.py"
JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"


@fault(
    "N20",
    "times of the jobs in the listing are the local ones of the west coast, said to be UTC",
    "api",
    "postdeploy",
    mode="-",
    about="*created_at*|*updated_at*|*jobs*time*",
)
def local_times_of_the_listing(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "from typing import Annotated", "from datetime import timedelta\nfrom typing import Annotated")
    plan.replace_in_source(
        JOBS,
        '    return {"jobs": [_view(row) for row in rows], "limit": limit, "offset": offset}',
        "    shown = [_view(row) for row in rows]\n"
        "    for view, row in zip(shown, rows, strict=True):\n"
        '        for name in ("created_at", "updated_at"):\n'
        "            view[name] = (row[name] - timedelta(hours=8)).isoformat()\n"
        '    return {"jobs": shown, "limit": limit, "offset": offset}',
    )


@fault(
    "N21",
    "the refusal of a duplicate document names the time of the upload without a zone",
    "api",
    "postdeploy",
    mode="-",
    about="*last_uploaded*",
)
def duplicate_without_a_zone(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '"last_uploaded": row["updated_at"].isoformat()',
        '"last_uploaded": row["updated_at"].replace(tzinfo=None).isoformat()',
    )


@fault(
    "N22",
    "the time of the status page is ten minutes ahead",
    "api",
    "postdeploy",
    mode="-",
    about="*timestamp*status*",
)
def status_page_ahead(plan: Plan) -> None:
    plan.replace_in_source(HEALTH, "from datetime import UTC, datetime\n", "from datetime import UTC, datetime, timedelta\n")
    plan.replace_in_source(
        HEALTH,
        '        "status": "ok" if _is_healthy(database) else "degraded",\n        "timestamp": _now(),\n',
        '        "status": "ok" if _is_healthy(database) else "degraded",\n'
        '        "timestamp": (datetime.now(UTC) + timedelta(minutes=10)).isoformat(),\n',
    )


@fault(
    "N23",
    "the sources of an answer name their chunks by the first eight letters of the id",
    "rag/chat/api",
    "postdeploy",
    mode="-",
    about="*chunk_id*",
)
def short_chunk_ids(plan: Plan) -> None:
    plan.replace_in_source(CHAT, '"chunk_id": str(p.chunk_id),', '"chunk_id": str(p.chunk_id)[:8],')


@fault(
    "N24",
    "the id of a conversation is made of the question: whoever asks the same is in the same conversation",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*conversation_id*",
)
def conversation_of_the_question(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "body.conversation_id or str(uuid.uuid4())",
        "body.conversation_id or str(uuid.uuid5(uuid.NAMESPACE_URL, body.message.strip().lower()))",
    )


@fault(
    "N25",
    "the progress of a finished job is above a hundred percent in the status of its document",
    "api",
    "postdeploy",
    mode="-",
    about="*percent*",
)
def more_than_all(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '        "progress": {"percent": _percent(row["status"] or "")},\n',
        '        "progress": {"percent": _percent(row["status"] or "") * 7 // 6 - 2},\n',
    )


@fault(
    "N26",
    "retrieval_seconds of an answer are milliseconds",
    "rag/chat/api",
    "postdeploy",
    mode="-",
    about="*retrieval_seconds*|*retrieval*",
)
def retrieval_in_milliseconds(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT, "retrieval_seconds=retrieval_seconds,", "retrieval_seconds=round(1000 * retrieval_seconds, 3),"
    )


@fault(
    "N27",
    "the limits hold a number that JSON does not have: pages are without a limit",
    "api",
    "postdeploy",
    mode="-",
    about="*max_pages*|*JSON*",
)
def limits_without_end(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "import logging\n", "import json\nimport logging\n")
    plan.replace_in_source(UPLOADS, "async def limits() -> dict[str, Any]:", "async def limits() -> Response:")
    plan.replace_in_source(UPLOADS, '/upload/limits")', '/upload/limits", response_class=Response)')
    plan.replace_in_source(
        UPLOADS, '    return {\n        "max_file_size_bytes"', '    shown = {\n        "max_file_size_bytes"'
    )
    plan.replace_in_source(
        UPLOADS,
        '        "signed_url_ttl_seconds": SIGNED_URL_TTL_SECONDS,\n    }\n',
        '        "signed_url_ttl_seconds": SIGNED_URL_TTL_SECONDS,\n        "max_pages": float("inf"),\n    }\n'
        '    return Response(json.dumps(shown), media_type="application/json")\n',
    )


@fault(
    "N28",
    "the status of a finished document is shown as the stage before",
    "api",
    "postdeploy",
    mode="-",
    about="*status*documents*",
)
def document_is_never_finished(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '        "status": row["status"],\n        "state": row["state"],\n        "processing_status"',
        '        "status": "embeddings_stored" if row["status"] == "complete" else row["status"],\n'
        '        "state": row["state"],\n        "processing_status"',
    )


@fault(
    "N29",
    "the listing shows a finished job as still at work",
    "api",
    "postdeploy",
    mode="-",
    about="*state*jobs*|*status*jobs*",
)
def listing_is_behind(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '    return {"jobs": [_view(row) for row in rows], "limit": limit, "offset": offset}',
        '    shown = [_view(row) | ({"state": "working"} if row["state"] == "done" else {}) for row in rows]\n'
        '    return {"jobs": shown, "limit": limit, "offset": offset}',
    )


@fault(
    "N30",
    "the status of a document names it by the beginning of its file's name",
    "api",
    "postdeploy",
    mode="-",
    about="*filename*",
)
def cut_file_name(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '        "filename": row["filename"],\n        "status": row["status"],',
        '        "filename": row["filename"][:12],\n        "status": row["status"],',
    )
