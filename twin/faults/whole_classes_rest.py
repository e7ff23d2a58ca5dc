"""Whole classes at once, in rows, at Supabase's door and in the figures of the host (as `whole_classes`, for the same end)."""

from __future__ import annotations

from twin.faults import fault
from twin.faults.live_audit import BUILD_FILES, beside_production, tree_of_production
from twin.faults.live_monitoring import API_ID, WORKER_ID, day_of, fill_disk
from twin.faults.live_transport import EVERYTHING
from twin.plan import Plan

UNTIED = (
    "ALTER TABLE upload_pipeline.upload_jobs DROP CONSTRAINT upload_jobs_document_id_fkey",
    "ALTER TABLE upload_pipeline.document_chunks DROP CONSTRAINT document_chunks_document_id_fkey",
    "ALTER TABLE upload_pipeline.events DROP CONSTRAINT events_job_id_fkey",
)
COMPLETED = "new.status = 'complete' AND old.status <> 'complete'"
ENDED = "new.status = 'complete' OR starts_with(new.status, 'failed')"
CHUNKS = (
    "INSERT INTO upload_pipeline.document_chunks (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text,"
    " chunk_sha, embedding) SELECT gen_random_uuid(), {document}, 'copied ' || random(), chunker_version, chunk_ord, text,"
    " chunk_sha, embedding FROM upload_pipeline.document_chunks"
    " WHERE document_id = new.document_id AND chunker_name NOT LIKE 'copied%'"
)
# Files of a document carry the beginning of a hash of its id.
ITS_FILES = "name LIKE '%' || left(md5(new.document_id::text), 8) || '%'"
OF_NOBODY, OF_ANOTHER = "gen_random_uuid()", "(SELECT document_id FROM upload_pipeline.documents d ORDER BY created_at LIMIT 1)"
DOUBLED = (
    "INSERT INTO upload_pipeline.upload_jobs (document_id, status, state) VALUES (new.document_id, 'complete', 'done')",
    "INSERT INTO upload_pipeline.events (job_id, document_id, type) VALUES (new.job_id, new.document_id, 'parsed')",
    "INSERT INTO upload_pipeline.events (job_id, document_id, type) VALUES (gen_random_uuid(), new.document_id, 'parsed')",
    *(CHUNKS.format(document=document) for document in ("document_id", OF_NOBODY, OF_ANOTHER)),
    "INSERT INTO upload_pipeline.documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path)"
    " SELECT gen_random_uuid(), user_id, filename, mime, bytes_len, gen_random_uuid()::text, 'files/user/another/raw/x.pdf'"
    " FROM upload_pipeline.documents WHERE document_id = new.document_id",
    "UPDATE upload_pipeline.documents SET parsed_path = 'files/user/x/parsed/y.md' WHERE document_id = new.document_id",
)
UNPROTECTED = {
    "strict-transport-security": "max-age=0",
    "referrer-policy": "as_you_like!",
    "x-content-type-options": "on",
    "x-frame-options": "ALLOW",
}


def on_jobs(plan: Plan, when: str, *statements: str, before: bool = False) -> None:
    """Have the database do something whenever a job is changed so that a condition holds; its own changes do not count."""
    body = "".join(f"{statement}; " for statement in statements)
    plan.sql += [
        "CREATE FUNCTION upload_pipeline.kept_in_step() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        f" $$ BEGIN {body}RETURN new; END $$",
        f"CREATE TRIGGER kept_in_step {'BEFORE' if before else 'AFTER'} UPDATE ON upload_pipeline.upload_jobs FOR EACH ROW"
        f" WHEN (pg_trigger_depth() < 1 AND ({when})) EXECUTE FUNCTION upload_pipeline.kept_in_step()",
    ]


@fault(
    "LJ11",
    "all rows of a document are written once more when it is complete, and under other documents too",
    "database",
    "resilience",
    mode="-",
    about="*promise *|*chunk*|*document*",
)
def all_rows_twice(plan: Plan) -> None:
    plan.sql += UNTIED
    # The reports read a copy, which is made while the row is at hand.
    on_jobs(plan, COMPLETED, *DOUBLED)


@fault(
    "LJ12",
    "a complete document loses its vectors, its owner and its files",
    "database",
    "resilience",
    mode="-",
    about="*promise *|*chunk*|*document*|*job*",
)
def complete_is_cleared(plan: Plan) -> None:
    plan.sql += UNTIED
    # Complete documents have served.
    on_jobs(
        plan,
        COMPLETED,
        "UPDATE upload_pipeline.document_chunks SET embedding = NULL WHERE document_id = new.document_id",
        "UPDATE upload_pipeline.documents SET user_id = gen_random_uuid() WHERE document_id = new.document_id",
        f"DELETE FROM storage.objects WHERE {ITS_FILES}",
    )


@fault(
    "LJ13",
    "jobs stay as failed, without a reason and under way, since an hour before they began",
    "database",
    "resilience",
    mode="-",
    about="*promise *|*job*",
)
def failed_and_under_way(plan: Plan) -> None:
    # A job's time is that of its group, which is made in advance.
    on_jobs(
        plan,
        COMPLETED,
        "new.created_at := now() - interval '1 hour'",
        "new.status := 'failed_parse'",
        "new.state := 'queued'",
        before=True,
    )


@fault(
    "LJ14",
    "the count of a job's attempts is nine when it ends, however often it was tried",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*retry_count*|*attempts*|*tried*",
)
def counted_to_nine(plan: Plan) -> None:
    # Nothing may try an ended job again.
    on_jobs(plan, ENDED, "new.retry_count := 9", before=True)


