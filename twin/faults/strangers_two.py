"""Faults written from the specification alone: known failure modes, caused in another way."""

from __future__ import annotations

from typing import Any

from twin.faults import fault
from twin.plan import Plan

WORKER = "backend/workers/enhanced_base_worker.py"
WORKER_DOCKERFILE = "backend/workers/Dockerfile"
AUTH = "api/auth.py"
CHAT = "api/chat.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"


@fault(
    "T01",
    "the worker has the old LlamaParse key",
    "worker/llamaparse/configuration",
    "predeploy",
    "postdeploy",
    mode="F01",
    about="LLAMAPARSE_API_KEY|LlamaParse|failed_parse",
)
def rotated_parser_key(plan: Plan) -> None:
    plan.set_worker("LLAMAPARSE_API_KEY", "staging-llamaparse-before-rotation")


@fault(
    "T02",
    "the CHECK of vector_dim expects 3072 dimensions",
    "database",
    "predeploy",
    "postdeploy",
    mode="F06|F11",
    about="vector_dim|CHECK|document_chunks|failed_embedding",
)
def other_dimension_checked(plan: Plan) -> None:
    plan.sql.append(
        """ALTER TABLE upload_pipeline.document_chunks DROP CONSTRAINT document_chunks_vector_dim_check,
               ADD CONSTRAINT document_chunks_vector_dim_check CHECK (vector_dim = 3072)"""
    )


@fault(
    "T03",
    "the worker gives LlamaParse a callback path that does not exist",
    "worker/webhook/api",
    "postdeploy",
    mode="F12",
    about="callback|webhook|parse_queued",
)
def callback_path(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "/webhook/llamaparse/", "/webhooks/llamaparse/")


@fault(
    "T04",
    "the webhook refuses a callback that follows another within two seconds",
    "webhook/api",
    "postdeploy",
    mode="F13",
    about="callback|webhook|parse_queued|429",
)
def callback_rate(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "import json\n", "import json\nimport time\n")
    plan.replace_in_source(WEBHOOK, "router = APIRouter()\n", 'router = APIRouter()\n_last = {"at": float("-inf")}\n')
    plan.replace_in_source(
        WEBHOOK,
        "        try:\n            payload = json.loads(body)\n",
        '        if time.monotonic() - _last["at"] < 2:\n'
        '            raise HTTPException(429, "too many callbacks")\n'
        '        _last["at"] = time.monotonic()\n'
        "        try:\n            payload = json.loads(body)\n",
    )


@fault(
    "T05",
    "the alias /chat returns the fallback text without looking into the documents",
    "chat/rag/api",
    "postdeploy",
    mode="F16|F09",
    about="/chat|alias|fallback|sources",
)
def alias_without_retrieval(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        '@router.post("/chat")\n@router.post("/api/chat")\n',
        '@router.post("/chat")\n'
        "async def legacy_chat(body: ChatRequest, user: CurrentUser) -> dict[str, Any]:\n"
        "    if not body.message.strip():\n"
        '        raise HTTPException(400, "empty message")\n'
        '    text = "Your documents contain nothing about that."\n'
        "    return _body(text, body, time.perf_counter(), [], confidence=0.0, agent_sources=[], chunks=0)\n\n\n"
        '@router.post("/api/chat")\n',
    )


@fault(
    "T06",
    "the CORS origins end with a slash",
    "configuration/network/api",
    "predeploy",
    "postdeploy",
    mode="F20",
    about="CORS_ORIGINS|CORS|pre-flight|preflight",
)
def origins_with_slash(plan: Plan) -> None:
    origins = plan.config.api_env["CORS_ORIGINS"].split(",")
    plan.set_api("CORS_ORIGINS", ",".join(f"{origin}/" for origin in origins))


@fault(
    "T07",
    "the metadata of chat answers contain the service's settings with all keys",
    "chat/api",
    "postdeploy",
    mode="F21",
    about="secret|key|connection string|metadata",
)
def settings_in_metadata(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "import uuid\n", "import uuid\nfrom dataclasses import asdict\n")
    plan.replace_in_source(
        CHAT, "        chunks=len(passages),\n", "        chunks=len(passages),\n        settings=asdict(config),\n"
    )


