"""Variants of how the API refuses: bodies of errors, and statuses between which the contract leaves a choice."""

from __future__ import annotations

from typing import Any

from twin.plan import Plan
from twin.variants import variant
from twin.variants.release import reshape, retouch
from twin.variants.reshaped import Headers

APPLICATION = "api/application.py"
AUTH = "api/auth.py"
DETAIL = '    body = error.detail if isinstance(error.detail, dict) else {"detail": error.detail}\n'


def _in_an_envelope(method: str, path: str, status: int, body: Any) -> Any:
    if status < 400 or not isinstance(body, dict) or path == "/health":
        return body
    detail = body.get("detail")
    inner = body if detail is None else {"code": f"E{status}", "message": str(detail)[:80]}
    return {"error": inner, "request": {"method": method}}


@variant("V40", "errors are objects under `error`, with a code and a message")
def errors_in_an_envelope(plan: Plan) -> None:
    reshape(plan, _in_an_envelope)


def _as_a_problem(method: str, path: str, status: int, body: Any) -> Any:
    if status < 400 or not isinstance(body, dict) or path == "/health":
        return body
    detail = body.pop("detail", None)
    return {"type": "about:blank", "title": "Refused", "status": status, "detail": str(detail)[:80], "instance": method, **body}


def _problem_type(method: str, path: str, status: int, headers: Headers) -> tuple[int, Headers]:
    if status < 400 or path == "/health" or method == "OPTIONS":
        return status, headers
    kept = [(name, value) for name, value in headers if name.lower() != b"content-type"]
    return status, [*kept, (b"Content-Type", b"application/problem+json")]


@variant("V41", "errors are problem details (application/problem+json)")
def problem_details(plan: Plan) -> None:
    reshape(plan, _as_a_problem)
    retouch(plan, _problem_type)


@variant("V42", "errors are FastAPI's own: every refusal below `detail`, lists of 422 with context and links")
def errors_of_the_framework(plan: Plan) -> None:
    plan.replace_in_source(APPLICATION, DETAIL, '    body = {"detail": error.detail}\n')
    plan.replace_in_source(
        APPLICATION,
        '"msg": item["msg"], "type": item["type"]} for',
        '"msg": item["msg"], "type": item["type"],\n'
        '              "ctx": {"limit": 1}, "url": "https://errors.pydantic.dev/2/v/" + item["type"]} for',
    )


def _message_only(method: str, path: str, status: int, body: Any) -> Any:
    if status < 400 or not isinstance(body, dict) or "detail" not in body:
        return body
    return {"message": str(body["detail"])[:80], "statusCode": status, "success": False}


@variant(
    "V43", "errors hold a message only; missing fields of a sign-up are 400, a known address is 400; challenges name a realm"
)
def other_statuses(plan: Plan) -> None:
    reshape(plan, _message_only)
    plan.replace_in_source(AUTH, "HTTPException(409 if", "HTTPException(400 if")
    plan.replace_in_source(
        AUTH, '"WWW-Authenticate": "Bearer"', '"WWW-Authenticate": \'bearer realm="staging", error="invalid_token"\''
    )
    plan.replace_in_source(
        APPLICATION,
        "async def _invalid(_: Request, error: Exception) -> JSONResponse:\n",
        "async def _invalid(_: Request, error: Exception) -> JSONResponse:\n"
        '    if _.url.path == "/auth/signup":\n'
        '        return JSONResponse({"detail": "a field is missing"}, status_code=400)\n',
    )


@variant("V44", "a route for OPTIONS takes every path, so unknown pages answer 405")
def options_everywhere(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "    own_host = urlsplit",
        '    @app.options("/{path:path}", include_in_schema=False)\n'
        "    async def options(path: str) -> JSONResponse:\n"
        '        return JSONResponse({}, headers={"Allow": "GET, POST, PUT, OPTIONS"})\n\n'
        "    own_host = urlsplit",
    )


@variant("V45", "pages end with a slash: without it they answer with a redirect (307 or 308) to the same page")
def redirects_with_a_slash(plan: Plan) -> None:
    for file, path in (("api/jobs.py", "/api/upload-pipeline/jobs"), ("api/auth.py", "/me"), ("api/auth.py", "/login")):
        plan.replace_in_source(file, f'("{path}"', f'("{path}/"')
    retouch(plan, _permanent)


def _permanent(method: str, path: str, status: int, headers: Headers) -> tuple[int, Headers]:
    return (308 if status == 307 and path == "/me" else status), headers


@variant("V46", "a signed URL has more parameters behind its token; storage answers 201, and 403 for an altered token")
def other_signed_urls(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/shared/storage.py",
        '(await self._files.create_signed_upload_url(key))["signed_url"]',
        '(await self._files.create_signed_upload_url(key))["signed_url"] + "&content-type=application%2Fpdf&x-id=PutObject"',
    )
    plan.behaviour.setdefault("supabase", {}).update({"stored": 201, "altered": 403})


UPLOAD_ROUTE = '''

@router.put("/api/upload-pipeline/files/{{token:path}}", include_in_schema=False)
async def receive_file(token: str, request: Request) -> Response:
    """Pass the bytes on to storage."""
    config = request.app.state.config
    key, _, signature = token.rpartition("/")
    url = f"{{config.storage_url}}/object/upload/sign/{{BUCKET}}/{{key}}?token={{signature}}"
    reply = await request.app.state.client.http.put(
        url, content=await request.body(), headers={{"Content-Type": "application/pdf"}}
    )
    return Response(reply.content, status_code=reply.status_code, media_type="application/json")
'''


@variant("V47", "the signed URL is a path of the API, with its signature in the last part")
def signed_url_of_the_api(plan: Plan) -> None:
    file = "api/uploads.py"
    plan.replace_in_source(file, '        "signed_url": url,\n', '        "signed_url": _own_url(url),\n')
    plan.replace_in_source(
        file,
        "\n\nasync def _insert(",
        "\n\ndef _own_url(url: str) -> str:\n"
        '    key, _, signature = url.partition(f"/object/upload/sign/{BUCKET}/")[2].partition("?token=")\n'
        '    return f"/api/upload-pipeline/files/{key}/{signature}"\n'
        "\n\nasync def _insert(",
    )
    text = (plan.source / file).read_text()
    (plan.source / file).write_text(text + UPLOAD_ROUTE.format())
