"""A setting that is missing costs the checks that need it, and nothing that they create could stay behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.session import Session
from proof.colleague import count_tagged
from proof.gate_run import read_verdict
from proof.targets import operator_of, running
from tests.conftest import Pytest

# Modules whose checks create users, documents, objects and buckets.
POSTDEPLOY = ("test_api_accounts", "test_api_uploads", "test_database_connectivity", "test_external_integrations")
CREATING = [f"acceptance/security/test_{name}.py" for name in ("data", "storage")] + [
    *(f"acceptance/postdeploy/{name}.py" for name in POSTDEPLOY)
]


@pytest.fixture(scope="module")
def target() -> Iterator[tuple[Path, Session]]:
    """A twin as a live target: its env file, and a session of somebody who has all settings."""
    with running() as twin, operator_of(twin) as session:
        yield twin.env_file, session


@pytest.mark.parametrize("name", ["SUPABASE_URL", "DATABASE_URL", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_ANON_KEY"])
def test_a_missing_setting_is_not_judged_and_leaves_nothing(
    gate: Pytest, tmp_path: Path, target: tuple[Path, Session], name: str
) -> None:
    env_file, everything = target
    partial = tmp_path / "partial.env"
    partial.write_text("".join(line for line in env_file.read_text().splitlines(True) if not line.startswith(f"{name}=")))
    done = gate("-m", "postdeploy", *CREATING, "--target", "live", "--env-file", str(partial))
    assert done.returncode == 0, done.stdout
    found = read_verdict(tmp_path / "out")
    assert found.counts["not_judged"] > 0
    assert f": set {name}" in done.stdout
    assert "Traceback" not in done.stdout
    assert count_tagged(everything) == 0
