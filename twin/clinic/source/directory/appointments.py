"""Appointments: booked for a slot that nobody else has, and taken back."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from .access import require_token

router = APIRouter(prefix="/v2/appointments", dependencies=[Depends(require_token)])


class Booking(BaseModel):
    """Body of POST /v2/appointments."""

    model_config = ConfigDict(extra="forbid")

    clinic_id: UUID
    starts_at: Annotated[AwareDatetime, Field(ge=datetime.fromisoformat("2000-01-01T00:00:00+00:00"))]
    patient_reference: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w .-]+$")]


@router.post("", status_code=201)
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
    """Take an appointment back; 404 when there is none of this id."""
    done = await request.app.state.pool.execute("DELETE FROM appointments WHERE appointment_id = $1", appointment_id)
    if done == "DELETE 0":
        raise HTTPException(404, "there is no such appointment")
