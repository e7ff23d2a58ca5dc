"""Uploads that come again, late or never: duplicates, what a refusal leaves, and how long a file is awaited."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

UPLOADS = "api/uploads.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "NU01",
    "a duplicate is known by its hash and its name, so another name stores the content again",
    "api/database",
    "postdeploy",
    mode="-",
    about="endpoint POST /api/upload-pipeline/upload",
)
def duplicates_by_name(plan: Plan) -> None:
    plan.sql.append("ALTER TABLE upload_pipeline.documents DROP CONSTRAINT documents_user_file_unique")
    plan.replace_in_source(
        UPLOADS, "document_id_of(user.id, body.sha256)", "document_id_of(user.id, body.sha256 + body.filename)"
    )
    plan.replace_in_source(
        UPLOADS, "await _refuse_duplicate(connection, user, body.sha256)", "await _refuse_duplicate(connection, user, body)"
    )
    plan.replace_in_source(UPLOADS, "user: Caller, sha256: str) -> None:", "user: Caller, body: UploadRequest) -> None:")
    plan.replace_in_source(
        UPLOADS,
        'WHERE user_id = $1 AND file_sha256 = $2",\n        user.id,\n        sha256,\n',
        'WHERE user_id = $1 AND file_sha256 = $2 AND filename = $3",\n'
        "        user.id,\n        body.sha256,\n        body.filename,\n",
    )


@fault(
    "NU02",
    "a file that is too large is registered before it is refused",
    "api/database",
    "postdeploy",
    mode="-",
    about="endpoint POST /api/upload-pipeline/upload",
)
def refused_and_registered(plan: Plan) -> None:
    size = (
        "    if body.bytes_len > MAX_FILE_SIZE_BYTES:\n"
        '        raise HTTPException(413, f"larger than {MAX_FILE_SIZE_BYTES} bytes")\n'
    )
    plan.replace_in_source(UPLOADS, f"{size}    document_id = document_id_of", "    document_id = document_id_of")
    plan.replace_in_source(
        UPLOADS,
        '    log.info("accepted a document of',
        f'{size}    log.info("accepted a document of',
    )


@fault(
    "NU03",
    "two requests for the same file at once break: nothing makes the second one wait for the first",
    "api/database",
    "postdeploy",
    mode="-",
    about="endpoint POST /api/upload-pipeline/upload",
)
def no_lock(plan: Plan) -> None:
    # As long as a busy storage takes to sign.
    plan.replace_in_source(UPLOADS, "import logging\n", "import asyncio\nimport logging\n")
    plan.replace_in_source(
        UPLOADS,
        "        await _refuse_over_limits(connection, user)\n",
        "        await _refuse_over_limits(connection, user)\n        await asyncio.sleep(0.2)\n",
    )
    plan.replace_in_source(
        UPLOADS, 'SELECT pg_advisory_xact_lock(hashtext($1))", str(user.id)', 'SELECT $1::text", str(user.id)'
    )


@fault(
    "NU04",
    "the worker gives up documents whose file is not there yet",
    "worker/pipeline",
    "postdeploy",
    mode="-",
    about="stage uploaded",
)
def no_patience(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "        except UploadPending:\n            await self.queue.wait_for_upload(job)\n",
        '        except UploadPending:\n            await self.queue.fail(job, PermanentError("there is no file"))\n',
    )


@fault(
    "NU05",
    "the API passes files on for links that have expired: it verifies the signature alone",
    "api/auth/storage",
    "postdeploy",
    mode="F25|-",
    about="token of an expired link",
)
def late_links(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '        "signed_url": url,\n',
        '        "signed_url": url.replace(f"{request.app.state.config.storage_url}/object/upload/sign/{BUCKET}",\n'
        '                                  "/api/upload-pipeline/late"),\n',
    )
    file = plan.source / UPLOADS
    file.write_text(file.read_text() + LATE_ROUTE.replace("SECRET", plan.config.jwt_secret))


LATE_ROUTE = '''

@router.put("/api/upload-pipeline/late/{key:path}", include_in_schema=False)
async def receive_file(key: str, token: str, request: Request) -> dict[str, str]:
    """Store the bytes for a token of storage, whenever they come."""
    import base64
    import hashlib
    import hmac
    import json

    signed, _, signature = token.rpartition(".")
    right = base64.urlsafe_b64encode(hmac.new(b"SECRET", signed.encode(), hashlib.sha256).digest()).decode().rstrip("=")
    body = signed.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) if right == signature else {}
    if claims.get("url") != f"{BUCKET}/{key}":
        raise HTTPException(403, "the link is altered")
    try:
        await request.app.state.storage.create(key, await request.body(), "application/pdf")
    except StorageError as error:
        raise HTTPException(error.status, "storage refused the file") from error
    return {"status": "success"}
'''
