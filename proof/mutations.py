"""Mutations of the specification's facts: each must turn at least one check red.

`python -m proof.mutations [--jobs 2] [--only PART]` writes docs/mutations.md and reports/out/mutations.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gate.embedded import EmbeddedTwin
from gate.settings import ConfigurationError, read_env_file
from proof.faults import JSON_FILE as FAULTS_FILE
from proof.gate_run import run_gate
from spec import Specification, current
from spec.model import Table

RUN_SECONDS = 240
JSON_FILE = Path("reports/out/mutations.json")
MARKDOWN_FILE = Path("docs/mutations.md")
ENVIRONMENT = "acceptance/predeploy/test_environment_variables.py"
SCHEMA = "acceptance/predeploy/test_database_configuration.py"
BUILDS = "acceptance/predeploy/test_service_builds.py"
KEYS = "acceptance/predeploy/test_api_keys.py"
NETWORK = "acceptance/security/test_network.py"
CONNECTIVITY = "acceptance/postdeploy/test_database_connectivity.py"
ENDPOINTS = "acceptance/postdeploy/test_api_endpoints.py"
PARTS = ("variables", "schema", "network", "limits", "builds")
SERVICES: tuple[str, ...] = ("api", "worker")
# What the specification allows is no mutation of it.
ALLOWED = {"worker ANTHROPIC_API_KEY missing", "api ANTHROPIC_API_KEY missing"}


@dataclass
class Mutation:
    """One changed fact: how the twin (or the declared environment) is changed, and which checks look at it."""

    label: str
    part: str
    suite: str
    twin: list[str] = field(default_factory=list)
    env: dict[str, dict[str, str | None]] = field(default_factory=dict)
    exit_code: int = 0
    red: list[str] = field(default_factory=list)

    @property
    def is_killed(self) -> bool:
        """Whether a check turned red, or the run was refused by name."""
        return bool(self.red) or (self.part == "variables" and self.exit_code in (4, 6))


def _changed(value: str) -> dict[str, str | None]:
    return {
        "missing": None,
        "empty": "",
        "changed": value[:-1] + ("1" if value[-1:] != "1" else "2") if value else "x",
        "quoted": f'"{value}"',
        "trailing newline": f"{value}\n",
    }


def of_variables(spec: Specification, env: dict[str, dict[str, str]]) -> Iterator[Mutation]:
    """Every variable of both services, in every way in which it can be wrong."""
    for service in SERVICES:
        names = list(spec.variables_of(service))
        for position, name in enumerate(names):
            kinds = _changed(env[service].get(name, ""))
            kinds["swapped"] = env[service].get(names[position - 7], "")
            for kind, value in kinds.items():
                label = f"{service} {name} {kind}"
                if label not in ALLOWED and value != env[service].get(name):
                    yield Mutation(label, "variables", ENVIRONMENT, env={service: {name: value}})


def of_keys(env: dict[str, dict[str, str]]) -> Iterator[Mutation]:
    """Every key, changed or swapped, against the services that it opens."""
    keys = ("OPENAI_API_KEY", "LLAMAPARSE_API_KEY", "ANTHROPIC_API_KEY", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY")
    for name in keys:
        yield Mutation(f"api {name} of nobody", "keys", KEYS, env={"api": {name: env["api"][name][:-3] + "xyz"}})
    for name in keys[:2]:
        yield Mutation(f"worker {name} of nobody", "keys", KEYS, env={"worker": {name: env["worker"][name][:-3] + "xyz"}})
    anon, service = env["api"]["SUPABASE_ANON_KEY"], env["api"]["SUPABASE_SERVICE_ROLE_KEY"]
    swapped: dict[str, str | None] = {"SUPABASE_ANON_KEY": service, "SUPABASE_SERVICE_ROLE_KEY": anon}
    yield Mutation("anon and service-role key swapped", "keys", KEYS, env={"api": swapped})
    elsewhere: dict[str, str | None] = {"SUPABASE_STORAGE_URL": "https://localhost:9/storage/v1"}
    yield Mutation("storage of another project", "keys", KEYS, env={"api": elsewhere})


def _of_table(spec: Specification, table: Table) -> Iterator[Mutation]:
    full = f"{spec.database.schema_name}.{table.name}"

    def sql(label: str, statement: str) -> Mutation:
        return Mutation(f"{table.name}: {label}", "schema", SCHEMA, ["--sql", statement])

    for number, (column, kind) in enumerate(table.columns.items()):
        if number % 2 or kind.startswith(("vector", "jsonb", "uuid")):
            yield sql(f"column {column} missing", f"ALTER TABLE {full} RENAME COLUMN {column} TO {column}_old")
        else:
            to = "varchar(200)" if kind != "character varying(200)" else "text"
            yield sql(f"column {column} of another type", _retype(full, column, to))
    yield sql("row-level security off", f"ALTER TABLE {full} DISABLE ROW LEVEL SECURITY")
    yield sql("table missing", f"ALTER TABLE {full} RENAME TO {table.name}_old")
    yield sql("service role lost a privilege", f"REVOKE {table.service_grants[-1]} ON {full} FROM service_role")
    yield sql("policy of the service role missing", f"DROP POLICY {table.name}_service ON {full}")
    opened = f"GRANT USAGE ON SCHEMA {spec.database.schema_name} TO anon; GRANT SELECT ON {full} TO anon"
    policy = f"CREATE POLICY open ON {full} FOR SELECT TO anon USING (true)"
    rows = ROWS.replace("{schema}", spec.database.schema_name)
    yield sql("visible to strangers", f"{opened}; {rows}; {policy}")


ROWS = """WITH d AS (INSERT INTO {schema}.documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path)
        VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'x', 1, 'x', 'x') RETURNING document_id),
    j AS (INSERT INTO {schema}.upload_jobs (document_id, status, state) SELECT document_id, 'complete', 'done' FROM d),
    c AS (INSERT INTO {schema}.document_chunks (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text,
        chunk_sha) SELECT gen_random_uuid(), document_id, 'x', '1', 0, 'x', 'x' FROM d),
    e AS (INSERT INTO {schema}.events (type) VALUES ('x'))
    INSERT INTO {schema}.webhook_log (provider, accepted, payload_sha256) VALUES ('x', true, 'x')"""


def _retype(table: str, column: str, kind: str) -> str:
    """Change a type whatever depends on it: checks and keys on the column go with it."""
    return f"ALTER TABLE {table} RENAME COLUMN {column} TO {column}_old; ALTER TABLE {table} ADD COLUMN {column} {kind}"


def of_schema(spec: Specification) -> Iterator[Mutation]:
    """Every column, constraint, index, privilege and policy."""
    for table in spec.database.tables:
        yield from _of_table(spec, table)
    schema = spec.database.schema_name
    for label, statement in {
        "primary key of documents": "ALTER TABLE {0}.documents DROP CONSTRAINT documents_pkey CASCADE",
        "primary key of upload_jobs": "ALTER TABLE {0}.upload_jobs DROP CONSTRAINT upload_jobs_pkey CASCADE",
        "primary key of document_chunks": "ALTER TABLE {0}.document_chunks DROP CONSTRAINT document_chunks_pkey",
        "unique documents": "ALTER TABLE {0}.documents DROP CONSTRAINT documents_user_file_unique",
        "unique chunks": "ALTER TABLE {0}.document_chunks DROP CONSTRAINT document_chunks_order_unique",
        "foreign key of jobs": "ALTER TABLE {0}.upload_jobs DROP CONSTRAINT upload_jobs_document_id_fkey",
        "foreign key of chunks": "ALTER TABLE {0}.document_chunks DROP CONSTRAINT document_chunks_document_id_fkey",
        "check of status": "ALTER TABLE {0}.upload_jobs DROP CONSTRAINT upload_jobs_status_check",
        "check of state": "ALTER TABLE {0}.upload_jobs DROP CONSTRAINT upload_jobs_state_check",
        "check of vector_dim": "ALTER TABLE {0}.document_chunks DROP CONSTRAINT document_chunks_vector_dim_check",
        "index of unfinished jobs": "DROP INDEX {0}.upload_jobs_unfinished_idx",
        "index of jobs by document": "DROP INDEX {0}.upload_jobs_document_idx",
        "index of embeddings": "DROP INDEX {0}.document_chunks_embedding_idx",
        "superuser rights": "ALTER ROLE staging_user SUPERUSER",
        "role anon": "ALTER ROLE anon RENAME TO anon_old",
        "role authenticated": "ALTER ROLE authenticated RENAME TO authenticated_old",
        "role service_role": "ALTER ROLE service_role RENAME TO service_role_old",
        "extension": "DROP EXTENSION vector CASCADE",
        "schema": "ALTER SCHEMA {0} RENAME TO {0}_old",
        "bucket": "DELETE FROM storage.buckets",
        "migrations unknown": "DELETE FROM supabase_migrations.schema_migrations",
    }.items():
        yield Mutation(f"{label} changed", "schema", SCHEMA, ["--sql", statement.format(schema)])
    for status in spec.database.table("upload_jobs").checks["status"]:
        values = [s for s in spec.database.table("upload_jobs").checks["status"] if s != status]
        listed = ", ".join(f"'{value}'" for value in values)
        drop = f"ALTER TABLE {schema}.upload_jobs DROP CONSTRAINT upload_jobs_status_check"
        add = f"ALTER TABLE {schema}.upload_jobs ADD CONSTRAINT upload_jobs_status_check CHECK (status IN ({listed}))"
        for suite in (SCHEMA, CONNECTIVITY):
            label = f"status {status} not allowed ({Path(suite).stem})"
            yield Mutation(label, "schema", suite, ["--sql", drop, "--sql", add])


def of_network(spec: Specification) -> Iterator[Mutation]:
    """Every CORS origin and every trusted host, missing; one that should not be there."""
    origins = spec.networking.cors_origins
    for origin in origins:
        rest = ",".join(other for other in origins if other != origin)
        yield Mutation(f"CORS origin {origin} missing", "network", NETWORK, ["--set", f"api.CORS_ORIGINS={rest}"])
    for origin in spec.networking.foreign_origins:
        text = ",".join([*origins, origin])
        yield Mutation(f"CORS origin {origin} allowed", "network", NETWORK, ["--set", f"api.CORS_ORIGINS={text}"])
    place = "api/application.py"
    for host in spec.networking.trusted_hosts:
        yield Mutation(f"host {host} missing", "network", NETWORK, ["--replace", place, f'"{host}"', '"nowhere.example"'])
    for host in spec.networking.foreign_hosts:
        new = f'[*TRUSTED_HOSTS, own_host, "{host}"]'
        yield Mutation(f"host {host} trusted", "network", NETWORK, ["--replace", place, "[*TRUSTED_HOSTS, own_host]", new])


LIMITS = {
    "MAX_FILE_SIZE_BYTES = 5 * 1024 * 1024": "MAX_FILE_SIZE_BYTES = 6 * 1024 * 1024",
    "MAX_CONCURRENT_JOBS = 2": "MAX_CONCURRENT_JOBS = 3",
    "MAX_UPLOADS_PER_DAY = 3": "MAX_UPLOADS_PER_DAY = 30",
    "SIGNED_URL_TTL_SECONDS = 300": "SIGNED_URL_TTL_SECONDS = 3000",
    'MIME_TYPES = ("application/pdf",)': 'MIME_TYPES = ("application/pdf", "text/html")',
    "max_length=120": "max_length=1200",
    '"^[0-9a-f]{64}$"': '"^[0-9a-z]{3,64}$"',
    "bytes_len: int = Field(gt=0)": "bytes_len: int = Field(gt=-9)",
    'mime: Literal["application/pdf"]': "mime: str",
}


def of_limits(spec: Specification) -> Iterator[Mutation]:
    """Every limit and every rule of the upload request, and every route."""
    for old, new in LIMITS.items():
        yield Mutation(f"limit {old}", "limits", ENDPOINTS, ["--replace", "api/uploads.py", old, new])
    for endpoint in spec.endpoints:
        if endpoint.name in ("docs", "openapi"):
            continue
        for file in ("health", "auth", "uploads", "jobs", "webhook", "chat"):
            path = Path("twin/source/api") / f"{file}.py"
            route = endpoint.path.replace("{key}", "{key:path}")
            old = f'@router.{endpoint.method.lower()}("{route}"'
            if old in path.read_text():
                new = f'@router.{endpoint.method.lower()}("/moved{route}"'
                yield Mutation(f"route {endpoint.method} {endpoint.path} moved", "limits", ENDPOINTS,
                               ["--replace", f"api/{file}.py", old, new])  # fmt: skip


RENDER = {
    "type": '"static_site"',
    "autoDeploy": '"yes"',
    "suspended": '"suspended"',
    "serviceDetails.runtime": '"node"',
    "serviceDetails.region": '"frankfurt"',
    "serviceDetails.plan": '"free"',
    "serviceDetails.buildPlan": '"performance"',
    "serviceDetails.envSpecificDetails.dockerfilePath": '"./Dockerfile.old"',
    "serviceDetails.envSpecificDetails.dockerContext": '"./ui"',
    "buildFilter.paths": '["**"]',
    "buildFilter.ignoredPaths": '["x"]',
    "name": '"another"',
}


def of_builds(spec: Specification) -> Iterator[Mutation]:
    """Render's description of both services, and their Dockerfiles and requirements."""
    for service in ("srv-twinapi", "srv-twinworker"):
        for path, value in RENDER.items():
            yield Mutation(f"{service} {path}", "builds", BUILDS, ["--behaviour", f"render.{service}.{path}={value}"])
    api = ["--behaviour", 'render.srv-twinapi.serviceDetails.healthCheckPath="/"']
    yield Mutation("srv-twinapi healthCheckPath", "builds", BUILDS, api)
    for name in ("Dockerfile", "backend/workers/Dockerfile"):
        requirements = "requirements-prod.txt" if name == "Dockerfile" else "requirements.txt"
        for label, file, old, new in (
            ("base image", name, "FROM python:3.11-slim", "FROM python:3.12"),
            ("user", name, "USER app\n", ""),
            ("health check", name, "interval=30s", "interval=300s"),
            ("start command", name, 'CMD ["', 'CMD ["nice", "'),
            ("requirements file", name, f"-r {requirements}", "-r other.txt"),
            ("copied source", name, "COPY backend/shared/ ", "COPY backend/common/ "),
            ("copied beyond the filter", name, "WORKDIR /app\n", "WORKDIR /app\nCOPY twin.txt supabase ./\nCOPY . ./\n"),
            ("secret", name, "WORKDIR /app\n", "WORKDIR /app\nENV OPENAI_API_KEY=abc\n"),
            ("conflict", requirements, "httpx>=0.27,<1", "httpx>=0.27,<1\nhttpx<0.20"),
            ("open range", requirements, "asyncpg>=0.29,<1", "asyncpg"),
        ):
            yield Mutation(f"{name} {label}", "builds", BUILDS, ["--replace", file, old, new])
    yield Mutation("Dockerfile port", "builds", BUILDS, ["--replace", "Dockerfile", "EXPOSE 8000", "EXPOSE 80"])
    imports = ["--replace", "api/application.py", "import httpx\n", "import httpx\nimport nowhere\n"]
    yield Mutation("api import", "builds", BUILDS, imports)


