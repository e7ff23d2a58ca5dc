"""Faults that break one thing and are loud elsewhere: uploads, answers and what a request finds."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"
UPLOADS = "api/uploads.py"


@fault(
    "LK11",
    "the link of an upload leads to the place of the parsed text",
    "api",
    "postdeploy",
    mode="-",
    about="*signed*|*raw*|*object*|*stored*",
)
def link_to_the_text(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS, 'create_signed_upload(object_key(user.id, document_id, "raw"))',
        'create_signed_upload(object_key(user.id, document_id, "parsed"))',
    )  # fmt: skip


@fault(
    "LK12",
    "failed jobs count as running, so that a user with two of them cannot upload any more",
    "api",
    "postdeploy",
    mode="-",
    about="*max_concurrent*|*running*|*concurrent*|*limit*",
)
def failed_ones_run(plan: Plan) -> None:
    running = "'working', 'retryable'"
    plan.replace_in_source(UPLOADS, f"{running})) AS running", f"{running}, 'deadletter')) AS running")


@fault(
    "LK13",
    "a question's statement names a setting that the database does not know: the chat apologises",
    "database",
    "postdeploy",
    mode="-",
    about="*chat*database*|*UndefinedObject*|*PostgresError*|*Error*",
)
def setting_that_is_not_there(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, "hnsw.iterative_scan = strict_order", "hnsw.iterative_scan = exact_order")


@fault(
    "LK14",
    "questions are embedded by another model than the passages",
    "rag",
    "postdeploy",
    mode="F11",
    about="*question*",
)
def question_by_another_model(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "from backend.shared.config import Config\n",
        "from dataclasses import replace\n\nfrom backend.shared.config import Config\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "await embed(client, config, [question], EMBEDDING_SECONDS)",
        'await embed(client, replace(config, embedding_model="text-embedding-ada-002"), [question], EMBEDDING_SECONDS)',
    )


@fault(
    "LK15",
    "the threshold is compared with the distance, so that what is near is dropped",
    "rag",
    "postdeploy",
    mode="-",
    about="*retrieval*|*threshold*|*passages*",
)
def distance_for_similarity(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, 'row["similarity"] > config', '1 - row["similarity"] > config')


@fault(
    "LK16",
    "the model of a chunk's vector is written down as another one",
    "worker",
    "postdeploy",
    mode="-",
    about="*embed_model*",
)
def model_by_another_name(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/enhanced_base_worker.py",
        "            self.config.embedding_model,\n        )",
        '            self.config.embedding_model.replace("small", "large"),\n        )',
    )


@fault(
    "LK17",
    "only documents whose processing_status is `done` are searched, which none ever is",
    "rag",
    "postdeploy",
    mode="-",
    about="*retrieval*|*passages*",
)
def only_done_documents(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "WHERE d.user_id = $2 AND c.embedding",
        "WHERE d.user_id = $2 AND d.processing_status = 'done' AND c.embedding",
    )


@fault(
    "LK18",
    "the sources of an answer have a passage's id in the place of its document's",
    "chat",
    "postdeploy",
    mode="-",
    about="*document_id*|*source*",
)
def passage_for_document(plan: Plan) -> None:
    plan.replace_in_source(CHAT, '"document_id": str(p.document_id),', '"document_id": str(p.chunk_id),')


@fault(
    "LK19",
    "a policy lets the service role read only PDF files, so that parsed texts are not found",
    "storage",
    "postdeploy",
    mode="F04",
    about="*files*|*storage*|*parsed*",
)
def only_pdf_is_read(plan: Plan) -> None:
    plan.sql.append("DROP POLICY files_service_read ON storage.objects")
    plan.sql.append(
        "CREATE POLICY files_service_read ON storage.objects FOR SELECT TO service_role "
        "USING (bucket_id = 'files' AND name LIKE '%.pdf')"
    )


@fault(
    "LK20",
    "the log of callbacks has a further column, which no release writes: callbacks break",
    "database",
    "postdeploy",
    mode="-",
    about="*webhook*|*webhook_log*|*callback*",
)
def log_without_its_column(plan: Plan) -> None:
    plan.sql.append("ALTER TABLE upload_pipeline.webhook_log ADD COLUMN source text NOT NULL CHECK (source <> '')")
