"""Faults by another hand: uploads to the byte."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "LB13",
    "the same content is registered twice when its hash comes in capitals the second time",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*sha256*|*hash*|*duplicate*|*capital*|*/api/upload-pipeline/upload*",
)
def hash_in_capitals(plan: Plan) -> None:
    # certutil on Windows prints capitals, which are hexadecimal digits as well.
    plan.replace_in_source("api/uploads.py", '"^[0-9a-f]{64}$"', '"^[0-9a-fA-F]{64}$"')


@fault(
    "LB14",
    "content that another user has finished is refused as a duplicate, with that user's file name",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*same content*|*duplicate*|*another user*|*other user*|*file name*|*filename*",
)
def duplicate_of_another(plan: Plan) -> None:
    # Everybody has the same policy booklet; nobody should pay for parsing it twice.
    plan.replace_in_source(
        "api/uploads.py",
        "FROM documents WHERE user_id = $1 AND file_sha256 = $2",
        "FROM documents WHERE (user_id = $1 OR processing_status = 'complete') AND file_sha256 = $2",
    )


@fault(
    "LB15",
    "storage refuses documents between 5,000,000 bytes and the published 5 MiB, which the API has accepted",
    "storage/database",
    "postdeploy",
    mode="-",
    about="*file_size_limit*|*5242880*|*size*|*bucket*|*5 MiB*",
)
def decimal_megabytes(plan: Plan) -> None:
    # The bucket's limit is 5 MB, as the published one says.
    plan.sql.append("UPDATE storage.buckets SET file_size_limit = 5 * 1000 * 1000 WHERE id = 'files'")


@fault(
    "LB16",
    "jobs that wait for their upload or their next attempt no longer count: a user has three at once",
    "api/uploads",
    "postdeploy",
    mode="F34|-",
    about="*running jobs*|*429*|*at once*|*concurrent*|*limit*",
)
def waiting_is_not_running(plan: Plan) -> None:
    # A job that waits for its next attempt runs nothing.
    running = "j.state IN ('queued', 'working'"
    plan.replace_in_source("api/uploads.py", f"{running}, 'retryable')", f"{running})")


@fault(
    "LB17",
    "the upload proxy says success before storage has answered, and so of what storage refuses",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*proxy*",
)
def proxy_does_not_wait(plan: Plan) -> None:
    path = "api/uploads.py"
    plan.replace_in_source(
        path,
        "import APIRouter, HTTPException, Request, Response\n",
        "import APIRouter, BackgroundTasks, HTTPException, Request, Response\n",
    )
    plan.replace_in_source(
        path,
        "async def upload_proxy(bucket: str, key: str, user: CurrentUser, request: Request) -> dict[str, str]:",
        "async def upload_proxy(\n    bucket: str, key: str, user: CurrentUser, request: Request, later: BackgroundTasks\n"
        ") -> dict[str, str]:",
    )
    # Storage takes a while for large files, and the browser need not wait for it.
    plan.replace_in_source(
        path,
        "    try:\n"
        '        await request.app.state.storage.create(key, body, request.headers.get("content-type", "application/pdf"))\n'
        "    except StorageError as error:\n"
        '        raise HTTPException(error.status, "storage refused the file") from error\n'
        "    except CallError as error:\n"
        '        raise not_served(error, "storage did not store the file") from error\n',
        '    kind = request.headers.get("content-type", "application/pdf")\n'
        "    later.add_task(request.app.state.storage.create, key, body, kind)\n",
    )
