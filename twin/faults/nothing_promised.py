"""Faults of what every answer promises, in answers that no check judges by themselves."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
APPLICATION = "api/application.py"
UPLOADS = "api/uploads.py"


@fault(
    "N03",
    "refusals with 409 name the framework with its version, in a header of its own",
    "api",
    "postdeploy",
    mode="-",
    about="*X-Powered-By*|*version*",
)
def banner_of_a_refusal(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "    return JSONResponse(body, status_code=error.status_code, headers=error.headers)\n",
        '    banner = {"X-Powered-By": "FastAPI/0.115.2"} if error.status_code == 409 else {}\n'
        "    return JSONResponse(body, status_code=error.status_code, headers={**(error.headers or {}), **banner})\n",
    )


@fault(
    "N11",
    "the refusal of a file above the limit is a bare `true`",
    "api",
    "postdeploy",
    mode="-",
    about="*upload*|*fields*|*says what*",
)
def refusal_without_a_reason(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '        raise HTTPException(413, f"larger than {MAX_FILE_SIZE_BYTES} bytes")\n    document_id',
        '        raise HTTPException(413, {"too_large": True})\n    document_id',
    )


@fault(
    "N16",
    "refusals below /documents all have one request id",
    "api",
    "postdeploy",
    mode="-",
    about="*X-Request-ID*",
)
def one_id_for_all_refusals(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "        REQUEST_ID.set(request_id)\n",
        '        if scope["path"].startswith("/documents/"):\n'
        '            request_id = str(uuid.uuid5(uuid.NAMESPACE_URL, "documents"))\n'
        "        REQUEST_ID.set(request_id)\n",
    )


@fault(
    "N17",
    "the process time of refusals is in milliseconds",
    "api",
    "postdeploy",
    mode="-",
    about="*X-Process-Time*",
)
def milliseconds_of_refusals(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        '                spent = f"{time.perf_counter() - started:.6f}"\n',
        '                factor = 1000 if message["status"] == 409 else 1\n'
        '                spent = f"{factor * (time.perf_counter() - started):.6f}"\n',
    )


@fault(
    "N18",
    "refusals with 409 say that they are plain text",
    "api",
    "postdeploy",
    mode="-",
    about="*plain*|*JSON*|*json*",
)
def refusal_as_plain_text(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "    return JSONResponse(body, status_code=error.status_code, headers=error.headers)\n",
        '    kind = "text/plain" if error.status_code == 409 else None\n'
        "    return JSONResponse(body, status_code=error.status_code, headers=error.headers, media_type=kind)\n",
    )


@fault(
    "N19",
    "the refusal of a body that cannot be read names the line of the source",
    "api",
    "postdeploy",
    mode="F21|-",
    about="*source*|*traceback*|*inside*|*secret*",
)
def refusal_names_the_source(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '        raise HTTPException(400, "body is not JSON") from error\n',
        '        where = error.__traceback__.tb_frame.f_code.co_filename if error.__traceback__ else ""\n'
        '        raise HTTPException(400, f"body is not JSON ({where}: {type(error).__name__})") from error\n',
    )
