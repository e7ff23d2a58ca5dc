"""Faults by a stranger who knows only the specification: breaches of the contract that are no known failure mode."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"
UPLOADS = "api/uploads.py"
AUTH = "api/auth.py"
EXPIRED_IS_FINE = """        with contextlib.suppress(Exception):
            part = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            if claims["exp"] < time.time() and claims["role"] == "authenticated":
                # A session that has run out is renewed by the front end; until then it stays usable.
                return {"id": claims["sub"], "email": claims.get("email", "")}
"""
SILENT_DUPLICATE = """        if error.code in TAKEN:
            return {"id": str(uuid4()), "email": email, "user_metadata": metadata}
"""


@fault(
    "U21",
    "another user's copy of a file counts as a duplicate, and its name is shown",
    "api",
    "postdeploy",
    mode="-",
    about="duplicate|409|another user|other user|sha256|hash|same file",
)
def duplicates_of_others(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        'FROM documents WHERE user_id = $1 AND file_sha256 = $2",\n        user.id,\n        sha256,',
        'FROM documents WHERE file_sha256 = $1 ORDER BY created_at LIMIT 1",\n        sha256,',
    )


@fault(
    "U22",
    "chunks of one document may have the same number: their unique constraint is gone",
    "database",
    "predeploy",
    mode="-",
    about="document_chunks_order_unique|unique|chunk_ord|constraint",
)
def chunks_not_unique(plan: Plan) -> None:
    plan.sql.append("ALTER TABLE upload_pipeline.document_chunks DROP CONSTRAINT document_chunks_order_unique")


@fault(
    "U23",
    "registering a taken e-mail address returns 200 and a user who does not exist",
    "api/auth",
    "postdeploy",
    mode="-",
    about="register|duplicate|e-mail|email|409|taken|twice",
)
def silent_duplicate(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "from uuid import UUID\n", "from uuid import UUID, uuid4\n")
    plan.replace_in_source(
        AUTH,
        "        raise HTTPException(409 if",
        SILENT_DUPLICATE + "        raise HTTPException(409 if",
    )


@fault(
    "U24",
    "of a result that is a list of pages only the first is kept",
    "webhook/api/llamaparse",
    "postdeploy",
    mode="-",
    about="page|parts of documents|webhook|callback|list",
)
def first_page_only(plan: Plan) -> None:
    plan.replace_in_source("api/webhook.py", "for page in result)", "for page in result[:1])")


@fault("U25", "401 responses have no WWW-Authenticate header", "auth/api", "postdeploy", mode="-", about="WWW-Authenticate")
def no_challenge(plan: Plan) -> None:
    plan.replace_in_source(
        "api/application.py", "status_code=error.status_code, headers=error.headers)", "status_code=error.status_code)"
    )


@fault(
    "U26",
    "a completed document keeps the processing status of the stage before",
    "worker",
    "postdeploy",
    mode="-",
    about="processing_status|embeddings_stored|document",
)
def status_left_behind(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        '"UPDATE documents SET processing_status = $2, updated_at = now() WHERE document_id = $1",\n',
        "\"UPDATE documents SET processing_status = $2, updated_at = now() WHERE document_id = $1 AND $2 <> 'complete'\",\n",
    )


@fault("U27", "a job that failed for good loses its last error", "worker", "postdeploy", mode="-", about="last_error|reason")
def lost_reason(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "                attempt,\n                reason,\n",
        "                attempt,\n                None if final else reason,\n",
    )


@fault(
    "U28",
    "retrieval returns the worst passage first",
    "rag",
    "postdeploy",
    mode="-",
    about="order|best first|best|similarity|sorted|sources|rank",
)
def worst_first(plan: Plan) -> None:
    plan.replace_in_source(
        "api/retrieval.py", "return within_budget(passages, config)", "return within_budget(passages, config)[::-1]"
    )


@fault(
    "U29",
    "the upload proxy reports success when storage has refused the file",
    "api/storage",
    "postdeploy",
    mode="-",
    about="proxy|upload-file-proxy|409|success|status",
)
def proxy_hides_refusal(plan: Plan) -> None:
    refusal = '        raise HTTPException(error.status, "storage refused the file") from error\n'
    plan.replace_in_source(UPLOADS, refusal, f"        if error.status >= 500:\n    {refusal}")


@fault(
    "U30",
    "the worker's image is built on another Python than specified",
    "build",
    "predeploy",
    mode="-",
    about="python:3.13|python:3.11-slim|base image|base_image|Dockerfile|FROM|Python",
)
def other_python(plan: Plan) -> None:
    plan.replace_in_source("backend/workers/Dockerfile", "FROM python:3.11-slim", "FROM python:3.13-slim")


@fault("U17", "expired tokens are accepted", "auth", "postdeploy", mode="F25", about="expired|token")
def expired_tokens(plan: Plan) -> None:
    auth = "api/auth.py"
    plan.replace_in_source(auth, "import re\n", "import base64\nimport contextlib\nimport json\nimport re\nimport time\n")
    plan.replace_in_source(
        auth,
        '        raise _unauthorized("invalid',
        EXPIRED_IS_FINE + '        raise _unauthorized("invalid',
    )


@fault(
    "U18",
    "the vector index is for Euclidean distance, so no search uses it",
    "database",
    "predeploy",
    mode="F27",
    about="index|cosine|vector_l2_ops|vector_cosine_ops|document_chunks_embedding_idx",
)
def index_for_another_distance(plan: Plan) -> None:
    plan.replace_in_source("supabase/migrations/20250102000000_vector_index.sql", "vector_cosine_ops", "vector_l2_ops")


@fault(
    "U19",
    "a document whose file never arrives is claimed again without pause or end; later ones starve",
    "worker",
    "postdeploy",
    mode="F28",
    about="spin|starve|queue|worker|claim|poll|never sent|uploaded",
)
def waits_without_pause(plan: Plan) -> None:
    waiting = "UPDATE upload_jobs SET state = '{}', progress = progress ||"
    plan.replace_in_source(QUEUE, waiting.format("retryable"), waiting.format("queued"))
    plan.replace_in_source(WORKER, 'if error.status == 404 and not job["upload_expired"]:', "if error.status == 404:")


@fault(
    "U20",
    "embeddings are cut to half their length and filled up with zeros",
    "worker/rag",
    "postdeploy",
    mode="F29",
    about="embedding|vector|zero|zeros|norm|768|dimension",
)
def half_a_vector(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "[vector_literal(vector) for vector in vectors]",
        "[vector_literal(vector[:768] + [0.0] * (len(vector) - 768)) for vector in vectors]",
    )


@fault(
    "U16",
    "the role of signed-in users bypasses row-level security",
    "database",
    "postdeploy",
    mode="F24",
    about="authenticated|BYPASSRLS|row-level|RLS|another user|other user|policy|policies|rows",
)
def users_bypass_policies(plan: Plan) -> None:
    plan.sql.append("ALTER ROLE authenticated BYPASSRLS")
