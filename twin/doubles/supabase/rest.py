"""The REST view: PostgREST over the exposed schemas, under row-level security."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.rest_call import Calling
from twin.doubles.supabase.rest_errors import RestError, with_rest_errors
from twin.doubles.supabase.rest_openapi import Description
from twin.doubles.supabase.rest_read import Reading
from twin.doubles.supabase.rest_schema import Schemas
from twin.doubles.supabase.rest_write import Writing


async def _unknown(request: Request) -> Response:
    if "/" in request.path_params["path"].strip("/"):
        raise RestError(404, "PGRST125", "Invalid path specified in request URL")
    raise RestError(405, "PGRST117", f"Unsupported HTTP method: {request.method}")


def routes(project: Project) -> list[Route]:
    """Routes below /rest/v1."""
    schemas = Schemas(project)
    reading, writing, calling = Reading(project, schemas), Writing(project, schemas), Calling(project, schemas)
    table = (
        ("/", Description(project, schemas).root, ["GET", "HEAD"]),
        ("/rpc/{function}", calling.call, ["POST", "GET", "HEAD"]),
        ("/{table}", reading.rows, ["GET", "HEAD"]),
        ("/{table}", writing.insert, ["POST"]),
        ("/{table}", writing.update, ["PATCH"]),
        ("/{table}", writing.delete, ["DELETE"]),
    )
    others = ("/{path:path}", _unknown, ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    return [
        Route(f"/rest/v1{path}", with_rest_errors(project, handler), methods=methods)
        for path, handler, methods in (*table, others)
    ]
