"""What belongs to one of Render's services, as an operator's script uses it through Render's own typed client."""

import datetime
import secrets
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from render.public_api import AuthenticatedClient
from render.public_api.api.deploys import cancel_deploy, create_deploy, list_deploys, retrieve_deploy
from render.public_api.api.logs import list_logs
from render.public_api.api.metrics import get_memory
from render.public_api.api.services import (
    delete_env_var,
    get_env_vars_for_service,
    list_events,
    list_instances,
    list_services,
    retrieve_env_var,
    update_env_var,
)
from render.public_api.models import (
    CreateDeployBody,
    Deploy,
    DeployStatus,
    EnvVar,
    EnvVarGenerateValue,
    EnvVarValue,
    Error,
    ListLogsResponse200,
    Service,
)
from render.public_api.types import Unset

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

API = "insurance-navigator-staging-api"


@pytest.fixture
def client(clients: Clients) -> AuthenticatedClient:
    """Render's client."""
    return clients.render()


@pytest.fixture
def api(client: AuthenticatedClient) -> Service:
    """The web service."""
    found = list_services.sync(client=client, name=[API])
    assert isinstance(found, list)
    (only,) = found
    return only.service


@pytest.fixture
def key(client: AuthenticatedClient, api: Service) -> Iterator[str]:
    """The name of a variable that only one case sets, and that is removed afterwards."""
    name = f"STRANGER_{secrets.token_hex(4).upper()}"
    yield name
    delete_env_var.sync_detailed(api.id, name, client=client)


def value_of(answer: EnvVar | Error | None) -> str:
    """The value of a variable."""
    assert isinstance(answer, EnvVar)
    return answer.value


def deploys_of(client: AuthenticatedClient, service: Service, limit: int) -> list[Deploy]:
    """The service's last deploys."""
    found = list_deploys.sync(service.id, client=client, limit=limit)
    assert isinstance(found, list)
    return [item.deploy for item in found if not isinstance(item.deploy, Unset)]


@operation("Render", "list the deploys of a service")
def test_deploys_come_newest_first(client: AuthenticatedClient, api: Service) -> None:
    deploys = deploys_of(client, api, 20)
    assert deploys
    assert all(deploy.id.startswith("dep-") for deploy in deploys)
    times = [deploy.created_at for deploy in deploys if not isinstance(deploy.created_at, Unset)]
    assert len(times) == len(deploys)
    assert times == sorted(times, reverse=True)
    assert [deploy.id for deploy in deploys_of(client, api, 1)] == [deploys[0].id]
    live = list_deploys.sync(api.id, client=client, status=[DeployStatus.LIVE])
    assert isinstance(live, list)
    assert {item.deploy.status for item in live if not isinstance(item.deploy, Unset)} <= {DeployStatus.LIVE}


@operation("Render", "read a deploy, and an unknown one")
def test_a_deploy_is_read_as_listed(client: AuthenticatedClient, api: Service) -> None:
    listed = deploys_of(client, api, 1)[0]
    read = retrieve_deploy.sync(api.id, listed.id, client=client)
    assert isinstance(read, Deploy)
    assert (read.id, read.created_at) == (listed.id, listed.created_at)
    missing = retrieve_deploy.sync_detailed(api.id, "dep-00000000000000000000", client=client)
    assert missing.status_code == HTTPStatus.NOT_FOUND
    assert isinstance(missing.parsed, Error)


@operation("Render", "trigger a deploy and cancel it")
@writes
def test_a_deploy_is_triggered_and_cancelled(client: AuthenticatedClient, api: Service) -> None:
    made = create_deploy.sync_detailed(api.id, client=client, body=CreateDeployBody())
    assert made.status_code == HTTPStatus.CREATED
    assert isinstance(made.parsed, Deploy)
    assert made.parsed.status != DeployStatus.CANCELED
    assert made.parsed.id in {deploy.id for deploy in deploys_of(client, api, 5)}
    cancelled = cancel_deploy.sync_detailed(api.id, made.parsed.id, client=client)
    assert cancelled.status_code == HTTPStatus.OK
    read = retrieve_deploy.sync(api.id, made.parsed.id, client=client)
    assert isinstance(read, Deploy)
    assert read.status == DeployStatus.CANCELED


