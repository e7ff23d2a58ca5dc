"""The REST view: rows of the schema, filtered by equality, under row-level security."""

from __future__ import annotations

import json
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from twin.doubles.supabase.gateway import with_error_responses
from twin.doubles.supabase.project import Project, Refused

NAME = re.compile(r"[a-z_][a-z0-9_]*")
RESERVED = ("select", "limit", "apikey")


def _identifier(value: str) -> str:
    if not NAME.fullmatch(value):
        raise Refused(400, f"bad identifier {value[:40]!r}", "PGRST100")
    return value


class Rest:
    """Handlers of one project."""

    def __init__(self, project: Project) -> None:
        self.project = project

    async def rows(self, request: Request) -> Response:
        """Rows of one table that the caller may see."""
        claims = self.project.identity(request)
        schema = _identifier(request.headers.get("accept-profile", "public"))
        table = _identifier(request.path_params["table"])
        columns = [_identifier(name) for name in request.query_params.get("select", "").split(",") if name != "*"]
        chosen = ", ".join(name for name in columns if name) or "*"
        filters, values = [], []
        for name, value in request.query_params.multi_items():
            if name in RESERVED:
                continue
            if not value.startswith("eq."):
                raise Refused(400, "only eq filters are supported", "PGRST100")
            values.append(value[3:])
            filters.append(f"{_identifier(name)}::text = ${len(values)}")
        where = " WHERE " + " AND ".join(filters) if filters else ""
        limit = min(1000, int(request.query_params.get("limit", 1000)))
        async with self.project.acting_as(claims) as connection:
            found = await connection.fetchval(
                f"SELECT coalesce(json_agg(row_to_json(q))::text, '[]') FROM "
                f"(SELECT {chosen} FROM {schema}.{table}{where} LIMIT {limit}) q",
                *values,
            )
        return Response(json.dumps(json.loads(found)), media_type="application/json")


def routes(project: Project) -> list[Route]:
    """Routes below /rest/v1."""
    return [Route("/rest/v1/{table}", with_error_responses(Rest(project).rows), methods=["GET"])]
