"""Render: services and what runs in them."""

from __future__ import annotations

import httpx
import pytest
from render.public_api import AuthenticatedClient
from render.public_api.api.deploys import list_deploys
from render.public_api.api.services import (
    create_service,
    delete_service,
    list_instances,
    list_services,
    restart_service,
    resume_service,
    retrieve_service,
    scale_service,
    suspend_service,
    update_service,
)
from render.public_api.models.background_worker_details import BackgroundWorkerDetails
from render.public_api.models.deploy_status import DeployStatus
from render.public_api.models.list_services_suspended_item import ListServicesSuspendedItem
from render.public_api.models.region import Region
from render.public_api.models.scale_service_body import ScaleServiceBody
from render.public_api.models.service import Service
from render.public_api.models.service_patch import ServicePATCH
from render.public_api.models.service_post import ServicePOST
from render.public_api.models.service_type import ServiceType
from render.public_api.models.web_service_details import WebServiceDetails

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes
from proof.conformance.render_calls import done, pages, refused, wait_for
from proof.conformance.render_fixtures import own, render, some

__all__ = ["own", "render", "some"]

UNKNOWN = "srv-00000000000000000000"
ENDED = (DeployStatus.LIVE, DeployStatus.BUILD_FAILED, DeployStatus.UPDATE_FAILED, DeployStatus.CANCELED)


@operation("Render", "list services")
def test_every_service_is_described(render: AuthenticatedClient) -> None:
    found = done(list_services, render, limit=100)
    assert found
    assert all(entry.cursor and entry.service.id and entry.service.dashboard_url for entry in found)


@operation("Render", "list services by name and type")
def test_filters_of_a_listing_are_kept(render: AuthenticatedClient, some: Service) -> None:
    found = done(list_services, render, name=[some.name], type_=[some.type_])
    assert [entry.service.id for entry in found] == [some.id]
    assert done(list_services, render, name=[some.name + "-other"]) == []
    others = [kind for kind in ServiceType if kind != some.type_]
    assert some.id not in [entry.service.id for entry in done(list_services, render, type_=others)]


@operation("Render", "list services by region, state and owner")
def test_further_filters_of_a_listing_are_kept(render: AuthenticatedClient, some: Service) -> None:
    details = some.service_details
    assert isinstance(details, WebServiceDetails | BackgroundWorkerDetails)
    given = {"region": [details.region], "owner_id": [some.owner_id], "env": [details.runtime]}
    assert some.id in [entry.service.id for entry in done(list_services, render, limit=100, **given)]
    elsewhere = [region for region in Region if region != details.region]
    assert some.id not in [entry.service.id for entry in done(list_services, render, limit=100, region=elsewhere)]
    state = ListServicesSuspendedItem.SUSPENDED
    if some.suspended == "suspended":
        state = ListServicesSuspendedItem.NOT_SUSPENDED
    assert some.id not in [entry.service.id for entry in done(list_services, render, limit=100, suspended=[state])]


@operation("Render", "list services page by page")
def test_pages_of_services_hold_each_service_once(render: AuthenticatedClient) -> None:
    whole = [entry.service.id for entry in done(list_services, render, limit=100)]
    paged = [[entry.service.id for entry in page] for page in pages(list_services, render, limit=1)]
    assert all(len(page) == 1 for page in paged)
    assert [page[0] for page in paged] == whole


@operation("Render", "list services with a limit out of bounds")
@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_out_of_bounds_is_refused(clients: Clients, limit: int) -> None:
    client = clients.render().get_httpx_client()
    assert client.get("/services", params={"limit": limit}).status_code == 400


@operation("Render", "retrieve a service")
def test_a_service_is_described_alone_as_in_the_listing(render: AuthenticatedClient, some: Service) -> None:
    assert done(retrieve_service, render, some.id).to_dict() == some.to_dict()


@operation("Render", "retrieve an unknown service")
def test_an_unknown_service_is_not_found(render: AuthenticatedClient) -> None:
    assert refused(retrieve_service, render, UNKNOWN)[0] == 404


@operation("Render", "ask with a wrong key")
def test_a_wrong_key_is_refused(clients: Clients) -> None:
    assert refused(list_services, clients.render("rnd_wrong"))[0] == 401


