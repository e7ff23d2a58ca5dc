"""Render's double with a release N+1 that is live, an API that names its commit, and the program on both, without a twin."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fixtures.rollback.__main__ import main
from proof.accounts import served
from tests.account import KEY, configuration
from tests.servers import answering
from twin.config import TwinConfig
from twin.doubles.render import course, create_app

NAME = "insurance-navigator-staging-api"
OLD, NEXT = "c" * 40, "d" * 40
SECRET = "staging-openai-of-the-release-before"
LATER = "staging-openai-of-the-later-release"
COMMON = {"ENVIRONMENT": "staging", "LOG_LEVEL": "INFO", "OPENAI_API_KEY": SECRET, "APP_VERSION": "1.0.0-staging"}
READING = ("GET", "HEAD")
QUICK = ((0.0, "build_in_progress"), (0.05, "update_in_progress"), (0.1, "live"))
IDS = {"api": "srv-twinapi", "worker": "srv-twinworker"}


@dataclass
class Platform:
    """The double, every request that it got, and the program's own folder."""

    folder: Path
    url: str = ""
    api_url: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    app: Any = None
    # What the health page says; None: that of the newest live deploy.
    says: str | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.requests.append((scope["method"], scope["path"]))
        await self.app(scope, receive, send)

    @property
    def writes(self) -> list[str]:
        """The requests that change something."""
        return [f"{method} {path}" for method, path in self.requests if method not in READING]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request of the test itself, which does not count."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/v1{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            text = response.read()
        self.requests.pop()
        return json.loads(text) if text else None

    def variables(self, service: str) -> dict[str, str]:
        """The variables that Render has now."""
        listed = self.ask("GET", f"/services/{IDS[service]}/env-vars?limit=100")
        return {entry["envVar"]["key"]: entry["envVar"]["value"] for entry in listed}

    def live(self, service: str) -> str:
        """The commit that is live."""
        listed = self.ask("GET", f"/services/{IDS[service]}/deploys?status=live")
        return str(listed[0]["deploy"]["commit"]["id"])

    def release_next(self) -> None:
        """Have release N+1 go live, with variables of its own."""
        for service in IDS.values():
            self.ask("PUT", f"/services/{service}/env-vars/LOG_LEVEL", {"value": "DEBUG"})
            self.ask("PUT", f"/services/{service}/env-vars/OPENAI_API_KEY", {"value": LATER})
            self.ask("PUT", f"/services/{service}/env-vars/NEW_FEATURE", {"value": "on"})
            self.ask("POST", f"/services/{service}/deploys", {"commitId": NEXT})
        for service in IDS:
            while self.live(service) != NEXT:
                pass

    @property
    def settings(self) -> dict[str, str]:
        """The operator's settings."""
        return {
            "API_BASE_URL": self.api_url,
            "RENDER_API_KEY": KEY,
            "RENDER_BASE_URL": self.url,
            "HARNESS_ROLLBACK_FOLDER": str(self.folder / "kept"),
            "OPENAI_API_KEY": SECRET,
            "ENVIRONMENT": "staging",
        }

    @property
    def env_file(self) -> Path:
        """The operator's settings as a file."""
        path = self.folder / "operator.env"
        path.write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()))
        return path

    def run(self, *arguments: str) -> int:
        """The program with these arguments."""
        return main([*arguments, "--env-file", str(self.env_file)])

    @property
    def texts(self) -> str:
        """Everything that the program left on the disk."""
        return "".join(path.read_text() for path in (self.folder / "kept").iterdir())


@contextmanager
def platform(folder: Path, monkeypatch: pytest.MonkeyPatch, **behaviour: Any) -> Iterator[Platform]:
    """A platform on which release N is live."""
    monkeypatch.setattr(course, "COURSE", QUICK)
    monkeypatch.setattr(course, "TAKES", QUICK[-1][0])
    config: TwinConfig = configuration(dict(COMMON), dict(COMMON) | {"WORKER_POLL_INTERVAL": "30"}, **behaviour)
    config.commit, config.folder = OLD, str(folder)
    found = Platform(folder, app=create_app(config))

    def health(method: str, path: str, body: Any) -> tuple[int, Any]:
        return 200, {"status": "healthy", "commit": found.says or found.live("api")}

    with served(found) as found.url, answering(health) as found.api_url:
        yield found
