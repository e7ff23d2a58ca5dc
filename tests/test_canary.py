"""A secret is planted in every channel of a run, and is found in none; without the masking it is found in all of them."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.embedded import EmbeddedTwin
from tests.conftest import ROOT, gate_in, without_settings
from tests.secret_forms import forms
from tests.servers import answering

CHECKS = "tests/canary/acceptance/postdeploy/canary.py"
BESIDE = "acceptance/predeploy/test_environment_variables.py"
LOOK_SECONDS = 0.05
# Most of the checks fail; the others are left out with the secret in the reason.
SHOUTING = 12


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Env file of a healthy twin, and the secret that the checks shout."""
    twin = EmbeddedTwin(tmp_path_factory.mktemp("canary") / "twin")
    values = twin.start()
    yield twin.env_file, values["OPENAI_API_KEY"]
    twin.stop()


class ProcessList:
    """Command lines of all processes while a run lasts."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "ProcessList":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue


def run_canary(target: Path, folder: Path, *more: str) -> dict[str, bytes]:
    """Everything that a run leaves or says, by the name of its channel."""
    shouting = ("--showlocals", "-v", "--log-cli-level=INFO")
    with ProcessList() as processes:
        done = gate_in(folder)(*more, BESIDE, CHECKS, "--target", "live", f"--env-file={target}", *shouting, seconds=180)
    out = folder / "out"
    assert done.returncode == 1, done.stdout
    assert json.loads((out / "verdict.json").read_text())["counts"]["failed"] >= SHOUTING, "the checks did not shout"
    channels = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    channels |= {"terminal": (done.stdout + done.stderr).encode(), "process list": b"\n".join(processes.seen)}
    return channels | messages(out)


def messages(out: Path) -> dict[str, bytes]:
    """What CI's summary and a notification say of the run."""
    sent: list[bytes] = []

    def answer(method: str, path: str, body: object) -> tuple[int, object]:
        sent.append(json.dumps(body).encode())
        return 200, {}

    with answering(answer) as url:
        for module, more in (("reports.ci", {}), ("reports.notify", {"SLACK_WEBHOOK_URL": url})):
            command = [sys.executable, "-m", module, str(out)]
            done = subprocess.run(command, cwd=ROOT, env=without_settings() | more, capture_output=True, timeout=60)
            sent.append(done.stdout + done.stderr)
    return {"summary and notification": b"\n".join(sent)}


def channels_with(secret: str, channels: dict[str, bytes]) -> set[str]:
    """Channels that hold the secret in any form, by their kind."""
    return {
        name.split("/")[0] + (f"/*{Path(name).suffix}" if "/" in name else "")
        for name, content in channels.items()
        if any(form in content for form in forms(secret))
    }


@pytest.mark.parametrize("more", [(), ("-n", "2"), ("-p", "tests.canary.unscrubbed")], ids=["plain", "xdist", "killed"])
def test_the_canary_is_seen_nowhere(target: tuple[Path, str], tmp_path: Path, more: tuple[str, ...]) -> None:
    env_file, secret = target
    channels = run_canary(env_file, tmp_path, *more)
    assert len(channels) > 20
    assert b"[OPENAI_API_KEY]" in channels["terminal"]
    assert channels_with(secret, channels) == set()


def test_without_the_masking_it_is_seen_everywhere(target: tuple[Path, str], tmp_path: Path) -> None:
    env_file, secret = target
    channels = run_canary(env_file, tmp_path, "-p", "tests.canary.unmasked")
    seen = channels_with(secret, channels)
    wanted = {"terminal", "verdict.json", "checklist.md", "junit.xml", "index.html", "summary.json", "ctrf.json", "facts.json"}
    wanted |= {"allure-results/*.json", "allure-results/*.txt", "summary and notification"}
    assert wanted - seen == set(), seen


def test_a_run_under_way_leaves_no_secret_to_other_users(target: tuple[Path, str], tmp_path: Path) -> None:
    # What the run's processes share holds the settings; it is the owner's alone.
    env_file, _ = target
    state = ROOT / ".state"
    before = set(state.glob("*")) if state.exists() else set()
    command = [sys.executable, "-m", "pytest", BESIDE, "--target", "live", f"--env-file={env_file}", f"--out={tmp_path}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    new: list[Path] = []
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not (new := [p for p in state.glob("*/run.json") if p.parent not in before]):
            time.sleep(LOOK_SECONDS)
        assert new
        assert all(path.stat().st_mode & 0o077 == 0 for path in new)
    finally:
        process.kill()
        process.wait()
        for path in new:
            shutil.rmtree(path.parent)
