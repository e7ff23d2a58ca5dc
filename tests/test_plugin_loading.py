"""The gate's plugins are loaded by this project alone, wherever the paths of its options lie."""

import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

from gate import arguments, options, rehearsal
from tests.conftest import ROOT, without_settings

STARTUP = Path(sysconfig.get_path("purelib")) / arguments.FILE
OWN_ENVIRONMENT = STARTUP.is_file() and STARTUP.read_text() == arguments.startup_file(str(ROOT))
CHECK = "acceptance/predeploy/test_api_keys.py"
NODE = f"{CHECK}::test_openai_accepts_the_key"
LIVE = ("-m", "predeploy", "--target", "live")
CALLS = {
    "pytest": [str(Path(sys.executable).with_name("pytest"))],
    "python -m pytest": [sys.executable, "-m", "pytest"],
}
Call = Callable[..., "subprocess.CompletedProcess[str]"]

own_environment = pytest.mark.skipif(not OWN_ENVIRONMENT, reason=f"this Python is not the checkout's own: no {arguments.FILE}")


@pytest.fixture(params=CALLS)
def pytest_by_hand(request: pytest.FixtureRequest) -> Call:
    """pytest as it is called by hand, from the checkout unless another folder is given."""

    def called(*given: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
        command = [*CALLS[request.param], *given]
        return subprocess.run(command, cwd=folder, env=without_settings(), capture_output=True, text=True, timeout=60)

    return called


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder outside the checkout that holds an env file, and a configuration of pytest's that is not this project's."""
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "--maxfail=3"\n')
    (tmp_path / "t.env").write_text(
        "API_BASE_URL=http://127.0.0.1:9\nDATABASE_URL=postgresql://u:p@127.0.0.1:9/d\nSUPABASE_URL=http://127.0.0.1:9\n"
    )
    (tmp_path / "results").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["-m", "x", "--env-file", "/a b", "--strict"], ["-m", "x", "--env-file=/a b", "--strict"]),
        (["--env-file=/a"], ["--env-file=/a"]),
        (["--env-file", "/a", "--out", "/b", "acceptance"], ["--env-file=/a", "--out=/b", "acceptance"]),
        (["--env-file", "--strict"], ["--env-file", "--strict"]),
        (["--out"], ["--out"]),
        (["--", "--env-file", "/a"], ["--", "--env-file", "/a"]),
    ],
)
def test_path_options_are_joined(given: list[str], expected: list[str]) -> None:
    assert arguments.joined(given) == expected


class Recorder:
    """Stands for pytest's parser, and keeps the options that are declared; an option's group is itself."""

    def __init__(self) -> None:
        self.declared: dict[str, dict[str, object]] = {}

    def getgroup(self, *names: str) -> "Recorder":
        return self

    def addoption(self, name: str, **given: object) -> None:
        self.declared[name] = given


@pytest.mark.parametrize("module", [options, rehearsal], ids=lambda module: module.__name__)
def test_every_option_that_takes_a_path_is_joined(module: ModuleType) -> None:
    parser = Recorder()
    module.pytest_addoption(parser)
    declared = parser.declared.items()
    paths = {name for name, given in declared if given.get("type") is Path or "FILE" in str(given.get("metavar"))}
    assert paths <= {*arguments.PATH_OPTIONS}


@own_environment
@pytest.mark.parametrize(
    "given",
    [
        "--env-file {outside}/t.env",
        "--env-file={outside}/t.env",
        "--out {outside}/results",
        "--worker-env-file {outside}/t.env",
        "--spec spec/navigator/staging.toml",
        "--baseline {outside}/t.env",
        "--env-file {outside}/t.env --out {outside}/results",
        "--env-file {outside}/t.env --worker-env-file {outside}/t.env -n 2",
        f"--env-file {{outside}}/t.env {CHECK}",
        f"{NODE} --out {{outside}}/results",
    ],
)
def test_the_gate_is_found_wherever_the_path_lies(pytest_by_hand: Call, outside: Path, given: str) -> None:
    done = pytest_by_hand(*LIVE, "--collect-only", *given.format(outside=outside).split())
    assert done.returncode == 0, done.stdout + done.stderr
    assert NODE in done.stdout


@own_environment
def test_a_specification_outside_the_checkout(pytest_by_hand: Call, outside: Path) -> None:
    (outside / "other.toml").write_text("nothing = 1\n")
    done = pytest_by_hand(*LIVE, "--collect-only", "--spec", str(outside / "other.toml"))
    assert done.returncode == 4
    assert "other.toml: meta: Field required" in done.stderr


@own_environment
def test_from_a_folder_of_the_checkout(pytest_by_hand: Call, outside: Path) -> None:
    done = pytest_by_hand(
        *LIVE, "--collect-only", "--env-file", str(outside / "t.env"), "predeploy", folder=ROOT / "acceptance"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_openai_accepts_the_key" in done.stdout


@own_environment
def test_in_several_processes(pytest_by_hand: Call, outside: Path) -> None:
    done = pytest_by_hand(*LIVE, "--env-file", str(outside / "t.env"), "--out", str(outside / "results"), "-n", "2", CHECK)
    assert done.returncode == 6, done.stdout + done.stderr
    assert (outside / "results" / "verdict.json").is_file()


@own_environment
def test_another_project_sees_nothing_of_the_gate(pytest_by_hand: Call, outside: Path) -> None:
    other = outside / "other"
    other.mkdir()
    (other / "test_one.py").write_text(
        "import sys\n\ndef test_one():\n    assert not [m for m in sys.modules if m.split('.')[0] in ('gate', 'fixtures')]\n"
    )
    done = pytest_by_hand(folder=other)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gate" not in (done.stdout + done.stderr).replace(str(ROOT), "").replace(str(outside), "")
    assert "--env-file" not in pytest_by_hand("--help", folder=other).stdout
    unknown = pytest_by_hand("--env-file", str(outside / "t.env"), folder=other)
    assert unknown.returncode == 4
    assert "unrecognized arguments: --env-file\n" in unknown.stderr


def test_no_installed_distribution_registers_the_gate() -> None:
    values = [entry.value.split(".")[0] for entry in metadata.entry_points(group="pytest11")]
    assert not {"fixtures", "gate", "reports"}.intersection(values)
