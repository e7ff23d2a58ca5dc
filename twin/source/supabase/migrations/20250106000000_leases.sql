-- A claim is a lease: who holds it, until when, and how many claims in a row ended without a result.
ALTER TABLE upload_pipeline.upload_jobs
    ADD COLUMN claim_id uuid,
    ADD COLUMN lease_until timestamptz,
    ADD COLUMN claims int NOT NULL DEFAULT 0,
    -- When a postponed job is due, or a callback overdue.
    ADD COLUMN not_before timestamptz,
    -- LlamaParse's own id of the job, by which a lost result can be asked for.
    ADD COLUMN parse_job_id text;
