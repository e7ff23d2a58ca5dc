"""Render's services, deploys and settings as an operator's script uses them, through Render's own typed client."""

import datetime
import secrets
from http import HTTPStatus

import pytest
from render.public_api import AuthenticatedClient
from render.public_api.api.deploys import list_deploys
from render.public_api.api.services import (
    get_env_vars_for_service,
    list_services,
    restart_service,
    retrieve_service,
)
from render.public_api.api.users import get_user
from render.public_api.api.workspaces import list_owners, retrieve_owner
from render.public_api.models import (
    BackgroundWorkerDetails,
    DockerDetails,
    Error,
    ListServicesSuspendedItem,
    Owner,
    Plan,
    Region,
    Service,
    ServiceRuntime,
    ServiceServiceSuspendedState,
    ServiceType,
    User,
    WebServiceDetails,
)
from render.public_api.types import Unset

from proof.conformance.clients import Clients
from proof.conformance.marks import operation

API = "insurance-navigator-staging-api"
WORKER = "insurance-navigator-staging-worker"
NOWHERE = "srv-00000000000000000000"


@pytest.fixture
def client(clients: Clients) -> AuthenticatedClient:
    """Render's client."""
    return clients.render()


def named(client: AuthenticatedClient, name: str) -> Service:
    """The one service of this name."""
    found = list_services.sync(client=client, name=[name])
    assert isinstance(found, list)
    (only,) = found
    return only.service


@pytest.fixture
def api(client: AuthenticatedClient) -> Service:
    """The web service."""
    return named(client, API)


@operation("Render", "use a wrong key")
def test_a_wrong_key_is_refused(clients: Clients) -> None:
    answer = list_services.sync_detailed(client=clients.render("rnd_notAKeyOfNoAccount"))
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert isinstance(answer.parsed, Error)
    assert answer.parsed.message


@operation("Render", "list the services")
def test_services_are_listed_with_cursors(client: AuthenticatedClient) -> None:
    found = list_services.sync(client=client, limit=100)
    assert isinstance(found, list)
    types = {item.service.name: item.service.type_ for item in found}
    assert types[API] == ServiceType.WEB_SERVICE
    assert types[WORKER] == ServiceType.BACKGROUND_WORKER
    assert all(item.cursor for item in found)


@operation("Render", "page through the services")
def test_services_come_in_pages(client: AuthenticatedClient) -> None:
    whole = list_services.sync(client=client, limit=100)
    assert isinstance(whole, list)
    ids: list[str] = []
    page = list_services.sync(client=client, limit=1)
    while isinstance(page, list) and page and len(ids) <= len(whole):
        assert len(page) == 1
        ids.append(page[0].service.id)
        page = list_services.sync(client=client, limit=1, cursor=page[0].cursor)
    assert page == []
    assert ids == [item.service.id for item in whole]


@operation("Render", "list services by name")
def test_services_are_found_by_name(client: AuthenticatedClient) -> None:
    both = list_services.sync(client=client, name=[API, WORKER])
    assert isinstance(both, list)
    assert {item.service.name for item in both} == {API, WORKER}
    assert list_services.sync(client=client, name=[f"stranger-{secrets.token_hex(6)}"]) == []


@operation("Render", "list services by type, region, runtime and suspension")
def test_services_are_found_by_their_properties(client: AuthenticatedClient) -> None:
    names = [API, WORKER]
    workers = list_services.sync(client=client, name=names, type_=[ServiceType.BACKGROUND_WORKER])
    assert isinstance(workers, list)
    assert [item.service.name for item in workers] == [WORKER]
    oregon = list_services.sync(
        client=client,
        name=names,
        region=[Region.OREGON],
        env=[ServiceRuntime.DOCKER],
        suspended=[ListServicesSuspendedItem.NOT_SUSPENDED],
    )
    assert isinstance(oregon, list)
    assert len(oregon) == 2
    assert list_services.sync(client=client, name=names, region=[Region.FRANKFURT]) == []


@operation("Render", "list services by the time of their creation")
def test_services_are_found_by_age(client: AuthenticatedClient) -> None:
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    assert list_services.sync(client=client, created_after=later) == []
    before = list_services.sync(client=client, name=[API, WORKER], created_before=later)
    assert isinstance(before, list)
    assert len(before) == 2


@operation("Render", "read a web service")
def test_a_web_service_is_read(client: AuthenticatedClient, api: Service) -> None:
    read = retrieve_service.sync(api.id, client=client)
    assert isinstance(read, Service)
    assert (read.id, read.name, read.owner_id) == (api.id, API, api.owner_id)
    assert read.id.startswith("srv-")
    assert read.suspended == ServiceServiceSuspendedState.NOT_SUSPENDED
    details = read.service_details
    assert isinstance(details, WebServiceDetails)
    assert (details.runtime, details.plan, details.region) == (ServiceRuntime.DOCKER, Plan.STARTER, Region.OREGON)
    assert isinstance(details.env_specific_details, DockerDetails)
    assert details.num_instances >= 1
    assert details.url.startswith("https://")


@operation("Render", "read a background worker")
def test_a_worker_is_read(client: AuthenticatedClient) -> None:
    listed = named(client, WORKER)
    read = retrieve_service.sync(listed.id, client=client)
    assert isinstance(read, Service)
    assert read.type_ == ServiceType.BACKGROUND_WORKER
    details = read.service_details.to_dict()
    assert BackgroundWorkerDetails.from_dict(details).region == Region.OREGON
    assert "url" not in details


@operation("Render", "read, list and restart what belongs to an unknown service")
def test_an_unknown_service_is_not_found(client: AuthenticatedClient) -> None:
    for answer in (
        retrieve_service.sync_detailed(NOWHERE, client=client),
        list_deploys.sync_detailed(NOWHERE, client=client),
        get_env_vars_for_service.sync_detailed(NOWHERE, client=client),
        restart_service.sync_detailed(NOWHERE, client=client),
    ):
        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert isinstance(answer.parsed, Error)


@operation("Render", "read the workspaces and the user")
def test_a_service_belongs_to_a_workspace(client: AuthenticatedClient, api: Service) -> None:
    owners = list_owners.sync(client=client, limit=100)
    assert isinstance(owners, list)
    listed = {item.owner.id for item in owners if not isinstance(item.owner, Unset)}
    assert api.owner_id in listed
    owner = retrieve_owner.sync(api.owner_id, client=client)
    assert isinstance(owner, Owner)
    assert owner.id == api.owner_id
    user = get_user.sync(client=client)
    assert isinstance(user, User)
    assert "@" in user.email


@operation("Render", "read the limits on requests")
def test_responses_carry_what_is_left(client: AuthenticatedClient) -> None:
    headers = list_services.sync_detailed(client=client, limit=1).headers
    assert 0 <= int(headers["ratelimit-remaining"]) < int(headers["ratelimit-limit"])
    assert int(headers["ratelimit-reset"]) >= 0
