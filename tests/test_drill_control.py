"""The client of the control, without a twin; which runs have one; and where an answer ends in the middle."""

import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fixtures.drills.control import Control, ControlError, NotLoopback, Refused, Unreachable
from fixtures.system import Staging
from gate import target
from gate.failures import NotConfigured
from gate.internals import pytest_
from gate.session import Session
from gate.settings import ConfigurationError
from gate.target import Choice
from spec import DEFAULT
from tests.conftest import ROOT, with_values
from tests.servers import answering
from twin.control import kinds
from twin.control.board import Board, note, noted, write
from twin.control.half import DATA, Half

CLINIC = ROOT / "spec" / "clinic" / "specification.toml"
TOKEN = "a-token-for-drills"
HANDSHAKE = 22


@pytest.mark.parametrize(
    "url",
    [
        "https://staging.example",
        "http://10.0.0.1:80",
        "http://127.0.0.1@staging.example",
        "http://localhost.staging.example",
        "http://0.0.0.0:80",
        "127.0.0.1:80",
        "",
    ],
)
def test_only_this_machine_is_ever_asked(url: str) -> None:
    with pytest.raises(NotLoopback, match="only a twin is broken on purpose"):
        Control(url, TOKEN)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://127.0.0.9:1"])
def test_a_control_that_does_not_respond_is_unreachable(url: str) -> None:
    with pytest.raises(Unreachable), closing(Control(url, TOKEN)) as control:
        control.processes()


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with (
        answering(lambda *_: (200, {"processes": {}, "links": [], "disturbances": []})) as url,
        closing(Control(url, TOKEN)) as control,
    ):
        assert control.processes() == {}


