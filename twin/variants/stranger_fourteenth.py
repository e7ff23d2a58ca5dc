"""Variants by a stranger, the fourteenth set: triggers that write what follows from a job, and claims apart from the jobs."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

MIGRATIONS = "supabase/migrations"
QUEUE = "backend/workers/job_queue.py"
LEASE = "backend/workers/lease.py"
OVERDUE = "backend/workers/reconciliation.py"
PARSING = "backend/shared/parsing.py"


def migrate(plan: Plan, name: str, sql: str) -> None:
    """Give the release one more migration."""
    (plan.source / MIGRATIONS / f"{name}.sql").write_text(sql)


FOLLOW = """CREATE FUNCTION upload_pipeline.follow_job() RETURNS trigger LANGUAGE plpgsql
SET search_path = upload_pipeline AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.status = OLD.status THEN
        RETURN NULL;
    END IF;
    UPDATE documents SET processing_status = NEW.status, updated_at = now() WHERE document_id = NEW.document_id;
    INSERT INTO events (job_id, document_id, type, payload) VALUES (NEW.job_id, NEW.document_id, NEW.status,
        CASE WHEN NEW.state = 'deadletter' THEN coalesce(NEW.last_error, '{}') ELSE '{}' END);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION upload_pipeline.follow_job() FROM PUBLIC;
CREATE TRIGGER follow_job AFTER INSERT OR UPDATE OF status ON upload_pipeline.upload_jobs
    FOR EACH ROW EXECUTE FUNCTION upload_pipeline.follow_job();
"""
RECORDED = """        await connection.execute(
            "UPDATE documents SET processing_status = $2, updated_at = now() WHERE document_id = $1",
            job["document_id"],
            status,
        )
        await connection.execute(
            "INSERT INTO events (job_id, document_id, type, payload) VALUES ($1, $2, $3, $4)",
            job["job_id"],
            job["document_id"],
            status,
            payload,
        )
"""
FAILED = """    await connection.execute(
        "UPDATE documents SET processing_status = 'failed_parse', updated_at = now() WHERE document_id = $1",
        row["document_id"],
    )
    await _event(connection, row, "failed_parse", error)
"""
WRITTEN_EVENT = """    await connection.execute(
        "INSERT INTO events (job_id, document_id, type, payload) VALUES ($1, $2, $3, $4)",
        row["job_id"],
        row["document_id"],
        kind,
        payload,
    )
"""
REGISTERED = (
    """    await connection.execute("INSERT INTO events (job_id, document_id, type) """
    """VALUES ($1, $2, 'uploaded')", job_id, document_id)\n"""
)


@variant("M77", "a trigger on the jobs writes events and the document's status; the services write neither")
def followed_by_trigger(plan: Plan) -> None:
    migrate(plan, "20250106000100_follow", FOLLOW)
    plan.replace_in_source(QUEUE, RECORDED, "")
    plan.replace_in_source(PARSING, FAILED, "")
    plan.replace_in_source(PARSING, WRITTEN_EVENT, '    log.debug("%s %s job_id=%s", kind, payload, row["job_id"])\n')
    plan.replace_in_source(PARSING, "parsed_sha256 = $3, processing_status = 'parsed',", "parsed_sha256 = $3,")
    plan.replace_in_source("api/uploads.py", REGISTERED, "")
    plan.replace_in_source("api/uploads.py", "raw_path,\n               processing_status)", "raw_path)")
    plan.replace_in_source("api/uploads.py", "$6, $7, 'uploaded')", "$6, $7)")


