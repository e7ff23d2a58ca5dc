"""render.yaml stands in for Render where no key is given; the second system is audited by it, and at Render, by data alone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from fixtures.audit import Audit, Gathering
from fixtures.audit_rows import Row, Verdict
from fixtures.blueprint import Blueprint
from fixtures.system import Staging
from gate.failures import Failure, NotConfigured
from gate.run import Run, new_run_id
from gate.session import Session
from spec import load
from tests.account import KEY, Account, account
from tests.audited import healthy, session_on
from tests.conftest import ROOT
from twin.config import TwinConfig

CLINIC = ROOT / "spec" / "clinic" / "specification.toml"
NAVIGATOR = load()
HIDDEN = ("_KEY", "_PASSWORD", "DATABASE_URL")
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Render's double."""
    with account(healthy(tmp_path_factory.mktemp("account"))) as one:
        yield one


def blueprint(config: TwinConfig) -> dict[str, Any]:
    """A render.yaml of the Navigator."""
    services = []
    for name, env in (("api", config.api_env), ("worker", config.worker_env)):
        wanted = NAVIGATOR.services[name]
        services.append(
            {
                "type": {"api": "web", "worker": "worker"}[name],
                "name": wanted.name,
                "runtime": "docker",
                "autoDeployTrigger": "off",
                "dockerfilePath": wanted.dockerfile_path,
                "buildFilter": {"paths": wanted.included_paths, "ignoredPaths": wanted.ignored_paths},
                "envVars": [
                    {"key": key, "sync": False} if key.endswith(HIDDEN) else {"key": key, "value": value}
                    for key, value in env.items()
                    if key != "LOG_LEVEL"
                ]
                + [{"fromGroup": "shared"}],
            }
            | ({"healthCheckPath": wanted.health_check_path} if wanted.health_check_path else {})
        )
    return {"services": services, "envVarGroups": [{"name": "shared", "envVars": [{"key": "LOG_LEVEL", "value": "INFO"}]}]}


def rows(render: Account, folder: Path, change: Change | None = None, **files: str) -> list[Row]:
    """The rows of the Navigator without a key, with a render.yaml that is changed."""
    config = healthy(folder)
    data = blueprint(config)
    if change is not None:
        change(data)
    (folder / "render.yaml").write_text(files.get("text") or yaml.safe_dump(data))
    with session_on(config, folder, render.url, RENDER_API_KEY="", HARNESS_SOURCE_TREE=str(folder)) as session:
        return Gathering(session).audited().rows


def set_plan(data: dict[str, Any]) -> None:
    data["services"][0]["plan"] = "pro"


def drop_health_check(data: dict[str, Any]) -> None:
    data["services"][0]["healthCheckPath"] = ""


def deploy_by_itself(data: dict[str, Any]) -> None:
    del data["services"][1]["autoDeployTrigger"]


def change_group(data: dict[str, Any]) -> None:
    data["envVarGroups"][0]["envVars"][0]["value"] = "DEBUG"
    data["services"][1]["envVars"].append({"key": "LOG_LEVEL", "value": "INFO"})


def drop_variable(data: dict[str, Any]) -> None:
    data["services"][1]["envVars"] = [one for one in data["services"][1]["envVars"] if one.get("key") != "NODE_ENV"]


def drop_service(data: dict[str, Any]) -> None:
    del data["services"][1]


def test_a_healthy_description_has_no_red_row(render: Account, tmp_path: Path) -> None:
    found = rows(render, tmp_path)
    assert [row for row in found if row.fails] == []
    unseen = {row.name for row in found if row.verdict is Verdict.NOT_VISIBLE}
    assert unseen == {
        *(name for name in NAVIGATOR.variables if name.endswith(HIDDEN)), "build_plan", "suspended", "openPorts.port",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "key", "place"),
    [
        (set_plan, ("detail", "api", "plan"), "render.yaml"),
        (drop_health_check, ("detail", "api", "health_check_path"), "render.yaml"),
        (deploy_by_itself, ("detail", "worker", "auto_deploy"), "render.yaml"),
        (change_group, ("variable", "api", "LOG_LEVEL"), "group shared"),
        (drop_variable, ("variable", "worker", "NODE_ENV"), ""),
        (drop_service, ("service", "worker", "worker"), ""),
    ],
)
def test_a_drift_is_one_row(render: Account, tmp_path: Path, change: Change, key: tuple[str, str, str], place: str) -> None:
    found = [row for row in rows(render, tmp_path, change) if row.fails]
    assert [(row.key, row.place) for row in found] == [(key, place)]


def test_what_it_leaves_open_is_not_judged(render: Account, tmp_path: Path) -> None:
    config = healthy(tmp_path)
    (tmp_path / "render.yaml").write_text(yaml.safe_dump(blueprint(config)))
    with session_on(config, tmp_path, render.url, RENDER_API_KEY="", HARNESS_SOURCE_TREE=str(tmp_path)) as session:
        audit = Audit(session)
        audit.require("detail", "api", "plan")
        for name in ("OPENAI_API_KEY", "DATABASE_URL"):
            with pytest.raises(NotConfigured) as found:
                audit.require("variable", "worker", name)
            assert (found.value.setting, found.value.what) == (
                "RENDER_API_KEY",
                "set RENDER_API_KEY to see what render.yaml leaves open",
            )


