"""Variants of the shape of answers: listings, numbers, ids, times and keys, where the contract leaves them open."""

from __future__ import annotations

from typing import Any

from twin.plan import Plan
from twin.variants import variant
from twin.variants.release import reshape


def _more_keys(method: str, path: str, status: int, body: Any) -> Any:
    def more(value: Any, name: str = "") -> Any:
        if isinstance(value, list):
            return [more(item, name) for item in value]
        if not isinstance(value, dict):
            return value
        found = {key: more(item, key) for key, item in reversed(value.items())}
        if "job_id" in value and "state" in value:
            return {"job_id_legacy": 7, "status_text": "waiting", "webhook_secret_set": True, "errors": [], **found}
        if "email" in value:
            return {"user_id_hash": "9f2c", "email_verified": True, **found}
        if name == "services":
            return found
        if name == "metadata":
            return {"error_count": 0, "error": None, "errors": [], "warning": "", **found}
        return {"_links": {"self": path}, "version_api": 2, "document_id_legacy": 7, **found}

    return body if path == "/openapi.json" or status >= 400 else more(body)


@variant("V51", "keys in another order, and further keys that resemble known ones")
def more_keys(plan: Plan) -> None:
    reshape(plan, _more_keys)


def _bare_jobs(method: str, path: str, status: int, body: Any) -> Any:
    return body["jobs"] if path == "/api/upload-pipeline/jobs" and status == 200 else body


@variant("V52", "the listing of jobs is a bare list")
def bare_listing(plan: Plan) -> None:
    reshape(plan, _bare_jobs)


def _wrapped_jobs(method: str, path: str, status: int, body: Any) -> Any:
    if path != "/api/upload-pipeline/jobs" or status != 200:
        return body
    page = {"limit": body["limit"], "offset": body["offset"], "links": [], "filters": {"jobs": None}}
    return {"pagination": page, "warnings": [], "data": {"total": len(body["jobs"]), "items": body["jobs"]}}


@variant("V53", "the listing of jobs is wrapped twice, beside a page's description; 10 jobs a page by default")
def wrapped_listing(plan: Plan) -> None:
    reshape(plan, _wrapped_jobs)
    plan.replace_in_source("api/jobs.py", "Query(ge=1, le=100)] = 20", "Query(ge=1, le=100)] = 10")


def _floats(method: str, path: str, status: int, body: Any) -> Any:
    import json
    import re

    if path == "/openapi.json":
        return body
    if isinstance(body, dict) and "cost_cents" in body:
        body |= {"cost_cents": 1.5, "progress": 42}
    text = json.dumps(body)
    # Outside of quotes: 5242880 → 5.242880E+06.
    return re.sub(r"(?<=: )-?\d+(\.\d+)?(?=[,}\]])", lambda found: f"{float(found[0]):.7E}", text)


@variant("V54", "numbers are floats in exponent form; a job's progress is a number, its cost has a fraction")
def floats(plan: Plan) -> None:
    reshape(plan, _floats)


def _upper_case_ids(method: str, path: str, status: int, body: Any) -> Any:
    import re

    uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

    def upper(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: upper(item) for name, item in value.items()}
        if isinstance(value, list):
            return [upper(item) for item in value]
        return value.upper() if isinstance(value, str) and re.fullmatch(uuid, value) else value

    return body if path == "/openapi.json" else upper(body)


@variant("V55", "ids in upper case")
def upper_case_ids(plan: Plan) -> None:
    reshape(plan, _upper_case_ids)


