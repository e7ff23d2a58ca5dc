"""The libraries of a twin begin to load before it is known that one is wanted; nothing comes of a wrong guess."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

import pytest

from gate.embedded import EmbeddedTwin
from gate.nursery import Nursery, expects_a_twin


def guesses(*words: str, **known: object) -> bool:
    """Whether a twin is expected for these words of a command line, with what pytest itself makes of them."""
    return expects_a_twin(words, Namespace(**{"file_or_dir": None} | known))


@pytest.fixture(autouse=True)
def in_the_first_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)


def test_a_twin_is_expected() -> None:
    assert guesses("-m", "postdeploy")
    assert guesses("acceptance/postdeploy", file_or_dir=["acceptance/postdeploy"])
    assert guesses("--fault", "F01")


@pytest.mark.parametrize("words", [("--target", "live"), ("--target=live",), ("--env-file", "x.env"), ("--env-file=x.env",)])
def test_no_twin_is_expected_for_another_target(words: tuple[str, ...]) -> None:
    assert not guesses(*words)


@pytest.mark.parametrize("path", ["tests", "tests/test_sessions.py::test_one"])
def test_no_twin_is_expected_for_the_projects_own_tests(path: str) -> None:
    assert not guesses(path, file_or_dir=[path])


@pytest.mark.parametrize("option", ["collectonly", "help", "version"])
def test_no_twin_is_expected_where_nothing_is_judged(option: str) -> None:
    assert not guesses("-m", "postdeploy", **{option: True})


def test_a_worker_of_a_run_begins_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    assert not guesses("-m", "postdeploy")


def test_it_ends_when_no_twin_takes_it_over() -> None:
    nursery = Nursery()
    pid = nursery.pid
    nursery.end()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_twin_takes_it_over_and_ends_it(tmp_path: Path) -> None:
    nursery = Nursery()
    twin = EmbeddedTwin(tmp_path / "twin", nursery=nursery)
    try:
        assert twin.start()
    finally:
        twin.stop()
    nursery.end()
    with pytest.raises(ProcessLookupError):
        os.kill(nursery.pid, 0)
