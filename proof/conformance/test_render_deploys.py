"""Render: deploys, events and jobs of services."""

from __future__ import annotations

from render.public_api import AuthenticatedClient
from render.public_api.api.deploys import cancel_deploy, create_deploy, list_deploys, retrieve_deploy, rollback_deploy
from render.public_api.api.one_off_jobs import cancel_job, list_job, post_job, retrieve_job
from render.public_api.api.services import (
    list_events,
)
from render.public_api.models.create_deploy_body import CreateDeployBody
from render.public_api.models.deploy_status import DeployStatus
from render.public_api.models.post_job_body import PostJobBody
from render.public_api.models.rollback_deploy_body import RollbackDeployBody
from render.public_api.models.service import Service

from proof.conformance.marks import operation, writes
from proof.conformance.render_calls import done, pages, refused, wait_for
from proof.conformance.render_fixtures import own, render, some

__all__ = ["own", "render", "some"]

UNKNOWN = "srv-00000000000000000000"
ENDED = (DeployStatus.LIVE, DeployStatus.BUILD_FAILED, DeployStatus.UPDATE_FAILED, DeployStatus.CANCELED)


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
