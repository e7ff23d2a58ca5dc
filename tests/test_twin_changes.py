"""The catalogues of faults and variants: what is listed is well formed, and what is not well formed is refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from gate.places import ROOT
from twin import catalogue, plan, variants
from twin.changes import CatalogueError, Fault, UnknownId, Variant, find_in, in_order, register

catalogue.load()
TWIN = [sys.executable, "-m", "twin"]


def _nothing(_: plan.Plan) -> None:
    """Changes nothing."""


@pytest.mark.parametrize("name", sorted(variants.REGISTRY))
def test_the_variant_fits_the_plan(tmp_path: Path, name: str) -> None:
    in_order(find_in(variants.REGISTRY, [name], "variants"))(plan.make(tmp_path, 60.0))


@pytest.mark.parametrize(
    ("title", "component", "suites", "message"),
    [
        ("", "api", ("postdeploy",), "no failure mode"),
        ("it breaks", "", ("postdeploy",), "expected a component"),
        ("it breaks", "api/", ("postdeploy",), "expected a component"),
        ("it breaks", "api", (), "expected suites"),
        ("it breaks", "api", ("someday",), "found someday"),
    ],
)
def test_a_fault_that_says_too_little_is_an_error(title: str, component: str, suites: tuple[str, ...], message: str) -> None:
    with pytest.raises(CatalogueError, match=f"fault G99: .*{message}"):
        register({}, Fault("G99", title, _nothing, component, suites))


def test_an_id_is_given_once() -> None:
    registry: dict[str, Variant[plan.Plan]] = {}
    register(registry, Variant("V99", "another", _nothing))
    with pytest.raises(CatalogueError, match="variant V99: its id is taken"):
        register(registry, Variant("V99", "one more", _nothing))
    with pytest.raises(UnknownId, match="unknown variant 'V98'; `python -m twin variants` lists them"):
        find_in(registry, ["V98"], "variants")


@pytest.mark.parametrize("option", ["--fault", "--variant"])
def test_an_unknown_id_is_one_line_and_exit_code_4(option: str) -> None:
    done = subprocess.run([*TWIN, "up", option, "X99"], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1
    assert "X99" in done.stderr


@pytest.mark.parametrize("command", ["faults", "variants"])
def test_lists_begin_with_the_id(command: str) -> None:
    done = subprocess.run([*TWIN, command], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    listed = [line.split()[0] for line in done.stdout.splitlines()]
    assert len(listed) == len(set(listed)) >= 3
    assert all(name[0] in "FGV" and name[1:].isdigit() for name in listed)