LEASE_COLUMNS = """    ADD COLUMN claim_id uuid,
    ADD COLUMN lease_until timestamptz,
    ADD COLUMN claims int NOT NULL DEFAULT 0,
"""
CLAIMS = """
-- Who holds a job, until when; the number grows, so that an older holder can be told from a younger one.
CREATE SEQUENCE upload_pipeline.claim_numbers;
CREATE TABLE upload_pipeline.job_claims (
    job_id uuid PRIMARY KEY REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
    number bigint NOT NULL DEFAULT nextval('upload_pipeline.claim_numbers'),
    held_until timestamptz NOT NULL,
    rounds int NOT NULL DEFAULT 1
);
ALTER TABLE upload_pipeline.job_claims ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.job_claims TO service_role;
GRANT USAGE ON SEQUENCE upload_pipeline.claim_numbers TO service_role;
CREATE POLICY job_claims_service ON upload_pipeline.job_claims TO service_role USING (true) WITH CHECK (true);
CREATE FUNCTION upload_pipeline.release_job() RETURNS trigger LANGUAGE plpgsql SET search_path = upload_pipeline AS $$
BEGIN
    DELETE FROM job_claims WHERE job_id = NEW.job_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION upload_pipeline.release_job() FROM PUBLIC;
CREATE TRIGGER release_job AFTER UPDATE ON upload_pipeline.upload_jobs
    FOR EACH ROW WHEN (NEW.state <> 'working') EXECUTE FUNCTION upload_pipeline.release_job();
"""
# The condition on the conflict sees the newest claim, which the first part of the statement may not.
CLAIM = '''CLAIM = """
WITH due AS (
    SELECT j.job_id FROM upload_jobs j LEFT JOIN job_claims c USING (job_id)
    WHERE (j.state = 'queued' OR (j.state = 'retryable' AND coalesce(j.not_before, j.updated_at) <= now())
           OR (j.state = 'working' AND c.held_until <= now()))
      AND j.status = ANY($1)
    ORDER BY array_position($2::text[], j.status), CASE WHEN j.status = ANY($3) THEN j.updated_at ELSE j.created_at END
    FOR UPDATE OF j SKIP LOCKED LIMIT 1
), taken AS (
    INSERT INTO job_claims (job_id, held_until) SELECT job_id, now() + make_interval(secs => $5) FROM due
    ON CONFLICT (job_id) DO UPDATE SET number = excluded.number, held_until = excluded.held_until,
        rounds = job_claims.rounds + 1 WHERE job_claims.held_until <= now()
    RETURNING job_id, number, rounds
)
UPDATE upload_jobs j SET state = 'working', updated_at = now() FROM taken t WHERE j.job_id = t.job_id
RETURNING j.job_id, j.document_id, j.status, j.retry_count, j.progress, j.created_at, t.number AS claim_id,
    t.rounds AS claims, now() - j.created_at > make_interval(secs => $4) AS upload_expired
"""
'''
AWAITED = '''        async with self._pool.acquire() as connection, connection.transaction():
            held = await connection.fetchval(HELD, job["job_id"], job["claim_id"])
            if not held:
                return
            await connection.execute(
                """UPDATE upload_jobs SET parse_job_id = $2,
                       not_before = coalesce(not_before, now() + make_interval(secs => $3)) WHERE job_id = $1""",
                job["job_id"],
                parse_job_id,
                seconds,
            )
            await connection.execute("DELETE FROM job_claims WHERE job_id = $1", job["job_id"])
'''
AWAITED_BEFORE = '''        await self._pool.execute(
            f"""UPDATE upload_jobs SET parse_job_id = $3, {RELEASED},
                    not_before = coalesce(not_before, now() + make_interval(secs => $4))
                WHERE job_id = $1 AND claim_id = $2""",
            job["job_id"],
            job["claim_id"],
            parse_job_id,
            seconds,
        )
'''
HELD = 'HELD = "SELECT true FROM upload_jobs WHERE job_id = $1 AND claim_id = $2 FOR UPDATE"'
HELD_BY_NUMBER = '''HELD = """SELECT true FROM upload_jobs j JOIN job_claims c USING (job_id)
    WHERE j.job_id = $1 AND c.number = $2 FOR UPDATE"""'''
RENEW = 'RENEW = "UPDATE upload_jobs SET lease_until = now() + make_interval(secs => $3) WHERE job_id = $1 AND claim_id = $2"'
RENEW_BY_NUMBER = '''RENEW = """UPDATE job_claims SET held_until = now() + make_interval(secs => $3)
    WHERE job_id = $1 AND number = $2"""'''
UNHELD = "NOT EXISTS (SELECT 1 FROM job_claims c WHERE c.job_id = upload_jobs.job_id AND c.held_until > now())"


@variant("M78", "claims are rows of a table of their own with growing numbers; a trigger removes them where a job is released")
def claims_apart(plan: Plan) -> None:
    leases = f"{MIGRATIONS}/20250106000000_leases.sql"
    plan.replace_in_source(leases, LEASE_COLUMNS, "")
    plan.replace_in_source(leases, "ADD COLUMN parse_job_id text;\n", f"ADD COLUMN parse_job_id text;\n{CLAIMS}")
    queue = (plan.source / QUEUE).read_text()
    claim = queue[queue.index('CLAIM = """') : queue.index("class PermanentError")]
    plan.replace_in_source(QUEUE, claim, f"{CLAIM}\n\n")
    plan.replace_in_source(QUEUE, AWAITED_BEFORE, AWAITED)
    plan.replace_in_source(QUEUE, "import Leases", "import HELD, Leases")
    plan.replace_in_source(QUEUE, '{f"{RELEASED}," if released else ""} ', "")
    plan.replace_in_source(QUEUE, "{RELEASED}, ", "")
    plan.replace_in_source(QUEUE, " {RELEASED},\n", "\n")
    plan.replace_in_source(QUEUE, "from backend.shared.parsing import RELEASED\n", "")
    plan.replace_in_source(PARSING, "{RELEASED}, ", "")
    plan.replace_in_source(PARSING, " {RELEASED},\n", "\n")
    plan.replace_in_source("api/jobs.py", "{RELEASED}, ", "")
    plan.replace_in_source("api/jobs.py", "from backend.shared.parsing import RELEASED\n", "")
    plan.replace_in_source(OVERDUE, "not_before = NULL, {RELEASED},\n", "not_before = NULL,\n")
    plan.replace_in_source(OVERDUE, "import RELEASED, conclude", "import conclude")
    plan.replace_in_source(OVERDUE, "coalesce(lease_until, now()) <= now()", UNHELD)
    plan.replace_in_source(LEASE, HELD, HELD_BY_NUMBER)
    plan.replace_in_source(LEASE, RENEW, RENEW_BY_NUMBER)
