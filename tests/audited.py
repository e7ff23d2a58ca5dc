"""A healthy configuration without a twin: its variables, a session that has them, and Render's double beside it."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fixtures.audit import Gathering, raise_for
from fixtures.audit_rows import Audited, Row
from fixtures.system import Staging
from gate.checks import CheckFacts
from gate.failures import Failure
from gate.run import Run, new_run_id
from gate.session import Session
from reports.model import Check, Finding
from spec.codes import declared
from tests.account import KEY, Account
from tests.conftest import ROOT
from tests.recorded import SPEC, concluded
from twin import environments
from twin.config import TwinConfig

PARTS = ("api", "supabase", "openai", "llamaparse", "anthropic", "render", "postgres")


def healthy(folder: Path, **behaviour: Any) -> TwinConfig:
    """The configuration of a twin that does not run."""
    files = {name: str(ROOT) for name in ("ca_file", "cert_file", "key_file")}
    keys = {
        name: f"staging-{secrets.token_hex(24)}"
        for name in ("jwt_secret", "anon_key", "service_role_key", "openai_key", "llamaparse_key", "anthropic_key")
    }
    ports = {name: 40000 + number for number, name in enumerate(PARTS)}
    texts = {"database_admin_url": "x", "render_key": KEY, "project_ref": "ref", "commit": "c" * 40}
    values: dict[str, Any] = {"folder": str(folder), "ports": ports, "speedup": 1, "behaviour": behaviour, **texts}
    config = TwinConfig(**values | files | keys)
    environments.fill(config, "a-long-password", folder)
    return config


@contextmanager
def session_on(config: TwinConfig, folder: Path, url: str, **values: str) -> Iterator[Session]:
    """A session on the target of this configuration, whose Render answers there and whose API does not answer."""
    given = config.operator_env | {"RENDER_BASE_URL": url} | values
    plain = {name: value for name, value in given.items() if name not in ("HARNESS_CA_FILE", "HARNESS_WORKER_ENV_FILE")}
    run = Run(new_run_id(), "live", folder / "run", plain, {"worker": config.worker_env})
    session = Session(run, Staging(), SPEC)
    try:
        yield session
    finally:
        session.close()


def audited(config: TwinConfig, folder: Path, one: Account, **values: str) -> Audited:
    """The audit of this configuration."""
    one.use(config)
    with session_on(config, folder, one.url, **values) as session:
        return Gathering(session).audited()


def findings_of(rows: list[Row]) -> list[Finding]:
    """The findings of these rows, as a run of their checks has them."""
    checks = []
    for row in rows:
        try:
            raise_for(row)
        except Failure as failure:
            base = CheckFacts("9.4", row.component, row.section, "agrees", failure.code, failure.subject)
            facts = replace(base, failure=failure.as_data() | {"component": failure.component})
            checks.append(Check(f"acceptance/maintenance/test_configuration_audit.py::{row.key}", "failed", facts))
    assert all(row.code in declared().codes for row in rows if row.fails)
    return concluded(checks)


def differing(before: Audited, after: Audited) -> list[Row]:
    """Rows whose verdict is not what it was, those included that are new or gone."""
    old: Mapping[tuple[str, str, str], Row] = {row.key: row for row in before.rows}
    return [row for row in after.rows if row.key not in old or old[row.key].verdict is not row.verdict]
