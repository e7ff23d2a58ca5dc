"""Render: services and what runs in them."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from render.public_api import AuthenticatedClient
from render.public_api.api.deploys import cancel_deploy, create_deploy, list_deploys, retrieve_deploy, rollback_deploy
from render.public_api.api.one_off_jobs import cancel_job, list_job, post_job, retrieve_job
from render.public_api.api.services import (
    create_service,
    delete_service,
    list_events,
    list_instances,
    list_services,
    restart_service,
    resume_service,
    retrieve_service,
    scale_service,
    suspend_service,
    update_service,
)
from render.public_api.api.workspaces import list_owners
from render.public_api.models.background_worker_details import BackgroundWorkerDetails
from render.public_api.models.create_deploy_body import CreateDeployBody
from render.public_api.models.deploy_status import DeployStatus
from render.public_api.models.list_services_suspended_item import ListServicesSuspendedItem
from render.public_api.models.post_job_body import PostJobBody
from render.public_api.models.region import Region
from render.public_api.models.rollback_deploy_body import RollbackDeployBody
from render.public_api.models.scale_service_body import ScaleServiceBody
from render.public_api.models.service import Service
from render.public_api.models.service_patch import ServicePATCH
from render.public_api.models.service_post import ServicePOST
from render.public_api.models.service_type import ServiceType
from render.public_api.models.web_service_details import WebServiceDetails

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes
from proof.conformance.render_calls import done, pages, refused, wait_for

UNKNOWN = "srv-00000000000000000000"
ENDED = (DeployStatus.LIVE, DeployStatus.BUILD_FAILED, DeployStatus.UPDATE_FAILED, DeployStatus.CANCELED)


@pytest.fixture
def render(clients: Clients) -> AuthenticatedClient:
    """Render's client."""
    return clients.render()


@pytest.fixture
def some(render: AuthenticatedClient) -> Service:
    """A service of the account."""
    found: Service = done(list_services, render)[0].service
    return found


@pytest.fixture
def own(clients: Clients, render: AuthenticatedClient) -> Iterator[Service]:
    """A worker of this case alone."""
    owner = done(list_owners, render)[0].owner.id
    body = ServicePOST.from_dict(
        {
            "type": "background_worker",
            "name": f"{clients.tag}-worker",
            "ownerId": owner,
            "image": {"ownerId": owner, "imagePath": "docker.io/library/busybox:latest"},
            "envVars": [{"key": "FIRST", "value": "1"}],
            "serviceDetails": {"runtime": "image", "plan": "starter", "region": "oregon"},
        }
    )
    made = done(create_service, render, body=body).service
    yield made
    delete_service.sync_detailed(made.id, client=render)


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


@operation("Render", "list deploys")
def test_deploys_come_newest_first(render: AuthenticatedClient, some: Service) -> None:
    found = [entry.deploy for entry in done(list_deploys, render, some.id, limit=100)]
    assert found
    assert [each.created_at for each in found] == sorted((each.created_at for each in found), reverse=True)
    assert done(retrieve_deploy, render, some.id, found[0].id).to_dict() == found[0].to_dict()


@operation("Render", "list deploys by status, page by page")
def test_pages_of_deploys_hold_each_deploy_once(render: AuthenticatedClient, some: Service) -> None:
    whole = [entry.deploy.id for entry in done(list_deploys, render, some.id, limit=10)]
    first = next(pages(list_deploys, render, some.id, limit=1))
    assert [entry.deploy.id for entry in first] == whole[:1]
    live = done(list_deploys, render, some.id, status=[DeployStatus.LIVE])
    assert {entry.deploy.status for entry in live} <= {DeployStatus.LIVE}


@operation("Render", "retrieve an unknown deploy")
def test_an_unknown_deploy_is_not_found(render: AuthenticatedClient, some: Service) -> None:
    assert refused(retrieve_deploy, render, some.id, "dep-00000000000000000000")[0] == 404


@operation("Render", "trigger a deploy and wait for it")
@writes
def test_a_deploy_proceeds_to_its_end(render: AuthenticatedClient, own: Service) -> None:
    def newest() -> DeployStatus:
        status: DeployStatus = done(list_deploys, render, own.id, limit=1)[0].deploy.status
        return status

    wait_for(lambda: newest() in ENDED, 300)
    made = done(create_deploy, render, own.id, body=CreateDeployBody())
    assert made.status not in ENDED
    assert made.trigger == "api"
    wait_for(lambda: newest() in ENDED, 300)
    assert [e.deploy.status for e in done(list_deploys, render, own.id)].count(DeployStatus.LIVE) <= 1


@operation("Render", "cancel a deploy, and one that has ended")
@writes
def test_a_deploy_that_runs_is_canceled(render: AuthenticatedClient, own: Service) -> None:
    wait_for(lambda: done(list_deploys, render, own.id, limit=1)[0].deploy.status in ENDED, 300)
    made = done(create_deploy, render, own.id, body=CreateDeployBody())
    assert done(cancel_deploy, render, own.id, made.id).status == DeployStatus.CANCELED
    assert refused(cancel_deploy, render, own.id, made.id)[0] == 400


@operation("Render", "roll back to an earlier deploy")
@writes
def test_a_rollback_is_a_deploy_of_the_earlier_commit(render: AuthenticatedClient, own: Service) -> None:
    first = wait_for(lambda: (d := done(list_deploys, render, own.id)[0].deploy).status in ENDED and d, 300)
    made = done(rollback_deploy, render, own.id, body=RollbackDeployBody(deploy_id=first.id))
    assert made.id != first.id
    assert made.trigger == "rollback"
    assert refused(rollback_deploy, render, own.id, body=RollbackDeployBody(deploy_id="dep-0"))[0] in (400, 404)


@operation("Render", "list events")
def test_events_belong_to_the_service(render: AuthenticatedClient, some: Service) -> None:
    found = [entry.event for entry in done(list_events, render, some.id, limit=100)]
    assert {each.service_id for each in found} <= {some.id}
    assert [each.timestamp for each in found] == sorted((each.timestamp for each in found), reverse=True)


@operation("Render", "run, list and cancel one-off jobs")
@writes
def test_a_job_is_begun_and_canceled(render: AuthenticatedClient, own: Service) -> None:
    made = done(post_job, render, own.id, body=PostJobBody(start_command="sleep 60"))
    assert made.service_id == own.id
    assert [entry.job.id for entry in done(list_job, render, own.id)] == [made.id]
    assert done(cancel_job, render, own.id, made.id).status == "canceled"
    assert done(retrieve_job, render, own.id, made.id).start_command == "sleep 60"
