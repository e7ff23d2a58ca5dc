"""No secret of the target stands in any byte that a run leaves, also when the target itself shows them."""

from pathlib import Path

from gate.embedded import EmbeddedTwin
from gate.settings import read_env_file
from spec import load
from tests.conftest import Pytest
from tests.secret_forms import forms

# The health body shows the connection string, a debug page the environment, a job its webhook secret, and a server error
# comes instead of a refusal.
LEAKY = ["F21", "G08", "G31", "F08"]
SHORTEST = 8


def secrets_of(values: dict[str, str]) -> dict[str, str]:
    """Secret values of an environment by name."""
    names = {name for name, variable in load().variables.items() if variable.is_secret}
    names |= {"SUPABASE_JWT_SECRET", "RENDER_API_KEY"}
    return {name: values[name] for name in names if len(values.get(name, "")) >= SHORTEST}


def test_no_byte_of_the_results_holds_a_secret(gate: Pytest, tmp_path: Path) -> None:
    twin = EmbeddedTwin(tmp_path / "twin", faults=LEAKY)
    values = twin.start()
    worker_env = read_env_file(Path(values["HARNESS_WORKER_ENV_FILE"]))
    try:
        done = gate(
            "-m", "predeploy or postdeploy", "--target", "live", "-n", "2", "--showlocals",
            f"--env-file={twin.env_file}",
        )  # fmt: skip
    finally:
        twin.stop()
    assert done.returncode == 1, done.stdout
    found = {**secrets_of(worker_env), **secrets_of(values)}
    assert len(found) > 6
    paths = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(paths) > 100
    contents = {str(path): path.read_bytes() for path in paths} | {"terminal": (done.stdout + done.stderr).encode()}
    leaks = [
        (name, place)
        for name, value in found.items()
        for form in forms(value)
        for place, text in contents.items()
        if form in text
    ]
    assert leaks == []