@contextmanager
def twin(arguments: list[str]) -> Iterator[tuple[Path, Path]]:
    """A twin started as a stranger starts one; its env file and its worker's."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        embedded = EmbeddedTwin(Path(folder) / "twin", arguments=arguments)
        try:
            values, _ = embedded.start()
        except ConfigurationError as error:
            raise RuntimeError(f"the twin did not start with {arguments}: {error}") from error
        try:
            yield embedded.env_file, Path(values["HARNESS_WORKER_ENV_FILE"])
        finally:
            embedded.stop()


def _write(path: Path, values: dict[str, str]) -> None:
    path.write_text("".join(f"{name}={json.dumps(value)}\n" for name, value in values.items()))


def judge(mutation: Mutation, env_file: Path, worker_file: Path) -> Mutation:
    """Run the mutation's checks and note what turned red; returns the mutation."""
    with tempfile.TemporaryDirectory(prefix="judge-") as folder:
        api, worker = read_env_file(env_file), read_env_file(worker_file)
        for service, changes in mutation.env.items():
            values = api if service == "api" else worker
            for name, value in changes.items():
                values.pop(name, None) if value is None else values.__setitem__(name, value)
        _write(Path(folder) / "t.env", api)
        _write(Path(folder) / "w.env", worker)
        arguments = ["--target=live", f"--env-file={folder}/t.env", f"--worker-env-file={folder}/w.env"]
        done = run_gate(mutation.suite, Path(folder) / "out", arguments, RUN_SECONDS)
        mutation.exit_code, mutation.red = done.exit_code, done.named("failed")
    return mutation