@operation("Render", "set, change, read and remove an environment variable")
@writes
def test_a_variable_is_set_until_removed(client: AuthenticatedClient, api: Service, key: str) -> None:
    missing = retrieve_env_var.sync_detailed(api.id, key, client=client)
    assert missing.status_code == HTTPStatus.NOT_FOUND
    for value in ("one", "one", "two"):
        assert value_of(update_env_var.sync(api.id, key, client=client, body=EnvVarValue(value))) == value
        assert value_of(retrieve_env_var.sync(api.id, key, client=client)) == value
    removed = delete_env_var.sync_detailed(api.id, key, client=client)
    assert removed.status_code == HTTPStatus.NO_CONTENT
    gone = retrieve_env_var.sync_detailed(api.id, key, client=client)
    assert gone.status_code == HTTPStatus.NOT_FOUND
    assert isinstance(gone.parsed, Error)


@operation("Render", "have the value of an environment variable generated")
@writes
def test_a_value_is_generated(client: AuthenticatedClient, api: Service, key: str) -> None:
    made = value_of(update_env_var.sync(api.id, key, client=client, body=EnvVarGenerateValue(True)))
    assert len(made) >= 32
    assert value_of(retrieve_env_var.sync(api.id, key, client=client)) == made


@operation("Render", "page through the environment variables")
@writes
def test_variables_come_in_pages(client: AuthenticatedClient, api: Service, key: str) -> None:
    update_env_var.sync(api.id, key, client=client, body=EnvVarValue("one"))
    whole = get_env_vars_for_service.sync(api.id, client=client, limit=100)
    assert isinstance(whole, list)
    assert {item.env_var.key: item.env_var.value for item in whole}[key] == "one"
    keys: list[str] = []
    page = get_env_vars_for_service.sync(api.id, client=client, limit=1)
    while isinstance(page, list) and page and len(keys) <= len(whole):
        assert len(page) == 1
        keys.append(page[0].env_var.key)
        page = get_env_vars_for_service.sync(api.id, client=client, limit=1, cursor=page[0].cursor)
    assert page == []
    assert sorted(keys) == sorted(item.env_var.key for item in whole)


@operation("Render", "list the events and the instances of a service")
def test_a_service_has_events_and_instances(client: AuthenticatedClient, api: Service) -> None:
    events = list_events.sync(api.id, client=client, limit=5)
    assert isinstance(events, list)
    assert len(events) <= 5
    assert {item.event.service_id for item in events} <= {api.id}
    times = [item.event.timestamp for item in events]
    assert times == sorted(times, reverse=True)
    instances = list_instances.sync(api.id, client=client)
    assert isinstance(instances, list)
    assert instances
    assert len({instance.id for instance in instances}) == len(instances)


@operation("Render", "read the logs of a service")
def test_logs_are_read_backwards(client: AuthenticatedClient, api: Service) -> None:
    end = datetime.datetime.now(datetime.UTC)
    start = end - datetime.timedelta(minutes=30)
    found = list_logs.sync(client=client, owner_id=api.owner_id, resource=[api.id], start_time=start, end_time=end, limit=5)
    assert isinstance(found, ListLogsResponse200)
    assert len(found.logs) <= 5
    times = [log.timestamp for log in found.logs]
    assert times == sorted(times, reverse=True)
    assert all(start <= time <= end for time in times)
    for log in found.logs:
        assert api.id in {label.value for label in log.labels}


@operation("Render", "read the memory that a service uses")
def test_memory_is_a_series(client: AuthenticatedClient, api: Service) -> None:
    end = datetime.datetime.now(datetime.UTC)
    start = end - datetime.timedelta(hours=1)
    series = get_memory.sync(client=client, resource=api.id, start_time=start, end_time=end, resolution_seconds=60)
    assert isinstance(series, list)
    for line in series:
        assert line.unit
        assert line.labels
        assert all(point.value >= 0 for point in line.values)