class Recorder:
    """A control that carries out everything."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.asked.append((method, path, body))
        return (201, {"id": "d1", "since": "2026-01-01T00:00:00+00:00"}) if method == "POST" else (200, {})


def test_what_was_broken_is_mended_even_when_the_block_fails() -> None:
    recorder = Recorder()

    def fail(url: str) -> None:
        with Control(url, TOKEN) as control, control.disturbed(kind="vendor", target="openai", how="slow", seconds=3) as found:
            assert (found.id, found.kind, found.target) == ("d1", "vendor", "openai")
            raise LookupError

    with answering(recorder) as url, pytest.raises(LookupError):
        fail(url)
    assert recorder.asked == [
        ("POST", "/disturbances", {"kind": "vendor", "target": "openai", "how": "slow", "seconds": 3}),
        ("DELETE", "/disturbances/d1", None),
        ("DELETE", "/disturbances", None),
    ]


def test_a_refusal_has_its_status_and_its_line() -> None:
    with (
        answering(lambda *_: (400, {"error": "kind: unknown"})) as url,
        pytest.raises(Refused) as caught,
        closing(Control(url, TOKEN)) as control,
    ):
        control.begin(kind="link")
    assert (caught.value.status, caught.value.reason) == (400, "kind: unknown")


def test_waiting_for_a_strike_ends() -> None:
    def answer(method: str, *_: object) -> tuple[int, Any]:
        return (201, {"id": "d1", "since": ""}) if method == "POST" else (200, {"ended": False, "seen": []})

    with answering(answer) as url, closing(Control(url, TOKEN)) as control:
        lost = control.begin(kind="callback", how="lost")
        with pytest.raises(ControlError, match="struck 0 times"):
            control.await_strike(lost, 0.2)


def test_a_target_without_a_control_is_not_judged(session: Session) -> None:
    with pytest.raises(NotConfigured, match="--drills"):
        Control.of(session)


def test_the_token_is_masked(session: Session) -> None:
    drilled = with_values(session, HARNESS_DRILL_URL="http://127.0.0.1:9", HARNESS_DRILL_TOKEN=TOKEN)
    try:
        assert Control.of(drilled)
        assert TOKEN not in drilled.masking.mask(f"Bearer {TOKEN}")
    finally:
        drilled.close()


@pytest.mark.parametrize(
    ("expression", "selected"),
    [
        ("resilience", True),
        ("postdeploy or resilience", True),
        ("resilience and not performance", True),
        ("not resilience", False),
        ("predeploy or postdeploy", False),
        ("resilience and (", False),
    ],
)
def test_drills_are_selected_by_name(expression: str, selected: bool) -> None:
    assert pytest_.selects(expression, "resilience") is selected


@pytest.mark.parametrize(
    ("spec_file", "drills", "has_drills"),
    [(DEFAULT, True, True), (DEFAULT, False, False), (CLINIC, True, False)],
)
def test_a_twin_has_drills_where_they_are_selected_and_its_system_has_them(
    monkeypatch: pytest.MonkeyPatch, spec_file: Path, drills: bool, has_drills: bool
) -> None:
    given: list[tuple[str, ...]] = []

    class NoTwin:
        def __init__(self, *positional: Any, **_: Any) -> None:
            given.append(positional[-1])

        def start(self) -> dict[str, str]:
            raise ConfigurationError("no twin is started here")

    monkeypatch.setattr(target, "EmbeddedTwin", NoTwin)
    with pytest.raises(ConfigurationError):
        target.open_session(Choice("twin", spec_file=spec_file, drills=drills), Staging())
    assert ["--drills" in arguments for arguments in given] == [has_drills]


def test_what_a_reader_of_the_board_sees_ends_with_the_count(tmp_path: Path) -> None:
    board = Board(tmp_path)
    assert board.entries("vendor") == []
    write(tmp_path, [{"id": "d1", "kind": "vendor", "first": 1}, {"id": "d2", "kind": "callback"}])
    (entry,) = board.entries("vendor")
    board.strike(entry)
    assert (board.entries("vendor"), board.holds("d1"), board.holds("d2")) == ([], True, True)
    write(tmp_path, [])
    assert not board.holds("d1")
    note(tmp_path, "d1", path="/v1")
    assert [seen["path"] for seen in noted(tmp_path, "d1")] == ["/v1"]


@pytest.mark.parametrize("given", [[], {"kind": []}, {"kind": "link", "how": "refuse", "source": 1, "target": "openai"}, None])
def test_no_body_breaks_the_reader(given: Any) -> None:
    with pytest.raises(kinds.Unknown):
        kinds.read(given, ("api", "worker"))


def record(kind: int, text: bytes) -> bytes:
    """One record of TLS."""
    return struct.pack(">BHH", kind, 0x0303, len(text)) + text


def test_half_an_answer_passes_after_the_handshake_of_tls_1_3() -> None:
    half = Half(is_new=True, is_plain=False)
    half.see_request(record(HANDSHAKE, b"hello"))
    handshake = record(HANDSHAKE, b"hello") + record(DATA, b"certificate and so on")
    assert half.of_answer(handshake) == handshake
    half.see_request(record(DATA, b"finished"))
    tickets = record(DATA, b"ticket") * 2
    assert half.of_answer(tickets) == tickets
    head, body = record(DATA, b"HTTP/1.1 200 OK"), record(DATA, b"{ half of it }")
    assert half.of_answer(head) == b""
    assert not half.is_over
    assert half.of_answer(body) == head + body[: len(body) // 2]
    assert half.is_over


def test_half_an_answer_passes_in_tls_1_2_though_it_comes_in_pieces() -> None:
    half = Half(is_new=True, is_plain=False)
    handshake = record(HANDSHAKE, b"hello and finished")
    assert half.of_answer(handshake[:7]) + half.of_answer(handshake[7:]) == handshake
    half.see_request(record(DATA, b"GET / HTTP/1.1"))
    answer = record(DATA, b"HTTP/1.1 200 OK, and all of it")
    assert half.of_answer(answer) == b""
    assert half.after_quiet() == answer[: len(answer) // 2]
    assert half.is_over


def test_half_an_answer_of_the_database_passes_after_the_log_in() -> None:
    half = Half(is_new=True, is_plain=True)
    log_in = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"
    assert half.of_answer(log_in) == log_in
    assert half.of_answer(b"D" * 20) == b"D" * 10
    assert half.is_over
