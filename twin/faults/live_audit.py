"""Faults of the configuration as the host holds it, and of staging beside production."""

from __future__ import annotations

import secrets
from pathlib import Path

from twin.envfile import write_env
from twin.faults import fault
from twin.plan import Plan

API, WORKER = "srv-twinapi", "srv-twinworker"
BUILD_FILES = ("requirements.txt", "requirements-prod.txt", "Dockerfile", "backend/workers/Dockerfile")


@fault(
    "LA01",
    "an environment group gives the worker another value than the declared one",
    "configuration",
    "maintenance",
    "predeploy",
    mode="-",
    about="*worker*RAG_MAX_CHUNKS*",
)
def value_of_a_group(plan: Plan) -> None:
    group = {"services": [WORKER], "keys": ["RAG_MAX_CHUNKS"], "values": {"RAG_MAX_CHUNKS": "40"}}
    plan.config.behaviour["render_groups"] = {"staging-rag": group}


@fault(
    "LA02",
    "a variable was moved to a group that is linked to no service",
    "configuration",
    "maintenance",
    "predeploy",
    mode="-|F14",
    about="*api*MAX_REQUESTS*",
)
def group_without_a_link(plan: Plan) -> None:
    plan.config.behaviour["render_variables"] = {API: {"MAX_REQUESTS": None}}
    plan.config.behaviour["render_groups"] = {"staging-api": {"services": [], "keys": [], "values": {"MAX_REQUESTS": "1000"}}}


@fault(
    "LA03",
    "a variable comes from a secret file, with another value",
    "configuration",
    "maintenance",
    mode="-",
    about="*KEEP_ALIVE*",
)
def value_of_a_secret_file(plan: Plan) -> None:
    plan.config.behaviour["render_variables"] = {API: {"KEEP_ALIVE": None}}
    plan.config.behaviour["render_files"] = {API: {".env": "KEEP_ALIVE=5\n"}}


@fault(
    "LA04", "the host runs another command than the image's", "render", "maintenance", mode="-", about="*worker*dockerCommand*"
)
def other_command(plan: Plan) -> None:
    command = "python backend/workers/base_worker.py"
    plan.config.behaviour["render"] = {f"{WORKER}.serviceDetails.envSpecificDetails.dockerCommand": command}


@fault("LA05", "the host forwards another port", "render", "maintenance", mode="-", about="*api*openPorts*")
def other_port(plan: Plan) -> None:
    plan.config.behaviour["render"] = {f"{API}.serviceDetails.openPorts": [{"port": 10000, "protocol": "TCP"}]}


@fault(
    "LA06", "a variable with production's database was copied to the worker", "configuration", "maintenance", mode="-",
    about="*worker*PROD_DATABASE_URL*",
)  # fmt: skip
def variable_of_production(plan: Plan) -> None:
    url = f"postgresql://reader:{secrets.token_hex(12)}@db.example:5432/navigator"
    plan.config.behaviour["render_variables"] = {WORKER: {"PROD_DATABASE_URL": url}}


@fault(
    "LA07", "production's secret file lies at the API", "configuration", "maintenance", mode="-", about="*api*production.json*"
)
def file_of_production(plan: Plan) -> None:
    plan.config.behaviour["render_files"] = {API: {"production.json": '{"type": "service_account"}'}}


@fault("LA08", "the worker's service is gone from the host", "render", "maintenance", mode="-|F36", about="*worker*")
def service_gone(plan: Plan) -> None:
    plan.config.behaviour["render_gone"] = [WORKER]


@fault(
    "LA09",
    "the service is of another plan than specified",
    "render",
    "maintenance",
    "predeploy",
    mode="-|F36",
    about="*api*plan*",
)
def other_plan(plan: Plan) -> None:
    plan.config.behaviour["render"] = {f"{API}.serviceDetails.plan": "pro_plus"}


def tree_of_production(plan: Plan) -> Path:
    """A source tree of production's, with staging's build files."""
    tree = Path(plan.config.folder) / "production"
    for name in BUILD_FILES:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text((plan.source / name).read_text())
    return tree


def beside_production(plan: Plan, **changed: str) -> None:
    """Give the operator production's settings, which share nothing with staging but what is changed here."""
    config = plan.config
    own = {name: f"production-{secrets.token_hex(24)}" for name in config.api_env if name.endswith(("_KEY", "_PASSWORD"))}
    addresses = {
        "API_BASE_URL": "https://navigator.example",
        "DATABASE_URL": "postgresql://postgres.abcdefghijklmnopqrst:word@pooler.example:6543/postgres",
        "SUPABASE_URL": "https://abcdefghijklmnopqrst.supabase.co",
    }
    file = Path(config.folder) / "production.env"
    tree = {"HARNESS_SOURCE_TREE": config.operator_env["HARNESS_SOURCE_TREE"]}
    write_env(file, config.api_env | own | addresses | tree | changed)
    config.operator_env["HARNESS_PRODUCTION_ENV_FILE"] = str(file)


@fault(
    "LA10", "staging uses production's key of OpenAI", "configuration", "maintenance", mode="-|F35", about="*OPENAI_API_KEY*"
)
def shared_key(plan: Plan) -> None:
    beside_production(plan, OPENAI_API_KEY=plan.config.openai_key)


@fault("LA11", "staging and production use one database", "configuration", "maintenance", mode="-|F35", about="*DATABASE_URL*")
def shared_database(plan: Plan) -> None:
    url = plan.config.api_env["DATABASE_URL"]
    beside_production(plan, DATABASE_URL=url.replace("staging_user", "reader"))


@fault(
    "LA12",
    "production retrieves otherwise than staging",
    "configuration",
    "maintenance",
    mode="-",
    about="*RAG_SIMILARITY_THRESHOLD*",
)
def other_retrieval(plan: Plan) -> None:
    beside_production(plan, RAG_SIMILARITY_THRESHOLD="0.7")


@fault(
    "LA13",
    "production has other versions of dependencies than staging",
    "configuration",
    "maintenance",
    mode="-",
    about="*dependencies*",
)
def other_dependencies(plan: Plan) -> None:
    tree = tree_of_production(plan)
    wanted = tree / "requirements-prod.txt"
    wanted.write_text(wanted.read_text().replace("fastapi>=0.110", "fastapi>=0.100", 1))
    beside_production(plan, HARNESS_SOURCE_TREE=str(tree))
