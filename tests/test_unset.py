"""A setting that is missing costs the checks that need it, and nothing that they create could stay behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.embedded import EmbeddedTwin
from gate.portal import close_all
from gate.run import Run, new_run_id
from proof.gate_run import read_verdict
from proof.crashes import tagged
from tests.conftest import Pytest


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Run]]:
    """A twin as a live target: its env file, and a run of somebody who has all settings."""
    folder = tmp_path_factory.mktemp("target")
    twin = EmbeddedTwin(folder / "twin")
    values, worker_env = twin.start()
    yield twin.env_file, Run(new_run_id(), "live", False, folder / "run", values, worker_env)
    close_all()
    twin.stop()


@pytest.mark.parametrize("name", ["SUPABASE_URL", "DATABASE_URL", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_ANON_KEY"])
def test_a_missing_setting_skips_and_leaves_nothing(gate: Pytest, tmp_path: Path, target: tuple[Path, Run], name: str) -> None:
    env_file, everything = target
    partial = tmp_path / "partial.env"
    partial.write_text("".join(line for line in env_file.read_text().splitlines(True) if not line.startswith(f"{name}=")))
    done = gate("-m", "postdeploy", "--target", "live", "--env-file", str(partial))
    assert done.returncode == 0, done.stdout
    found = read_verdict(tmp_path / "out")
    assert found["counts"]["skipped"] > 0
    assert f"NOT CONFIGURED: set {name}" in done.stdout
    assert "Traceback" not in done.stdout
    assert tagged(everything) == 0
