"""Faults by a stranger who knows only the specification: known failure modes, each reached another way."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WORKER = "backend/workers/enhanced_base_worker.py"
STATUSES_OF_THE_LAST_RELEASE = (
    "'uploaded', 'parse_queued', 'parsed', 'chunking', 'embedding_queued', 'embedding_in_progress', 'embeddings_stored', "
    "'complete', 'failed_parse', 'failed_chunking', 'failed_embedding', 'duplicate'"
)
JOBS_WITH_THEIR_OWN_CALLER = """from api.auth import Caller, current_user

router = APIRouter()


async def _caller(request: Request) -> Caller:
    try:
        return await current_user(request)
    except HTTPException as error:
        raise HTTPException(500, "could not authenticate") from error


CurrentUser = Annotated[Caller, Depends(_caller)]
"""


@fault(
    "U01",
    "chat reads its two model keys from variables that nobody has set",
    "chat/openai/anthropic",
    "postdeploy",
    mode="F02",
    about="error_type|NoProvider|apology|apolog|openai|anthropic|chat",
)
def renamed_chat_keys(plan: Plan) -> None:
    vendors = "backend/shared/vendors.py"
    plan.replace_in_source(vendors, "from functools", "import os\nfrom functools")
    chat = "client.openai.chat.completions"
    plan.replace_in_source(
        "api/chat.py", chat, chat.replace("openai", "openai.with_options(api_key=os.environ.get('CHAT_OPENAI_KEY', 'unset'))")
    )
    plan.replace_in_source("api/chat.py", "import time\n", "import os\nimport time\n")
    plan.replace_in_source(
        vendors, "api_key=self._config.anthropic_key", "api_key=os.environ.get('CHAT_ANTHROPIC_KEY', 'unset')"
    )


@fault(
    "U02",
    "a storage policy lets the service role read raw files only, not the parsed texts",
    "storage",
    "postdeploy",
    mode="F04",
    about="files_service_read|storage|policy|parsed|NoSuchKey",
)
def parsed_texts_unreadable(plan: Plan) -> None:
    plan.sql.append("DROP POLICY files_service_read ON storage.objects")
    plan.sql.append(
        "CREATE POLICY files_service_read ON storage.objects FOR SELECT TO service_role "
        "USING (bucket_id = 'files' AND name LIKE 'user/%/raw/%')"
    )


@fault(
    "U03",
    "a CHECK on documents.processing_status is older than the code",
    "database",
    "postdeploy",
    mode="F06",
    about="documents_processing_status_check|processing_status|CHECK|constraint|parse_validated",
)
def old_check_on_documents(plan: Plan) -> None:
    plan.sql.append(
        "ALTER TABLE upload_pipeline.documents ADD CONSTRAINT documents_processing_status_check "
        f"CHECK (processing_status IN ({STATUSES_OF_THE_LAST_RELEASE}))"
    )


@fault(
    "U04",
    "the process that serves is of an earlier version than the one declared",
    "api",
    "postdeploy",
    mode="F07",
    about="version|0.9.4-staging|APP_VERSION|release",
)
def earlier_version(plan: Plan) -> None:
    plan.extra_env["api"] = {"APP_VERSION": "0.9.4-staging"}


@fault(
    "U05",
    "the jobs routes return 500 for every token that is refused",
    "api/auth",
    "postdeploy",
    mode="F08",
    about="500|401|token|jobs",
)
def jobs_break_on_bad_tokens(plan: Plan) -> None:
    jobs = "api/jobs.py"
    plan.replace_in_source(jobs, "from fastapi import APIRouter,", "from fastapi import APIRouter, Depends,")
    plan.replace_in_source(jobs, "from api.auth import CurrentUser\n\nrouter = APIRouter()\n", JOBS_WITH_THEIR_OWN_CALLER)


@fault(
    "U06",
    "the password of the services' database role has expired",
    "database",
    "predeploy",
    "postdeploy",
    mode="F10",
    about="password|authentication|staging_user|DATABASE_URL|connect|database",
)
def expired_password(plan: Plan) -> None:
    plan.sql.append("ALTER ROLE staging_user VALID UNTIL '2025-01-01'")
    plan.may_die = True


@fault(
    "U07",
    "the worker is configured with another embedding model",
    "worker/rag/configuration",
    "predeploy",
    "postdeploy",
    mode="F11|F05",
    about="RAG_EMBEDDING_MODEL|text-embedding-ada-002|embed_model|embedding",
)
def other_model_in_the_worker(plan: Plan) -> None:
    plan.set_worker("RAG_EMBEDDING_MODEL", "text-embedding-ada-002")


@fault(
    "U08",
    "the worker gives LlamaParse a plain http address for the callback",
    "webhook/worker",
    "postdeploy",
    mode="F12",
    about="webhook|callback|parse_queued|http|API_BASE_URL",
)
def callback_without_tls(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER, 'self.config.api_base_url.rstrip("/")', 'self.config.api_base_url.rstrip("/").replace("https:", "http:")'
    )


@fault(
    "U09",
    "every third callback is acknowledged and thrown away",
    "webhook/api",
    "postdeploy",
    mode="F13",
    about="webhook|callback|parse_queued|lost|ignored",
)
def callbacks_thrown_away(plan: Plan) -> None:
    webhook = "api/webhook.py"
    plan.replace_in_source(webhook, "import json\n", "import itertools\nimport json\n")
    plan.replace_in_source(webhook, "router = APIRouter()\n", "router = APIRouter()\n_turn = itertools.count(1)\n")
    plan.replace_in_source(
        webhook, 'if row["status"] != "parse_queued":', 'if row["status"] != "parse_queued" or next(_turn) % 3 == 0:'
    )


@fault(
    "U10",
    "the worker needs an encryption key that is declared nowhere, and exits",
    "worker/configuration",
    "postdeploy",
    mode="F14|F03",
    about="worker|uploaded|claimed|claim|DOCUMENT_ENCRYPTION_KEY",
)
def undeclared_encryption_key(plan: Plan) -> None:
    runner = "backend/workers/enhanced_runner.py"
    plan.replace_in_source(
        runner,
        "    stop = asyncio.Event()\n",
        '    if not os.environ.get("DOCUMENT_ENCRYPTION_KEY"):\n'
        '        raise SystemExit("DOCUMENT_ENCRYPTION_KEY is not set")\n'
        "    stop = asyncio.Event()\n",
    )


@fault(
    "U11",
    "the storage address belongs to another Supabase project",
    "storage/supabase/configuration",
    "predeploy",
    "postdeploy",
    mode="F15",
    about="SUPABASE_STORAGE_URL|navigator-demo|project|storage",
)
def storage_of_another_project(plan: Plan) -> None:
    plan.set_both("SUPABASE_STORAGE_URL", "https://navigator-demo.supabase.co/storage/v1")


@fault(
    "U12",
    "chat finds the passages and discards them as too uncertain",
    "chat",
    "postdeploy",
    mode="F16",
    about="chat|fallback|passages|document|answer|nothing about",
)
def too_uncertain(plan: Plan) -> None:
    plan.replace_in_source("api/chat.py", "if not passages:", "if not passages or passages[0].similarity < 0.995:")


@fault(
    "U13",
    "the worker's image lacks the shared modules",
    "build/worker",
    "predeploy",
    "postdeploy",
    mode="F17",
    about="backend/shared|Dockerfile|update_failed|import|deploy|worker",
)
def image_without_shared_modules(plan: Plan) -> None:
    plan.replace_in_source("backend/workers/Dockerfile", "COPY backend/shared/ ./backend/shared/\n", "")
    # An image is never built here: this is what becomes of the service on the platform.
    plan.config.behaviour["deploys"] = {"srv-twinworker": {"status": "update_failed"}}
    plan.processes = ["api"]


@fault(
    "U14",
    "a CORS origin ends in a slash, so that no browser matches it",
    "network/configuration",
    "predeploy",
    "postdeploy",
    mode="F20",
    about="CORS_ORIGINS|CORS|staging-app|origin",
)
def origin_with_slash(plan: Plan) -> None:
    origins = plan.config.api_env["CORS_ORIGINS"]
    plan.set_api("CORS_ORIGINS", origins.replace("https://staging-app.accessa.ai", "https://staging-app.accessa.ai/"))


@fault(
    "U15",
    "openapi.json shows the service-role key as an example",
    "api",
    "postdeploy",
    mode="F21",
    about="openapi.json|secret|service-role|service_role|SERVICE_ROLE_KEY|key",
)
def key_as_example(plan: Plan) -> None:
    plan.replace_in_source(
        "api/application.py",
        'title="Insurance Navigator API",',
        'title="Insurance Navigator API", description=f"Operators call with `Bearer {config.service_key}`.",',
    )
