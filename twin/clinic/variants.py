"""The clinic's variants."""

from __future__ import annotations

from twin.clinic.changes import variant
from twin.clinic.plan import ClinicPlan


@variant("V01", "more than promised: a column, an index, a table, keys in /healthz, a response header")
def more_than_promised(plan: ClinicPlan) -> None:
    plan.sql += [
        "ALTER TABLE directory.clinics ADD COLUMN languages text[] NOT NULL DEFAULT '{en}'",
        "CREATE INDEX clinics_street_idx ON directory.clinics (street)",
        "CREATE TABLE directory.holidays (day date PRIMARY KEY, name text NOT NULL)",
    ]
    plan.replace_in_source("directory/status.py", '"checks": checks,', '"checks": checks,\n        "region": "west",')
    plan.replace_in_source(
        "directory/middleware.py",
        '(b"x-correlation-id", correlation.encode("latin-1")),',
        '(b"x-correlation-id", correlation.encode("latin-1")),\n                    (b"x-served-by", b"two"),',
    )
