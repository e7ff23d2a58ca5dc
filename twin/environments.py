"""The navigator's environments: the correct ones of the API and the worker, and the gate's."""

from __future__ import annotations

from pathlib import Path

from twin.config import TwinConfig
from twin.keys import deploy_hook_key


def fill(config: TwinConfig, password: str, source: Path) -> None:
    """Fill in the three environments of a healthy twin."""
    shared = _general(config) | _database(config, password) | _keys(config)
    config.api_env = shared | {
        "SERVICE_HOST": "0.0.0.0",
        "SERVICE_PORT": "8000",
        "CORS_ORIGINS": "https://staging.accessa.ai,https://staging-app.accessa.ai,https://staging-admin.accessa.ai",
        "KEEP_ALIVE": "75",
        "MAX_REQUESTS": "1000",
        "MAX_REQUESTS_JITTER": "100",
        "WORKERS": "1",
    }
    config.worker_env = shared | {
        "WORKER_POLL_INTERVAL": "30",
        "WORKER_MAX_RETRIES": "3",
        "WORKER_RETRY_BASE_DELAY": "5",
        "WORKER_LOG_LEVEL": "INFO",
    }
    config.operator_env = config.api_env | {
        "HARNESS_TARGET_NAME": "twin",
        "HARNESS_CA_FILE": config.ca_file,
        "HARNESS_SOURCE_TREE": str(source),
        "HARNESS_WORKER_ENV_FILE": str(Path(config.folder) / "worker.env"),
        "HARNESS_EXPECTED_COMMIT": config.commit,
        "HARNESS_BACKUP_DATABASE_URL": _backup_url(config, password),
        "HARNESS_SPEEDUP": f"{config.speedup:g}",
        "SUPABASE_JWT_SECRET": config.jwt_secret,
        "HARNESS_OPENAI_ORGANIZATION": "org-twin",
        "HARNESS_OPENAI_PROJECT": "proj_twin",
        "HARNESS_ANTHROPIC_ORGANIZATION": "8a2c4e4f-0000-4000-8000-000000000001",
        "RENDER_API_KEY": config.render_key,
        "RENDER_BASE_URL": config.url("render"),
        "HARNESS_DEPLOY_HOOKS": " ".join(deploy_hooks(config)),
        "SUPABASE_ACCESS_TOKEN": config.management_token,
        "SUPABASE_MANAGEMENT_URL": config.url("supabase"),
        "HARNESS_PACKAGE_INDEX_URL": f"{config.url('render')}/registry/simple",
        "HARNESS_VULNERABILITY_URL": f"{config.url('render')}/registry/osv/v1/query",
    }


def deploy_hooks(config: TwinConfig) -> list[str]:
    """The deploy hooks of both services at Render."""
    services = ("srv-twinapi", "srv-twinworker")
    return [f"{config.url('render')}/deploy/{name}?key={deploy_hook_key(config.render_key, name)}" for name in services]


def _general(config: TwinConfig) -> dict[str, str]:
    return {
        "ENVIRONMENT": "staging",
        "DEBUG": "false",
        "LOG_LEVEL": "INFO",
        "NODE_ENV": "staging",
        "API_BASE_URL": config.url("api"),
        "RAG_SIMILARITY_THRESHOLD": "0.3",
        "RAG_MAX_CHUNKS": "10",
        "RAG_TOKEN_BUDGET": "4000",
        "RAG_EMBEDDING_MODEL": "text-embedding-3-small",
        "RAG_VECTOR_DIMENSION": "1536",
        "APP_VERSION": "1.0.0-staging",
    }


def _database(config: TwinConfig, password: str) -> dict[str, str]:
    port = config.ports["postgres"]
    return {
        "DATABASE_URL": f"postgresql://staging_user:{password}@localhost:{port}/staging_db",
        "DATABASE_SCHEMA": "upload_pipeline",
        "SUPABASE_DB_HOST": "localhost",
        "SUPABASE_DB_PORT": str(port),
        "SUPABASE_DB_USER": "staging_user",
        "SUPABASE_DB_PASSWORD": password,
        "SUPABASE_DB_NAME": "staging_db",
    }


def _backup_url(config: TwinConfig, password: str) -> str:
    return f"postgresql://backup_user:{password}@localhost:{config.ports['postgres']}/staging_db"


def project_keys(config: TwinConfig) -> dict[str, str]:
    """The Supabase project's keys, as every service has them."""
    return {
        "SUPABASE_SERVICE_ROLE_KEY": config.service_role_key,
        "SERVICE_ROLE_KEY": config.service_role_key,
        "SUPABASE_ANON_KEY": config.anon_key,
    }


def _keys(config: TwinConfig) -> dict[str, str]:
    return project_keys(config) | {
        "SUPABASE_URL": config.url("supabase"),
        "SUPABASE_STORAGE_URL": f"{config.url('supabase')}/storage/v1",
        "OPENAI_API_KEY": config.openai_key,
        "LLAMAPARSE_API_KEY": config.llamaparse_key,
        "ANTHROPIC_API_KEY": config.anthropic_key,
        "OPENAI_BASE_URL": f"{config.url('openai')}/v1",
        "LLAMAPARSE_BASE_URL": config.url("llamaparse"),
        "ANTHROPIC_BASE_URL": config.url("anthropic"),
    }