@pytest.mark.parametrize("text", ["services: [", "- a list", "\x00"])
def test_a_description_that_cannot_be_read_is_a_failure(tmp_path: Path, text: str) -> None:
    (tmp_path / "render.yaml").write_text(text)
    with pytest.raises(Failure) as found:
        Blueprint(tmp_path / "render.yaml")
    assert (found.value.code, found.value.subject) == ("audit.missing", "description render.yaml")


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("autoDeploy: false", "autoDeploy", "no"),
        ("autoDeploy: true", "autoDeploy", "yes"),
        ("autoDeployTrigger: off", "autoDeploy", "no"),
        ("autoDeployTrigger: checksPass", "autoDeploy", "yes"),
        ("", "autoDeploy", "yes"),
        ("env: docker", "serviceDetails.runtime", "docker"),
        ("", "serviceDetails.envSpecificDetails.dockerfilePath", "./Dockerfile"),
    ],
)
def test_words_of_the_description(tmp_path: Path, text: str, path: str, value: str) -> None:
    (tmp_path / "render.yaml").write_text(f"services:\n- name: one\n  type: web\n  {text}\n")
    found = Blueprint(tmp_path / "render.yaml").settings("one")
    assert found is not None
    assert found.at(path) == value


# ── The second system ────────────────────────────────────────────────────────────────────────────────────
AT_RENDER = """
[platform]
section = "contract: Service"
suspension = "suspended"
not_suspended = "not_suspended"
live = "live"
deploying = []
build_failed = []
start_failed = []
[platform.details]
type = "type"
dockerfile_path = "serviceDetails.envSpecificDetails.dockerfilePath"
[vendors.render]
headers = { Authorization = "Bearer {key}" }
[vendors.render.calls]
services = { path = "/v1/services" }
variables = { path = "/v1/services/{service_id}/env-vars" }
files = { path = "/v1/services/{service_id}/secret-files" }
groups = { path = "/v1/env-groups" }
group = { path = "/v1/env-groups/{env_group_id}" }
"""
SETTINGS = """
[harness.settings]
RENDER_API_KEY = { kind = "secret" }
RENDER_BASE_URL = { kind = "web_url" }
"""
ENV = {
    "APP_ENV": "staging",
    "RELEASE_VERSION": "2.4.0",
    "API_BASE_URL": "https://staging.clinics.example",
    "DATABASE_URL": "postgresql://directory:word@localhost:1/clinic_staging",
    "DB_SCHEMA": "directory",
    "DIRECTORY_API_TOKEN": "staging-directory-0123456789012345678901234567",
    "ALLOWED_ORIGINS": "https://staging.clinics.example,https://desk.staging.clinics.example",
    "ALLOWED_HOSTS": "staging.clinics.example,api.staging.clinics.example",
    "MAX_PAGE_SIZE": "50",
    "REQUEST_LIMIT_BYTES": "16384",
    "LOG_FORMAT": "json",
}


def clinic_at_render(folder: Path, url: str, env: dict[str, str]) -> list[Row]:
    """The rows of the clinic, whose service the double was asked to add."""
    spec = folder / "specification.toml"
    spec.write_text(CLINIC.read_text().replace("\n[harness.settings]\n", SETTINGS) + AT_RENDER)
    given = {
        "type": "web_service",
        "name": "clinic-directory-staging",
        "ownerId": "tea-twinworkspace",
        "repo": "https://example.com",
    }
    given["serviceDetails"] = {"healthCheckPath": "/healthz", "runtime": "docker"}  # type: ignore[assignment]
    given["buildFilter"] = {"paths": load(spec).services["api"].included_paths, "ignoredPaths": []}  # type: ignore[assignment]
    given["envVars"] = [{"key": key, "value": value} for key, value in env.items()]  # type: ignore[assignment]
    httpx.post(f"{url}/v1/services", json=given, headers={"Authorization": f"Bearer {KEY}"}).raise_for_status()
    values = ENV | {"RENDER_API_KEY": KEY, "RENDER_BASE_URL": url}
    session = Session(Run(new_run_id(), "live", folder / "run", values, spec_file=spec), Staging())
    try:
        return Gathering(session).audited().rows
    finally:
        session.close()


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [({}, []), ({"MAX_PAGE_SIZE": "500"}, [("variable", "api", "MAX_PAGE_SIZE")])],
    ids=["right", "drifted"],
)
def test_the_clinic_is_audited_at_render_by_data_alone(
    render: Account, tmp_path: Path, changed: dict[str, str], wrong: list[tuple[str, str, str]]
) -> None:
    render.use(healthy(tmp_path))
    found = clinic_at_render(tmp_path, render.url, ENV | changed)
    assert [row.key for row in found if row.fails] == wrong
    assert {row.kind for row in found} == {"service", "detail", "variable"}


def test_services_of_a_projects_environment_are_found(tmp_path: Path) -> None:
    file = tmp_path / "render.yaml"
    service = {"name": "one", "buildFilter": [], "envVars": [{"key": "A", "value": None}, {"fromGroup": "both"}]}
    group = {"name": "both", "envVars": [{"key": "B", "value": 1}]}
    environment = {"name": "staging", "services": [service], "envVarGroups": [group]}
    file.write_text(yaml.safe_dump({"projects": [{"name": "p", "environments": [environment]}]}))
    found = Blueprint(file).settings("one")
    assert found is not None
    assert {name: held.value for name, held in found.variables.items()} == {"A": None, "B": "1"}


def test_a_description_of_other_services_is_not_judged(render: Account, tmp_path: Path) -> None:
    config = healthy(tmp_path)
    (tmp_path / "render.yaml").write_text(yaml.safe_dump({"services": [{"name": "production", "type": "web"}]}))
    with session_on(config, tmp_path, render.url, RENDER_API_KEY="", HARNESS_SOURCE_TREE=str(tmp_path)) as session:
        with pytest.raises(NotConfigured) as found:
            Audit(session).require("detail", "api", "plan")
        assert found.value.setting == "RENDER_API_KEY"
