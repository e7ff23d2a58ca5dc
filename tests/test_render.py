"""The harness reads Render whole: every page, and what comes from groups; the double keeps Render's limits."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from fixtures.render import Render
from fixtures.render_environment import environment_of
from gate.failures import Failure
from tests.conftest import ROOT
from tests.recorded import a_session
from tests.servers import Answer, answering
from twin.config import TwinConfig
from twin.doubles.render import create_app

KEY = "key-of-a-test"
SERVICE = {"id": "srv-1", "name": "navigator-api"}
OWN = {f"KEY_{number:03}": str(number) for number in range(130)}


def an_account(method: str, path: str, body: Any) -> tuple[int, Any]:
    """A workspace whose listings come in pages, with plans and states that no client knows yet."""
    url, query = urlsplit(path), parse_qs(urlsplit(path).query)
    start = int(query.get("cursor", ["0"])[0])
    if url.path.endswith("/env-vars"):
        page = list(OWN.items())[start : start + 100]
        return 200, [
            {"envVar": {"key": key, "value": value}, "cursor": str(start + n)} for n, (key, value) in enumerate(page, 1)
        ]
    if url.path.endswith("/env-groups"):
        links = [{"id": "srv-1", "name": "navigator-api", "type": "web"}]
        groups = [{"id": "evg-1", "serviceLinks": links}, {"id": "evg-2", "serviceLinks": []}]
        return 200, [] if start else [{"envGroup": each, "cursor": str(n)} for n, each in enumerate(groups, 1)]
    if url.path.endswith("/env-groups/evg-1"):
        return 200, {"id": "evg-1", "envVars": [{"key": "SHARED", "value": "both"}, {"key": "KEY_001", "value": "group's"}]}
    if url.path.endswith("/services"):
        listed = [{"service": {"id": f"srv-x{n}", "name": f"other-{n}"}, "cursor": str(n)} for n in range(1, 121)]
        listed.append({"service": SERVICE | {"plan": "planetary"}, "cursor": "121"})
        return 200, listed[start : start + 100]
    return 404, {"id": "1", "message": "not found"}


def render(folder: Path, url: str) -> Render:
    """Render at this address."""
    return Render(a_session(folder, RENDER_BASE_URL=url, RENDER_API_KEY=KEY))


def test_a_service_on_a_later_page_is_found(tmp_path: Path) -> None:
    with answering(an_account) as url:
        found = render(tmp_path, url).service("navigator-api")
    assert found["id"] == "srv-1"
    assert found["plan"] == "planetary"


def test_variables_of_every_page_and_of_linked_groups(tmp_path: Path) -> None:
    with answering(an_account) as url:
        found = environment_of(render(tmp_path, url), "srv-1")
    assert found == OWN | {"SHARED": "both"}


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"id": "1", "message": "unauthorized"}, "key.refused"),
        (403, {"id": "1", "message": "forbidden"}, "key.refused"),
        (429, {"id": "1", "message": "rate limit exceeded"}, "http.limited"),
        (500, {"id": "1", "message": "internal error"}, "http.server_error"),
        (200, {"services": []}, "http.fields"),
        (200, [1, 2], "http.fields"),
        (200, [], "platform.differs"),
    ],
)
def test_what_cannot_be_read_has_its_code(tmp_path: Path, status: int, body: Any, code: str) -> None:
    answer: Answer = lambda method, path, given: (status, body)  # noqa: E731
    with answering(answer) as url, pytest.raises(Failure) as failed:
        render(tmp_path, url).service("navigator-api")
    assert failed.value.code == code


def test_a_listing_that_never_ends_is_left(tmp_path: Path) -> None:
    def forever(method: str, path: str, body: Any) -> tuple[int, Any]:
        return 200, [{"service": {"id": "srv-x", "name": "other"}, "cursor": "same"}]

    with answering(forever) as url:
        assert render(tmp_path, url).find_service("navigator-api") is None


def a_double(folder: Path = ROOT, **behaviour: Any) -> TestClient:
    """The double of an account, of a twin in this folder."""
    names = (
        "database_admin_url",
        "jwt_secret",
        "anon_key",
        "service_role_key",
        "openai_key",
        "llamaparse_key",
        "anthropic_key",
    )
    files = {name: str(folder) for name in ("folder", "ca_file", "cert_file", "key_file")}
    texts = dict.fromkeys(names, "x") | {"project_ref": "ref", "commit": "c" * 40, "render_key": KEY}
    values: dict[str, Any] = files | texts | {"ports": {"api": 1}, "speedup": 1, "behaviour": behaviour}
    config = TwinConfig(**values)
    return TestClient(create_app(config), headers={"Authorization": f"Bearer {KEY}"})


def test_more_than_the_granted_requests_are_refused() -> None:
    with a_double(render_limits={"read": 2}) as client:
        replies = [client.get("/v1/services") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert [reply.headers["Ratelimit-Remaining"] for reply in replies] == ["1", "0", "0"]
    assert int(replies[2].headers["Retry-After"]) > 0
    assert replies[2].json()["message"]


def test_an_override_of_a_service_keeps_what_it_does_not_name() -> None:
    with a_double(render={"srv-twinworker": {"branch": "main", "serviceDetails": {"plan": "pro"}}}) as client:
        found = client.get("/v1/services/srv-twinworker").json()
    assert (found["branch"], found["serviceDetails"]["plan"], found["serviceDetails"]["region"]) == ("main", "pro", "oregon")
