"""The twin's own pieces: every fault fits the healthy plan, texts are cut without loss, vectors are unit vectors."""

import math
import re
import sys
from pathlib import Path

import pytest

from gate.places import ROOT
from twin import catalogue, plan
from twin.doubles.vectors import DIMENSION, embed
from twin.faults import REGISTRY, UnknownFault, change_for, find

catalogue.load()


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_the_fault_fits_the_plan(tmp_path: Path, name: str) -> None:
    change_for(find([name]))(plan.make(tmp_path, 60.0))


def test_every_row_of_the_failure_modes_is_a_fault() -> None:
    text = (ROOT / "spec" / "navigator" / "failure-modes.md").read_text()
    rows = dict(re.findall(r"^\| (F\d\d) \|.*\| ([^|]+) \|$", text, re.M))
    assert set(rows) <= set(REGISTRY)
    names = {"pre": "predeploy", "post": "postdeploy", "P": "performance"}
    for name, suites in rows.items():
        if name in REGISTRY:
            wanted = {names[word] for word in re.findall(r"\b(pre|post|P)\b", suites)}
            assert wanted <= set(REGISTRY[name].suites), name


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(UnknownFault, match="F99"):
        find(["F99"])


def test_the_twin_imports_nothing_of_the_harness() -> None:
    for file in (ROOT / "twin").rglob("*.py"):
        assert not re.search(r"^\s*(from|import) (fixtures|spec|reports|acceptance|load)\b", file.read_text(), re.M), file


def test_vectors_are_unit_vectors_and_tell_texts_apart() -> None:
    question, near, far = map(embed, ("cost of the dental plan", "the dental plan has a monthly cost", "ambulance transport"))
    assert len(question) == DIMENSION
    assert math.isclose(sum(value * value for value in question), 1, abs_tol=1e-9)

    def dot(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    assert dot(question, near) > dot(question, far)


def test_chunks_lose_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "twin" / "source"))
    from backend.workers.chunking import split

    text = "\n\n".join(f"Paragraph {n} " + " ".join(f"word{n}x{i}" for i in range(n * 7)) for n in range(40))
    chunks = split(text)
    words = set(" ".join(chunks).split())
    assert set(text.split()) <= words
    assert "backend.workers.chunking" in sys.modules
