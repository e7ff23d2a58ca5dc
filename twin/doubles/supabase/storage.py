"""Supabase Storage: buckets and objects whose rows live in `storage`, under row-level security."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.storage_buckets import Buckets
from twin.doubles.supabase.storage_errors import with_storage_errors
from twin.doubles.supabase.storage_lists import Lists
from twin.doubles.supabase.storage_objects import Objects
from twin.doubles.supabase.storage_signed import Signed

READ = ["GET", "HEAD"]


async def _status(_: Request) -> Response:
    return Response(status_code=200)


async def _unknown(request: Request) -> Response:
    message = f"Route {request.method}:/{request.path_params['path']} not found"
    return JSONResponse({"message": message, "error": "Not Found", "statusCode": 404}, status_code=404)


def routes(project: Project) -> list[Route]:
    """Routes below /storage/v1."""
    buckets, objects, lists, signed = Buckets(project), Objects(project), Lists(project), Signed(project)
    key = "{bucket}/{key:path}"
    table = (
        ("/bucket", buckets.listing, ["GET"]),
        ("/bucket", buckets.create, ["POST"]),
        ("/bucket/{bucket}", buckets.one, ["GET"]),
        ("/bucket/{bucket}", buckets.update, ["PUT"]),
        ("/bucket/{bucket}", buckets.remove, ["DELETE"]),
        ("/bucket/{bucket}/empty", buckets.empty, ["POST"]),
        ("/object/list/{bucket}", lists.level, ["POST"]),
        ("/object/list-v2/{bucket}", lists.all_below, ["POST"]),
        ("/object/move", objects.move, ["POST"]),
        ("/object/copy", objects.copy, ["POST"]),
        (f"/object/public/{key}", objects.read_public, READ),
        (f"/object/info/public/{key}", objects.info_public, READ),
        (f"/object/info/authenticated/{key}", objects.info, READ),
        (f"/object/info/{key}", objects.info, READ),
        (f"/object/authenticated/{key}", objects.read, READ),
        (f"/object/upload/sign/{key}", signed.sign_upload, ["POST"]),
        (f"/object/upload/sign/{key}", signed.upload, ["PUT"]),
        ("/object/sign/{bucket}", signed.sign_many, ["POST"]),
        (f"/object/sign/{key}", signed.sign_read, ["POST"]),
        (f"/object/sign/{key}", signed.read, READ),
        ("/render/image/{rest:path}", objects.image, READ),
        (f"/object/{key}", objects.write, ["POST", "PUT"]),
        (f"/object/{key}", objects.read, READ),
        (f"/object/{key}", objects.remove, ["DELETE"]),
        ("/object/{bucket}", objects.remove_many, ["DELETE"]),
    )
    more = (("/status", _status, READ), ("/{path:path}", _unknown, ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]))
    handled = ((path, with_storage_errors(project, handler), methods) for path, handler, methods in (*table, *more))
    return [Route(f"/storage/v1{path}", handler, methods=methods) for path, handler, methods in handled]