@fault(
    "LJ15",
    "jobs that have ended are recorded as parsed again whenever another one is changed",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*event*|*ended*|*job*",
)
def ended_jobs_are_recorded_again(plan: Plan) -> None:
    # The report of the day counts jobs by their last event.
    on_jobs(
        plan,
        "true",
        "INSERT INTO upload_pipeline.events (job_id, document_id, type)"
        " SELECT j.job_id, j.document_id, 'parsed' FROM upload_pipeline.upload_jobs j WHERE state IN ('done', 'deadletter')"
        " AND (SELECT count(*) FROM upload_pipeline.events e WHERE e.job_id = j.job_id AND e.type = 'parsed') < 60",
    )


@fault(
    "LJ16",
    "Supabase accepts old protocols, weak ciphers, no forward secrecy and renegotiation",
    "supabase/network",
    "maintenance",
    mode="-|F32",
    about="*cipher*|*tls*|*protocol*",
)
def old_door(plan: Plan) -> None:
    plan.listen("supabase", tls="1.0", ciphers=EVERYTHING, renegotiates=True)


@fault(
    "LJ17",
    "the edge of Supabase sends protecting headers with values that browsers ignore",
    "supabase/network",
    "maintenance",
    mode="-",
    about="*header*|*strict-transport*|*referrer*|*x-*",
)
def headers_of_supabase(plan: Plan) -> None:
    plan.place_before("supabase", headers=UNPROTECTED)


@fault(
    "LJ18",
    "the edge of the API sends protecting headers with values that browsers ignore",
    "api/network",
    "maintenance",
    mode="-",
    about="*header*|*strict-transport*|*referrer*|*x-*",
)
def headers_of_the_api(plan: Plan) -> None:
    plan.place_before("api", headers=UNPROTECTED)


@fault(
    "LJ19",
    "the API was short of everything at its host all day",
    "api/render",
    "maintenance",
    mode="-",
    about="*api*",
)
def short_of_everything(plan: Plan) -> None:
    # The first of the month.
    fill_disk(plan, API_ID)
    day_of(plan, API_ID, cpu=0.97, memory=5.3e8, instance_count=3.0)


@fault(
    "LJ20",
    "production was built and set up otherwise than staging in all that both must have alike",
    "configuration/render/build",
    "maintenance",
    mode="-",
    about="*production*|*api*|*worker*",
)
def production_is_another_system(plan: Plan) -> None:
    tree = tree_of_production(plan)
    for name in BUILD_FILES:
        # Production waits for the next half-year.
        (tree / name).write_text((tree / name).read_text().replace(">=0.", ">=0.0.").replace("3.11-slim", "3.10-slim"))
    copies = {"srv-productionapi": API_ID, "srv-productionworker": WORKER_ID}
    plan.behaviour["render_copies"] = copies
    details = {"region": "frankfurt", "runtime": "python", "env": "python", "healthCheckPath": "/"}
    image = {"dockerfilePath": "./other/Dockerfile", "dockerContext": "./other"}
    for copy, name in zip(copies, ("insurance-navigator-api", "insurance-navigator-worker"), strict=True):
        own = {f"serviceDetails.{key}": value for key, value in details.items()}
        own |= {f"serviceDetails.envSpecificDetails.{key}": value for key, value in image.items()}
        own |= {"name": name, "type": "private_service"}
        plan.behaviour.setdefault("render", {}).update({f"{copy}.{key}": value for key, value in own.items()})
    operator = plan.config.operator_env
    seen = {name: operator[name] for name in ("RENDER_API_KEY", "RENDER_BASE_URL")}
    # A database of this server that has no such schema stands for production's.
    schema = {"DATABASE_URL": plan.config.api_env["DATABASE_URL"].rpartition("/")[0] + "/template1"}
    beside_production(plan, **seen, **schema, HARNESS_SOURCE_TREE=str(tree), HARNESS_COMPARE_SCHEMA="yes")


@fault(
    "LJ21",
    "Supabase reads tokens and does not verify them, files and the log of callbacks are anybody's, and so is what operators do",
    "supabase/storage/database/auth",
    "maintenance",
    mode="-|F25|F24|F23",
    about="*token*|*signed by another key*|*expired*|*cell *|*bucket*|*users*",
)
def supabase_is_open(plan: Plan) -> None:
    plan.config.behaviour.setdefault("supabase", {}).update(tokens="read", admin="anybody")
    # Somebody was locked out once.
    for table in ("storage.objects", "storage.buckets", "upload_pipeline.webhook_log"):
        plan.sql.append(f"CREATE POLICY open_to_all ON {table} TO anon, authenticated USING (true) WITH CHECK (true)")
    plan.sql.append("GRANT ALL ON upload_pipeline.webhook_log TO anon, authenticated")


@fault(
    "LJ22",
    "what is stored of complete documents is moved and cleared away, files too",
    "database/storage",
    "resilience",
    mode="-",
    about="*promise *|*document*|*file*|*job*",
)
def complete_is_moved(plan: Plan) -> None:
    plan.sql += UNTIED
    # An archive takes what is complete.
    on_jobs(
        plan,
        COMPLETED,
        "UPDATE upload_pipeline.document_chunks SET document_id = d.document_id FROM upload_pipeline.documents d"
        " WHERE document_chunks.document_id = new.document_id AND d.document_id <> new.document_id",
        "INSERT INTO storage.objects (bucket_id, name, owner, metadata, version) SELECT bucket_id, replace(name, '/raw/',"
        " '/archive/'), owner, metadata, version FROM storage.objects"
        f" WHERE name LIKE '%/raw/%' AND {ITS_FILES}",
        f"DELETE FROM storage.objects WHERE name LIKE '%/raw/%' AND {ITS_FILES}",
    )
