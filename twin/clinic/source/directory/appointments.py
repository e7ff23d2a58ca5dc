"""Appointments: book a free slot, or cancel it."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from .access import REFUSALS, Responses, require_token

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)

UNKNOWN: Responses = {404: {"description": "There is no such clinic or appointment"}}
TAKEN: Responses = {409: {"description": "The slot is taken"}}
router = APIRouter(prefix="/v2/appointments", dependencies=[Depends(require_token)], responses={**REFUSALS, **UNKNOWN})


class Booking(BaseModel):
    """Body of POST /v2/appointments."""

    model_config = ConfigDict(extra="forbid")

    clinic_id: UUID
    starts_at: Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]
    patient_reference: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w .-]+$")]


@router.post("", status_code=201, responses={**TAKEN})
async def book(request: Request, body: Booking) -> dict[str, Any]:
    """Book a slot; 404 for an unknown clinic, 409 when the slot is taken."""
    try:
        row = await request.app.state.pool.fetchrow(
            """INSERT INTO appointments (clinic_id, starts_at, patient_reference) VALUES ($1, $2, $3)
               RETURNING appointment_id, clinic_id, starts_at, status""",
            body.clinic_id,
            body.starts_at,
            body.patient_reference,
        )
    except asyncpg.UniqueViolationError as error:
        raise HTTPException(409, "this slot is taken") from error
    except asyncpg.ForeignKeyViolationError as error:
        raise HTTPException(404, "there is no such clinic") from error
    return dict(row.items())


@router.delete("/{appointment_id}", status_code=204, response_class=Response)
async def cancel(request: Request, appointment_id: UUID) -> None:
    """Cancel an appointment; 404 when there is none with this id."""
    done = await request.app.state.pool.execute("DELETE FROM appointments WHERE appointment_id = $1", appointment_id)
    if done == "DELETE 0":
        raise HTTPException(404, "there is no such appointment")