def _other_ids(method: str, path: str, status: int, body: Any) -> Any:
    import re

    uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

    def other(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: other(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [other(item, name) for item in value]
        if not isinstance(value, str) or not re.fullmatch(uuid, value):
            return value
        return value.replace("-", "") if name == "job_id" else f"urn:uuid:{value}" if name == "document_id" else f"{{{value}}}"

    return body if path == "/openapi.json" else other(body)


@variant("V56", "ids without hyphens, as URN, in braces")
def other_ids(plan: Plan) -> None:
    reshape(plan, _other_ids)


def _short_times(method: str, path: str, status: int, body: Any) -> Any:
    import json
    import re

    if path == "/openapi.json":
        return body
    return re.sub(r'(T\d\d:\d\d:\d\d)(\.\d+)?\+00:00"', r'\1Z"', json.dumps(body))


@variant("V57", "times without fractions, with Z")
def short_times(plan: Plan) -> None:
    reshape(plan, _short_times)


def _local_times(method: str, path: str, status: int, body: Any) -> Any:
    import json
    import re
    from datetime import datetime, timedelta, timezone

    if path == "/openapi.json":
        return body

    def local(found: re.Match[str]) -> str:
        at = datetime.fromisoformat(found[0]).astimezone(timezone(timedelta(hours=5, minutes=30)))
        return at.strftime("%Y-%m-%d %H:%M:%S.%f000+0530")

    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", local, json.dumps(body))


@variant("V58", "times of another zone, with nanoseconds and a blank in place of the T")
def local_times(plan: Plan) -> None:
    reshape(plan, _local_times)


def _signed_similarities(method: str, path: str, status: int, body: Any) -> Any:
    if not path.endswith("/chat") or status != 200:
        return body
    for number, source in enumerate(body["sources"]):
        if isinstance(source, dict):
            source["similarity"] = f"{source['similarity']:+.4f}" if number % 2 else f"{100 * source['similarity']:.2f} %"
            source["similarity_rank"] = number
    return body


@variant("V59", "similarities as text, with a sign or in percent")
def signed_similarities(plan: Plan) -> None:
    reshape(plan, _signed_similarities)


def _nulls(method: str, path: str, status: int, body: Any) -> Any:
    if isinstance(body, dict) and "cost_cents" in body and status == 200:
        body |= {"cost_cents": None, "progress": None, "last_error": body["last_error"] or {}}
    if isinstance(body, dict) and "email" in body:
        body |= {"name": None}
    if path.endswith("/chat") and status == 200:
        for source in body["sources"]:
            if isinstance(source, dict):
                source |= {"filename": None, "text": None, "chunk_id": None}
    if path == "/api/upload-pipeline/upload/limits":
        body |= {"max_pages": None, "per_plan": {"free": None}, "supported_mime_types": ["application/pdf"]}
    return body


@variant("V60", "null where nothing is known: cost, progress, name, details of a source; an empty object for no error")
def nulls(plan: Plan) -> None:
    reshape(plan, _nulls)


@variant("V61", "registering signs in at once; sign-in returns more, and sets a cookie that is as good as the token")
def register_signs_in(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        '    return {"access_token": None, "token_type": "bearer", "user": _user_view(user)}',
        '    return await _sign_in(request, body["email"], body["password"]) | {"created": True}',
    )
    plan.replace_in_source(
        "api/auth.py",
        '        "expires_in": session.expires_in,\n',
        '        "expires_in": session.expires_in,\n'
        '        "expires_at": 4102444800,\n        "refresh_token": session.refresh_token,\n'
        '        "session": {"id": None, "device": {"name": ""}},\n',
    )
    plan.replace_in_source("api/auth.py", "HTTPException, Request\n", "HTTPException, Request, Response\n")
    plan.replace_in_source(
        "api/auth.py",
        "async def login(request: Request) -> dict[str, Any]:\n",
        "async def login(request: Request, response: Response) -> dict[str, Any]:\n",
    )
    plan.replace_in_source(
        "api/auth.py",
        '"email", "password")\n    return await _sign_in(request, body["email"], body["password"])\n',
        '"email", "password")\n'
        '    found = await _sign_in(request, body["email"], body["password"])\n'
        '    response.set_cookie("session", found["access_token"], secure=True, httponly=True)\n    return found\n',
    )
    plan.replace_in_source(
        "api/auth.py",
        '    scheme, _, token = request.headers.get("authorization", "").partition(" ")\n',
        '    cookie = "Bearer " + request.cookies.get("session", "")\n'
        '    scheme, _, token = request.headers.get("authorization", cookie).partition(" ")\n',
    )
