"""The catalogues of faults and variants: what is listed is well formed, and what is not well formed is refused."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gate.places import ROOT
from twin import catalogue, faults, plan, variants
from twin.changes import CatalogueError, Fault, UnknownId, Variant, find_in, in_order, mode_of, register
from twin.rewritten.faults import CHANGES

catalogue.load()
TWIN = [sys.executable, "-m", "twin"]


def _nothing(_: plan.Plan) -> None:
    """Changes nothing."""


@pytest.mark.parametrize("name", sorted(variants.REGISTRY))
def test_the_variant_fits_the_plan(tmp_path: Path, name: str) -> None:
    in_order(find_in(variants.REGISTRY, [name], "variants"))(plan.make(tmp_path, 60.0))


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_fault_fits_the_rewritten_api(tmp_path: Path, name: str) -> None:
    made = plan.make(tmp_path, 60.0)
    in_order([*find_in(variants.REGISTRY, ["V90"], "variants"), *find_in(faults.REGISTRY, [name], "faults")])(made)
    for file in (made.source / "api").rglob("*.py"):
        compile(file.read_text(), str(file), "exec")


@pytest.mark.parametrize(
    ("title", "component", "suites", "message"),
    [
        ("", "api", ("postdeploy",), "its title is empty"),
        ("it breaks", "", ("postdeploy",), "expected a component"),
        ("it breaks", "api/", ("postdeploy",), "expected a component"),
        ("it breaks", "api", (), "expected suites"),
        ("it breaks", "api", ("someday",), "found someday"),
    ],
)
def test_a_fault_that_says_too_little_is_an_error(title: str, component: str, suites: tuple[str, ...], message: str) -> None:
    with pytest.raises(CatalogueError, match=f"fault G99: .*{message}"):
        register({}, Fault("G99", title, _nothing, component, suites, mode="-", subject="*endpoint*"))


@pytest.mark.parametrize(
    ("mode", "subject", "message"),
    [
        ("", "*endpoint*", "a fault without a failure mode"),
        ("F37", "*endpoint*", "a fault without a failure mode"),
        ("G99", "*endpoint*", "a fault without a failure mode"),
        ("F01", "", "expected patterns that name what is broken"),
        ("F01", "*", "expected patterns that name what is broken"),
        ("F01", "*endpoint*|", "expected patterns that name what is broken"),
    ],
)
def test_a_fault_names_its_failure_mode_and_what_is_broken(mode: str, subject: str, message: str) -> None:
    fault = Fault("G99", "it breaks", _nothing, "api", ("postdeploy",), mode=mode, subject=subject)
    with pytest.raises(CatalogueError, match=f"fault G99: {message}"):
        register({}, fault)


def test_only_an_f_id_is_its_own_failure_mode() -> None:
    assert (mode_of("F01", None), mode_of("G01", None), mode_of("G01", "F14"), mode_of("C01", "-")) == ("F01", "", "F14", "-")


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


@pytest.mark.parametrize("system", ["navigator", "clinic"])
def test_machines_read_all_of_a_fault(system: str) -> None:
    command = [*TWIN, "faults", "--json", "--system", system]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    listed = json.loads(done.stdout)
    assert len({fault["id"] for fault in listed}) == len(listed) >= 19
    assert all(set(fault) == {"id", "component", "suites", "title", "mode", "subject", "log"} for fault in listed)
    assert all(fault["mode"] == fault["id"] for fault in listed if fault["id"].startswith("F"))


@pytest.mark.parametrize("command", ["faults", "variants"])
def test_lists_begin_with_the_id(command: str) -> None:
    done = subprocess.run([*TWIN, command], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    listed = [line.split()[0] for line in done.stdout.splitlines()]
    assert len(listed) == len(set(listed)) >= 3
    assert all(re.fullmatch(r"[ABDEFGHIJKMNOPQRSTUVWXYZ]\d+|(L[A-Z]|NU|NK)\d+", name) for name in listed)