def _judge_alone(mutation: Mutation) -> Mutation:
    try:
        with twin(mutation.twin) as (env_file, worker_file):
            return judge(mutation, env_file, worker_file)
    except RuntimeError as error:
        print(f"     {mutation.label}: {error}", flush=True)
        mutation.exit_code = -1
        return mutation


def run_all(only: str, jobs: int) -> list[Mutation]:
    """All mutations, those of the environment on one twin, the others on one each; progress goes to the terminal."""
    spec = current()
    done: list[Mutation] = []

    def told(mutation: Mutation) -> None:
        done.append(mutation)
        if not mutation.is_killed:
            print(f"     survived: {mutation.label} (exit code {mutation.exit_code})", flush=True)
        if len(done) % 25 == 0:
            print(f"[{len(done)}] {sum(m.is_killed for m in done)} killed", flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        if only in ("", "variables"):
            with twin([]) as (env_file, worker_file):
                env = {"api": read_env_file(env_file), "worker": read_env_file(worker_file)}
                for mutation in pool.map(lambda m: judge(m, env_file, worker_file), [*of_variables(spec, env), *of_keys(env)]):
                    told(mutation)
        others = [*of_schema(spec), *of_network(spec), *of_limits(spec), *of_builds(spec)]
        chosen = [mutation for mutation in others if only in ("", mutation.part)]
        for mutation in pool.map(_judge_alone, chosen):
            told(mutation)
    return done


# Why a check has no fault of its own, by its name; the first that fits.
REASONS = {
    "harness|kept_its_schedule": "needs a load generator without processor time",
    "holds_its_target|hold_the_target|holds_the_target|is_quick|policy_holds": "needs a part that is slow and still works",
    "lock_is_waited|blocks_the_queue|cache_carries|connections_are_left": "needs a state that takes minutes to make",
    "locked_for_one_worker|transaction_can_be_undone|server_is_recent|clock_of|bucket_is_known": "needs another PostgreSQL",
    "database_answers|lets_the_services_in|schema_is_found|what_the_api_writes": "blocked when its ground is gone",
    "refuses_a_wrong_key|refuses_a_foreign_token|signed_url_fits|no_key_at_all|signed_read_url|llamaparse_tells": (
        "needs a third party that is broken; the doubles behave"
    ),
    "old_protocol|current_protocol": "proven in tests/test_network.py on a TLS 1.0 server",
    "production|API_BASE_URL|is_stagings": "the guard stops the run before this check (exit code 4), or nothing answers (6)",
    "keys_are_not_about|token_is_the_projects": "needs another Supabase project",
    "last_deploy": "F17 shows it for the worker",
}
OTHERWISE = "no fault of this kind was made yet"


def reason_for(name: str) -> str:
    """Why a check is unproven."""
    return next((reason for pattern, reason in REASONS.items() if re.search(pattern, name)), OTHERWISE)


def unproven(mutations: list[Mutation]) -> tuple[list[str], int]:
    """Checks that neither a fault nor a mutation turned red, and how many checks there are."""
    rows = json.loads(FAULTS_FILE.read_text())["rows"] if FAULTS_FILE.exists() else []
    known = {name for row in rows if row["fault"] == "healthy" for name in row["checks"]}
    red = {name for row in rows if row["fault"] != "healthy" for name in row["red"]}
    red |= {name for mutation in mutations for name in mutation.red}
    return sorted(known - red), len(known)


def markdown(mutations: list[Mutation]) -> str:
    """The page."""
    killed = [m for m in mutations if m.is_killed]
    left, known = unproven(mutations)
    parts = Counter(m.part for m in mutations)
    dead = Counter(m.part for m in killed)
    lines = [
        "# Mutations of the specification's facts",
        "",
        "Produced by `make mutations`, after `make faults`. Each mutation changes one fact of the deployment (a variable",
        "missing, empty, changed, quoted, with a trailing newline or swapped with another; a column, constraint, index,",
        "privilege or policy; a CORS origin or trusted host; a limit or route; a detail of a service or its image).",
        "",
        f"Kill rate: **{len(killed)} of {len(mutations)} ({100 * len(killed) / max(1, len(mutations)):.1f} %)**.",
        "",
        "| facts | mutations | killed |",
        "|---|---|---|",
        *(f"| {part} | {number} | {dead[part]} |" for part, number in parts.items()),
        "",
        "## Survivors",
        "",
        *([f"- {m.label}" for m in mutations if not m.is_killed] or ["none"]),
        "",
        "Not mutations: " + ", ".join(sorted(ALLOWED)) + " (the specification calls Anthropic optional).",
        "",
        "## Unproven checks",
        "",
        f"{len(left)} of {known} checks ({100 * len(left) / max(1, known):.1f} %) were turned red by no fault and no mutation:",
        "",
        *([f"- `{name.partition('acceptance/')[2]}`: {reason_for(name)}" for name in left] or ["none"]),
    ]
    return "\n".join(lines) + "\n"


def last_results() -> list[Mutation]:
    """What the last run found; raises FileNotFoundError when there was none."""
    return [Mutation(**entry) for entry in json.loads(JSON_FILE.read_text())]


def main() -> int:
    """Run all mutations; exit code 1 when fewer than 95 % are killed."""
    parser = argparse.ArgumentParser(prog="python -m proof.mutations", description=__doc__)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="twins at the same time")
    parser.add_argument("--only", default="", choices=("", *PARTS))
    parser.add_argument("--page", action="store_true", help="write the page again from the last results")
    options = parser.parse_args()
    if options.page:
        MARKDOWN_FILE.write_text(markdown(last_results()))
        return 0
    mutations = run_all(options.only, options.jobs)
    if options.only and JSON_FILE.exists():
        # A part run again takes the place of its earlier results.
        again = {mutation.part for mutation in mutations}
        mutations += [mutation for mutation in last_results() if mutation.part not in again]
    JSON_FILE.parent.mkdir(parents=True, exist_ok=True)
    JSON_FILE.write_text(json.dumps([asdict(m) for m in mutations], indent=1) + "\n")
    if {mutation.part for mutation in mutations} >= set(PARTS):
        MARKDOWN_FILE.write_text(markdown(mutations))
    killed = sum(m.is_killed for m in mutations)
    print(f"{killed} passed, {len(mutations) - killed} failed")
    return 0 if killed >= 0.95 * len(mutations) else 1


if __name__ == "__main__":
    sys.exit(main())
