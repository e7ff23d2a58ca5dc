"""Faults of the schema, the data and the database's password."""

from __future__ import annotations

import secrets

from twin.clinic.changes import fault
from twin.clinic.plan import ClinicPlan


@fault(
    "C01",
    "the database password was rotated; the service still has the old one",
    "database",
    "predeploy",
    "postdeploy",
    mode="-",
    about="*DATABASE_URL*|*database*",
)
def old_password(plan: ClinicPlan) -> None:
    plan.env["DATABASE_URL"] = plan.env["DATABASE_URL"].replace(plan.database_password, secrets.token_hex(16))


@fault(
    "C02",
    "a column that the release reads is missing",
    "database",
    "predeploy",
    "postdeploy",
    mode="-",
    about="*clinics.telephone*|*/v2/clinics*",
)
def missing_column(plan: ClinicPlan) -> None:
    plan.sql.append("ALTER TABLE directory.clinics DROP COLUMN telephone")


@fault("C03", "the index by city is missing", "database", "predeploy", mode="-", about="*clinics*city*")
def missing_index(plan: ClinicPlan) -> None:
    plan.sql.append("DROP INDEX directory.clinics_city_idx")


@fault("C04", "a slot can be booked twice", "database/api", "predeploy", "postdeploy", mode="-", about="*appointments*")
def double_booking(plan: ClinicPlan) -> None:
    plan.sql.append("ALTER TABLE directory.appointments DROP CONSTRAINT appointments_slot_unique")


@fault(
    "C05",
    "the newest migration is not applied: there are no clinics",
    "database/api",
    "predeploy",
    "postdeploy",
    mode="-",
    about="*202603030900*|*/v2/clinics*",
)
def no_clinics(plan: ClinicPlan) -> None:
    plan.sql += [
        "DELETE FROM directory.clinics",
        "DELETE FROM directory.schema_migrations WHERE version = '202603030900'",
    ]