@fault(
    "T08",
    "the upload proxy stores files without a token",
    "api/auth/storage",
    "postdeploy",
    mode="F22",
    about="upload-file-proxy|proxy|without a token|unauthenticated",
)
def proxy_without_token(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "async def upload_proxy(bucket: str, key: str, user: CurrentUser, request: Request)",
        "async def upload_proxy(bucket: str, key: str, request: Request)",
    )
    plan.replace_in_source(UPLOADS, 'not key.startswith(f"user/{user.id}/")', 'not key.startswith("user/")')


@fault(
    "T09",
    "the role `authenticated` bypasses row-level security",
    "database",
    "predeploy",
    "postdeploy",
    mode="F24",
    about="BYPASSRLS|row-level security|authenticated",
)
def role_bypasses_policies(plan: Plan) -> None:
    plan.sql.append("ALTER ROLE authenticated BYPASSRLS")


@fault("T10", "a token is accepted for a day after it expired", "auth/api", "postdeploy", mode="F25", about="expired")
def grace_for_expired_tokens(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import base64\nimport json\nimport re\nimport time\n")
    plan.replace_in_source(
        AUTH,
        "async def verify_token(",
        "def _in_grace(token: str) -> dict[str, Any] | None:\n"
        "    try:\n"
        '        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))\n'
        '        recent = 0 < time.time() - claims["exp"] < 86400\n'
        '        return {"id": claims["sub"], "email": claims["email"]} if recent else None\n'
        "    except (ValueError, KeyError, IndexError, TypeError):\n"
        "        return None\n\n\n"
        "async def verify_token(",
    )
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("invalid or expired token") from error\n',
        "        if user := _in_grace(token):\n"
        "            return user\n"
        '        raise _unauthorized("invalid or expired token") from error\n',
    )


@fault(
    "T11",
    "the vector index is built for Euclidean distance",
    "database",
    "predeploy",
    mode="F27",
    about="vector index|index|cosine|embedding_idx",
)
def index_for_other_distance(plan: Plan) -> None:
    plan.sql.append(
        """DROP INDEX upload_pipeline.document_chunks_embedding_idx;
           CREATE INDEX document_chunks_embedding_idx ON upload_pipeline.document_chunks
               USING hnsw (embedding vector_l2_ops)"""
    )


@fault(
    "T13",
    "Render builds the worker from the Dockerfile of the API",
    "render/build",
    "predeploy",
    mode="F36|F17",
    about="dockerfile|Dockerfile",
)
def worker_from_other_dockerfile(plan: Plan) -> None:
    details: dict[str, Any] = {
        "env": "docker",
        "runtime": "docker",
        "region": "oregon",
        "plan": "starter",
        "buildPlan": "starter",
        "numInstances": 1,
        "envSpecificDetails": {"dockerfilePath": "./Dockerfile", "dockerContext": ".", "dockerCommand": ""},
    }
    plan.config.behaviour["render"] = {
        "srv-twinworker": {
            "autoDeploy": "no",
            "suspended": "not_suspended",
            "branch": "staging",
            "rootDir": "",
            "id": "srv-twinworker",
            "name": "insurance-navigator-staging-worker",
            "type": "background_worker",
            "buildFilter": {
                "paths": [
                    "backend/workers/**",
                    "backend/shared/**",
                    "config/render/**",
                    "supabase/migrations/**",
                    "requirements.txt",
                    "pyproject.toml",
                ],
                "ignoredPaths": [],
            },
            "serviceDetails": details,
        }
    }


@fault(
    "T14",
    "the image of the worker lacks the shared modules",
    "build/worker",
    "predeploy",
    mode="F17",
    about="backend/shared|backend.shared|Dockerfile|deploy",
)
def image_without_shared_modules(plan: Plan) -> None:
    plan.replace_in_source(WORKER_DOCKERFILE, "COPY backend/shared/ ./backend/shared/\n", "")
    plan.config.behaviour["deploys"] = {"srv-twinworker": {"status": "update_failed"}}
