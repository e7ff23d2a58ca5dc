"""Clinics: a list in pages, and a single clinic."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query, Request

from .access import REFUSALS, Responses, require_token
from .settings import Settings

UNKNOWN: Responses = {404: {"description": "There is no such clinic"}}
COLUMNS = "clinic_id, name, city, street, telephone, opens_at, closes_at"


def create_router(settings: Settings) -> APIRouter:
    """Routes whose page size is limited by the settings."""
    router = APIRouter(prefix="/v2/clinics", responses={**REFUSALS})

    @router.get("", dependencies=[Depends(require_token)])
    async def listing(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=settings.max_page_size)] = 20,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        city: Annotated[str | None, Query(min_length=1, max_length=80, pattern=r"^[^\x00]+$")] = None,
    ) -> dict[str, Any]:
        """Clinics sorted by name, of one city if one is given; `total` counts all pages."""
        condition = "$1::text IS NULL OR city = $1"
        pool = request.app.state.pool
        total = await pool.fetchval(f"SELECT count(*) FROM clinics WHERE {condition}", city)
        rows = await pool.fetch(
            f"SELECT {COLUMNS} FROM clinics WHERE {condition} ORDER BY name, clinic_id LIMIT $2 OFFSET $3", city, limit, offset
        )
        return {"items": [dict(row.items()) for row in rows], "total": total, "limit": limit, "offset": offset}

    @router.get("/{clinic_id}", dependencies=[Depends(require_token)], responses=UNKNOWN)
    async def clinic(request: Request, clinic_id: UUID) -> dict[str, Any]:
        """One clinic; 404 when there is none with this id."""
        row = await request.app.state.pool.fetchrow(f"SELECT {COLUMNS} FROM clinics WHERE clinic_id = $1", clinic_id)
        if row is None:
            raise HTTPException(404, "there is no such clinic")
        return dict(row.items())

    return router