@operation("Render", "ask without a key")
def test_a_missing_key_is_refused(clients: Clients) -> None:
    assert httpx.get(f"{clients.urls.render}/v1/services").status_code == 401


@operation("Render", "ask for another media type")
def test_another_media_type_is_not_acceptable(render: AuthenticatedClient) -> None:
    assert refused(list_services, render.with_headers({"Accept": "text/csv"}))[0] == 406


@operation("Render", "rate limits of an answer")
def test_an_answer_shows_the_rate_limits(render: AuthenticatedClient) -> None:
    headers = list_services.sync_detailed(client=render).headers
    limit, remaining = int(headers["Ratelimit-Limit"]), int(headers["Ratelimit-Remaining"])
    assert 0 <= remaining < limit
    assert int(headers["Ratelimit-Reset"]) >= 0


@operation("Render", "create a service")
@writes
def test_a_service_is_created_with_its_first_deploy(render: AuthenticatedClient, own: Service) -> None:
    assert own.type_ == ServiceType.BACKGROUND_WORKER
    assert isinstance(own.service_details, BackgroundWorkerDetails)
    assert done(retrieve_service, render, own.id).name == own.name
    assert done(list_deploys, render, own.id)


@operation("Render", "create a service without its name")
@writes
def test_a_service_without_a_name_is_refused(render: AuthenticatedClient, some: Service) -> None:
    body = ServicePOST.from_dict({"type": "web_service", "name": "", "ownerId": some.owner_id, "serviceDetails": {}})
    assert refused(create_service, render, body=body)[0] == 400


@operation("Render", "update a service")
@writes
def test_a_change_of_a_service_shows(clients: Clients, render: AuthenticatedClient, own: Service) -> None:
    body = ServicePATCH.from_dict(
        {"name": f"{clients.tag}-renamed", "autoDeploy": "no", "serviceDetails": {"plan": "standard"}}
    )
    changed = done(update_service, render, own.id, body=body)
    assert changed.name == f"{clients.tag}-renamed"
    found = done(retrieve_service, render, own.id)
    assert found.service_details.plan == "standard"
    assert found.auto_deploy_trigger == "off"
    assert found.updated_at >= own.updated_at


@operation("Render", "delete a service")
@writes
def test_a_deleted_service_is_gone(render: AuthenticatedClient, own: Service) -> None:
    done(delete_service, render, own.id)
    assert refused(retrieve_service, render, own.id)[0] in (404, 410)
    assert own.id not in [entry.service.id for entry in done(list_services, render, limit=100)]


@operation("Render", "suspend and resume a service")
@writes
def test_a_service_is_suspended_and_resumed(render: AuthenticatedClient, own: Service) -> None:
    assert suspend_service.sync_detailed(own.id, client=render).status_code == 202
    suspended = wait_for(lambda: (s := done(retrieve_service, render, own.id)).suspended == "suspended" and s)
    assert suspended.suspenders == ["user"]
    assert resume_service.sync_detailed(own.id, client=render).status_code == 202
    assert wait_for(lambda: done(retrieve_service, render, own.id).suspended == "not_suspended")


@operation("Render", "scale a service")
@writes
def test_a_service_is_scaled(render: AuthenticatedClient, own: Service) -> None:
    assert scale_service.sync_detailed(own.id, client=render, body=ScaleServiceBody(num_instances=2)).status_code == 202
    assert wait_for(lambda: done(retrieve_service, render, own.id).service_details.num_instances == 2)
    assert refused(scale_service, render, own.id, body=ScaleServiceBody(num_instances=-1))[0] == 400


@operation("Render", "restart a service")
@writes
def test_a_service_is_restarted(render: AuthenticatedClient, own: Service) -> None:
    assert restart_service.sync_detailed(own.id, client=render).status_code == 200
    assert refused(restart_service, render, UNKNOWN)[0] == 404


@operation("Render", "list instances")
def test_instances_have_an_id_and_a_beginning(render: AuthenticatedClient, some: Service) -> None:
    assert all(each.id and each.created_at for each in done(list_instances, render, some.id))
