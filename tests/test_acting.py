"""--act against the Render double: what is rolled back or promoted, what is refused, and how a failure to act reads."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from fixtures.acting import carry, mentions
from fixtures.acting.acts import BEGUN, ENDED, REQUESTING, Acts
from fixtures.acting.carry import Carrier
from fixtures.acting.forward import hook_of
from fixtures.acting.refused import Refused
from fixtures.acting.watch import watch
from fixtures.rollback.journal import Journal
from gate.acting import After, Order, Story
from gate.session import Session
from gate.settings import ConfigurationError
from spec.model.policy import Acting
from tests.conftest import ROOT, with_values
from tests.recorded import SPEC, a_session
from twin.config import TwinConfig
from twin.doubles.render import course as courses
from twin.doubles.render import create_app
from twin.keys import deploy_hook_key

KEY, LIVE, OTHER = "key-of-a-test", "c" * 40, "d" * 40
LIMITS = Acting(request_seconds=5, poll_seconds=0.1, live_seconds=8)
RIGHT = After("pass", "promote", "earlier")
API, WORKER = "srv-twinapi", "srv-twinworker"


@dataclass
class Double:
    """The double of Render on loopback: every request that it received, and answers that a test puts before its own."""

    url: str = ""
    app: ASGIApp | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    instead: Callable[[str, str], tuple[int, Any] | None] = lambda method, path: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        assert self.app is not None
        if scope["type"] == "http":
            self.asked.append((scope["method"], scope["path"]))
            if (given := self.instead(scope["method"], scope["path"])) is not None:
                await JSONResponse(given[1], status_code=given[0])(scope, receive, send)
                return
        await self.app(scope, receive, send)

    @property
    def writes(self) -> list[str]:
        """The requests that change something."""
        return [f"{method} {path}" for method, path in self.asked if method not in ("GET", "HEAD")]


def an_app(**behaviour: Any) -> ASGIApp:
    """The double of an account with two services and one earlier deploy of each."""
    keys = ("anon_key", "service_role_key", "openai_key", "llamaparse_key", "anthropic_key")
    values: dict[str, Any] = dict.fromkeys(("database_admin_url", "jwt_secret", *keys), "x")
    values |= {name: str(ROOT) for name in ("folder", "ca_file", "cert_file", "key_file")}
    values |= {"project_ref": "ref", "commit": LIVE, "render_key": KEY, "ports": {"api": 1}, "speedup": 1}
    values["behaviour"] = behaviour
    return create_app(TwinConfig(**values))


@contextmanager
def serving(double: Double) -> Iterator[Double]:
    """The double on a socket of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(double, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    double.url = f"http://127.0.0.1:{port}"
    try:
        yield double
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def double() -> Iterator[Double]:
    """The double of an account."""
    with serving(Double(app=an_app())) as found:
        yield found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deploys of the double are live after a moment."""
    monkeypatch.setattr(courses, "COURSE", ((0.0, "build_in_progress"), (0.3, "live")))


def hooks(double: Double, key: str = KEY) -> str:
    """The deploy hooks of both services."""
    return " ".join(f"{double.url}/deploy/{name}?key={deploy_hook_key(key, name)}" for name in (API, WORKER))


@pytest.fixture
def acting(double: Double, tmp_path: Path) -> Iterator[Session]:
    """A session whose platform is the double; its API responds to nothing."""
    session = a_session(
        tmp_path, RENDER_BASE_URL=double.url, RENDER_API_KEY=KEY, HARNESS_ROLLBACK_FOLDER=str(tmp_path / "rollback"),
        HARNESS_DEPLOY_HOOKS=hooks(double), HARNESS_EXPECTED_COMMIT=OTHER, HARNESS_SPEEDUP="1000",
    )  # fmt: skip
    assert session.spec.rollback_section is not None
    short = session.spec.rollback.model_copy(update={"least_seconds": 3.0, "poll_seconds": 0.1})
    session.spec = SPEC.model_copy(update={"rollback_section": short})
    yield session
    session.close()


def order(session: Session, action: Any = "roll_back", after: After = RIGHT, doubt: str = "", **more: Any) -> Order:
    """An order; `judge` takes the place of judging again."""
    history = session.run.folder.parent / "history"
    return Order(action, "a rule", LIMITS, history, more.get("judge", lambda commit, seconds: after), doubt)


def act(session: Session, given: Order | None = None) -> Story:
    """Watch, and carry an order out."""
    watch(session)
    return Carrier(session, given or order(session)).carry_out()


def live(session: Session) -> dict[str, str]:
    """The commit of each service that is live at the double."""
    from fixtures.render import Render

    render = Render(session).for_operator()
    found = {name: render.deploys(name, 20) for name in (API, WORKER)}
    return {name: next(each["commit"]["id"] for each in listed if each["status"] == "live") for name, listed in found.items()}


# ── It is done ───────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.usefixtures("quick")
def test_both_services_go_back_are_waited_for_and_judged_again(acting: Session, double: Double) -> None:
    asked: list[tuple[str, float]] = []

    def judge(commit: str, seconds: float) -> After:
        asked.append((commit, seconds))
        return RIGHT

    story = act(acting, order(acting, judge=judge))
    assert (story.state, story.failures) == ("done", []), story
    assert double.writes == [f"POST /v1/services/{name}/rollback" for name in (API, WORKER)]
    assert LIVE not in live(acting).values()
    assert asked == [(live(acting)[API], LIMITS.judge_seconds)]
    names = [step.name for step in story.steps]
    assert names[0] == "what is live is what was judged"
    assert names[-1] == "judge what is live"
    assert all(step.state == "done" and step.at and step.seconds >= 0 for step in story.steps)
    assert Journal.of(acting).unfinished() is None
    assert mentions.lines(acting, order(acting).history) == []


@pytest.mark.usefixtures("quick")
def test_a_service_that_the_release_did_not_deploy_stays(acting: Session, tmp_path: Path) -> None:
    with serving(Double(app=an_app(deploys={WORKER: {"commit": {"id": "e" * 40, "message": "older"}}}))) as other:
        session = with_values(acting, RENDER_BASE_URL=other.url)
        session.spec = acting.spec
        assert act(session).state == "done"
        assert other.writes == [f"POST /v1/services/{API}/rollback"]
        session.close()


@pytest.mark.usefixtures("quick")
def test_the_judged_commit_is_deployed_by_the_hooks(acting: Session, double: Double) -> None:
    story = act(acting, order(acting, "promote"))
    assert (story.state, story.failures) == ("done", []), story
    assert double.writes == [f"POST /deploy/{name}" for name in (API, WORKER)]
    assert set(live(acting).values()) == {OTHER}


def test_what_is_live_already_is_not_deployed_again(acting: Session, double: Double) -> None:
    session = with_values(acting, HARNESS_EXPECTED_COMMIT=LIVE)
    story = act(session, order(session, "promote"))
    assert (story.state, story.failures, double.writes, story.after) == ("done", [], [], None)
    session.close()


# ── It fails, and says so first ──────────────────────────────────────────────────────────────────────────
def failed(story: Story) -> str:
    """The detail of the one failure to act."""
    (failure,) = story.failures
    assert (failure.code, story.after) == ("act.failed", None), failure.code
    return str(failure.observed["detail"])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500, 503])
def test_a_rollback_that_is_refused(acting: Session, double: Double, status: int) -> None:
    message = {"message": "rollback is not available"}
    double.instead = lambda method, path: (status, message) if path.endswith("/rollback") else None
    story = act(acting)
    assert story.state == "failed"
    assert any(text in failed(story) for text in (str(status), message["message"]))
    assert story.failures[0].subject == "service api"
    assert len(double.writes) == 1
    assert story.steps[-1].state == "done"


@pytest.mark.parametrize("course", [((0.0, "build_in_progress"), (0.2, "update_failed")), ((0.0, "build_failed"),)])
def test_a_rollback_that_never_goes_live(acting: Session, course: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courses, "COURSE", course)
    story = act(acting)
    assert story.state == "failed"
    assert course[-1][1] in failed(story)


@pytest.mark.parametrize("action", ["roll_back", "promote"])
def test_what_does_not_end_in_time(acting: Session, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courses, "COURSE", ((0.0, "build_in_progress"),))
    began = time.monotonic()
    story = act(acting, order(acting, action))
    assert time.monotonic() - began < 12
    assert story.state == "failed"
    assert "build_in_progress" in failed(story)


@pytest.mark.usefixtures("quick")
def test_what_is_not_right_afterwards_is_said_first(acting: Session) -> None:
    after = After("fail", "roll_back", "earlier", ["api: broken as well"], "after/index.html")
    story = act(acting, order(acting, after=after))
    assert story.state == "done"
    (failure,) = story.failures
    assert (failure.code, failure.observed["detail"]) == ("act.unhealed", "api: broken as well")


def test_a_hook_that_is_refused(acting: Session, double: Double) -> None:
    session = with_values(acting, HARNESS_DEPLOY_HOOKS=hooks(double, "another-key"))
    session.spec = acting.spec
    assert "401" in failed(act(session, order(session, "promote")))
    session.close()


def test_a_platform_that_falls_silent(acting: Session, double: Double) -> None:
    watch(acting)
    double.instead = lambda method, path: (503, {"message": "away"})
    story = Carrier(acting, order(acting)).carry_out()
    assert story.state == "failed"
    assert double.writes == []


def test_a_session_that_was_not_told_to_act_changes_nothing_at_render(acting: Session, double: Double) -> None:
    from render.public_api.api.deploys import rollback_deploy
    from render.public_api.models.rollback_deploy_body import RollbackDeployBody

    from fixtures.render import Render

    body = RollbackDeployBody(deploy_id="dep-1")
    with pytest.raises(PermissionError, match="this run changes nothing at Render"):
        Render(acting).act("roll_back", rollback_deploy, {"service_id": API}, body=body)
    assert double.writes == []


# ── It is not done ───────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.usefixtures("quick")
def test_without_hooks_what_is_live_is_promoted_by_doing_nothing(acting: Session, double: Double) -> None:
    for commit, state in ((LIVE, "done"), ("", "done"), (OTHER, "refused")):
        session = with_values(acting, HARNESS_EXPECTED_COMMIT=commit, HARNESS_DEPLOY_HOOKS="")
        assert act(session, order(session, "promote")).state == state
        session.close()
    assert double.writes == []


def refused(story: Story, double: Double) -> str:
    """Why nothing was requested."""
    assert story.state == "refused", story
    assert double.writes == []
    return failed(story)


def test_a_harness_with_errors_acts_on_nothing(acting: Session, double: Double) -> None:
    assert "a check did not end" in refused(act(acting, order(acting, doubt="a check did not end")), double)


def test_what_was_not_seen_at_the_beginning_is_not_acted_on(acting: Session, double: Double) -> None:
    assert "not known" in refused(Carrier(acting, order(acting)).carry_out(), double)


def test_a_deploy_that_came_meanwhile_supersedes_the_decision(acting: Session, double: Double) -> None:
    watch(acting)
    from render.public_api.api.deploys import create_deploy
    from render.public_api.models.create_deploy_body import CreateDeployBody

    from fixtures.render import Render, allow_changes

    body = CreateDeployBody(commit_id=OTHER)
    allow_changes(acting)
    Render(acting).for_operator().act("start_deploy", create_deploy, {"service_id": API}, body=body)
    double.asked.clear()
    story = Carrier(acting, order(acting)).carry_out()
    (failure,) = story.failures
    assert (story.state, failure.code, double.writes) == ("superseded", "act.superseded", [])


def test_nothing_earlier_is_nothing_to_go_back_to(acting: Session) -> None:
    with serving(Double(app=an_app(render_history=0))) as other:
        session = with_values(acting, RENDER_BASE_URL=other.url)
        session.spec = acting.spec
        assert "lists no deploy of api before" in refused(act(session), other)
        session.close()


@pytest.mark.usefixtures("quick")
def test_a_release_is_acted_on_once(acting: Session, double: Double) -> None:
    history = order(acting).history
    watch(acting)
    judged = json.loads(acting.shared.read("acting.json") or "")
    acts = Acts.of(acting, history)
    for event, more in ((BEGUN, {"action": "roll_back", "judged": judged}), (REQUESTING, {}), (ENDED, {"state": "done"})):
        acts.note(event, "another run", **more)
    assert "acted on already: roll back of run another run" in refused(Carrier(acting, order(acting)).carry_out(), double)


def test_two_gates_at_once_act_once(acting: Session, double: Double) -> None:
    watch(acting)
    with Journal.of(acting).held():
        assert "another process rolls this target back" in refused(Carrier(acting, order(acting)).carry_out(), double)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"RENDER_API_KEY": ""}, "RENDER_API_KEY: missing"),
        ({}, "looks like production"),
    ],
)
def test_a_target_that_must_not_be_acted_on_ends_the_run(acting: Session, values: dict[str, str], message: str) -> None:
    production = {f"{API}.name": SPEC.services["api"].name, f"{API}.serviceDetails.url": "https://x"}
    with serving(Double(app=an_app(render=production))) as other:
        other.instead = _production_variables if not values else other.instead
        session = with_values(acting, **({"RENDER_BASE_URL": other.url} | values))
        session.spec = acting.spec
        with pytest.raises(ConfigurationError, match=message):
            watch(session)
        session.close()


def _production_variables(method: str, path: str) -> tuple[int, Any] | None:
    variable = {"envVar": {"key": "SUPABASE_URL", "value": "https://prod-navigator.supabase.co"}, "cursor": "1"}
    environment = {"envVar": {"key": "ENVIRONMENT", "value": "production"}, "cursor": "2"}
    return (200, [variable, environment]) if path.endswith("/env-vars") else None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://api.render.com/deploy/srv-x", "not of the form"),
        ("ftp://api.render.com/deploy/srv-x?key=k", "not of the form"),
        ("https://api.render.com/v1/srv-x?key=k", "not of the form"),
    ],
)
def test_an_address_that_is_no_hook_is_refused_without_showing_it(url: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as caught:
        hook_of(url)
    assert "srv-x" not in str(caught.value)


def test_a_hook_of_another_service_is_refused(acting: Session, double: Double) -> None:
    session = with_values(acting, HARNESS_DEPLOY_HOOKS=f"{double.url}/deploy/srv-production?key=k")
    session.spec = acting.spec
    assert "no service of the specification" in refused(act(session, order(session, "promote")), double)
    session.close()


# ── Interrupted ──────────────────────────────────────────────────────────────────────────────────────────
def test_what_is_interrupted_returns_and_is_mentioned(acting: Session, double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupting(method: str, path: str) -> None:
        if path.endswith(f"{API}/rollback"):
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()

    double.instead = interrupting
    monkeypatch.setattr(courses, "COURSE", ((0.0, "build_in_progress"),))
    watch(acting)
    story = Carrier(acting, order(acting)).carry_out()
    assert story.state == "interrupted"
    assert "interrupted" in failed(story)
    double.instead = lambda method, path: None
    history = order(acting).history
    (line,) = mentions.lines(acting, history)
    assert "roll back of run" in line
    assert "it was requested" in line
    assert "--resume" in line
    # In a verdict once, and never acted on again by itself.
    assert mentions.take(acting, history) == [line]
    assert mentions.lines(acting, history) == []
    assert Carrier(acting, order(acting)).carry_out().state in ("refused", "superseded")


@pytest.mark.parametrize("event", [BEGUN, REQUESTING])
def test_a_killed_act_is_mentioned(acting: Session, event: str, tmp_path: Path) -> None:
    acts = Acts.of(acting, tmp_path)
    acts.note(BEGUN, "r", action="promote", judged={"api": "d"})
    if event != BEGUN:
        acts.note(event, "r")
    with acts.path.open("ab") as file:
        file.write(b'{"event": "ended", "ru')
    (line,) = mentions.lines(acting, tmp_path)
    assert line.startswith("promote of run r from ")
    acts.note(ENDED, "r", state="failed")
    assert mentions.lines(acting, tmp_path) == []


# A process of its own, without threads: each moment is that of a child that it forks.
KILLED = """
import json, os, signal, sys, time
from pathlib import Path
from tests import test_acting as t
from render.public_api import AuthenticatedClient
from render.public_api.api.deploys import list_deploys, rollback_deploy
from render.public_api.api.services import list_services, update_service
from render.public_api.models.rollback_deploy_body import RollbackDeployBody
def one(folder, text):
    values = json.loads(sys.argv[2]) | {"HARNESS_ROLLBACK_FOLDER": str(folder / "rollback")}
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        session = t.a_session(folder, **values)
        t.watch(session)
        os.write(writing, b"w")
        t.Carrier(session, t.order(session)).carry_out()
        os._exit(0)
    os.read(reading, 1)
    session = t.a_session(folder, **values)
    history = t.order(session).history
    until = time.monotonic() + 60
    while text == "begun" and not [*t.Acts.of(session, history).all()] and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0 if text == "begun" else float(text))
    os.kill(child, signal.SIGKILL)
    ended = os.waitpid(child, 0)[1] == 0
    begun = [act for act in t.Acts.of(session, history).all()]
    print(json.dumps({"begun": len(begun), "ended": ended, "mentioned": t.mentions.lines(session, history)}))
for number, text in enumerate(sys.argv[3:]):
    one(Path(sys.argv[1]) / str(number) / "run", text)
"""


def test_an_act_that_is_killed_at_any_moment_has_ended_or_is_mentioned(acting: Session, double: Double, tmp_path: Path) -> None:
    # On a busy machine the others may all come before it has begun.
    moments = ["0.05", "0.3", "0.7", "1.2", "2.0", "begun"]
    command = [sys.executable, "-c", KILLED, str(tmp_path), json.dumps(acting.run.values), *moments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(moments)
    assert not [each for each in found if each["begun"] and not each["ended"] and not each["mentioned"]]
    assert any(each["mentioned"] for each in found)
    assert double.writes


def test_signals_are_as_before_afterwards(acting: Session) -> None:
    before = [signal.getsignal(number) for number in carry.SIGNALS]
    act(acting, order(acting, doubt="x"))
    assert [signal.getsignal(number) for number in carry.SIGNALS] == before
