"""Variants of the API: a release that offers more than it must."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant


@variant("V01", "more than promised: columns, a table, an index, response headers, keys in /health")
def more_than_promised(plan: Plan) -> None:
    plan.sql += [
        "ALTER TABLE upload_pipeline.documents ADD COLUMN language text NOT NULL DEFAULT 'en'",
        "ALTER TABLE upload_pipeline.upload_jobs ADD COLUMN priority int NOT NULL DEFAULT 0",
        "CREATE INDEX upload_jobs_priority_idx ON upload_pipeline.upload_jobs (priority, created_at)",
        "CREATE TABLE upload_pipeline.document_tags ("
        " document_id uuid NOT NULL REFERENCES upload_pipeline.documents (document_id) ON DELETE CASCADE,"
        " tag text NOT NULL, PRIMARY KEY (document_id, tag))",
        "ALTER TABLE upload_pipeline.document_tags ENABLE ROW LEVEL SECURITY",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.document_tags TO service_role",
    ]
    plan.replace_in_source(
        "api/application.py",
        '                    (b"x-request-id", request_id.encode()),\n',
        '                    (b"x-request-id", request_id.encode()),\n'
        '                    (b"x-served-by", b"staging-2"),\n'
        '                    (b"x-content-type-options", b"nosniff"),\n',
    )
    plan.replace_in_source(
        "api/health.py",
        '        "services": services,\n',
        '        "services": {**services, "cache": "not_configured"},\n'
        '        "uptime_seconds": round(time.monotonic(), 1),\n'
        '        "region": "oregon",\n',
    )
