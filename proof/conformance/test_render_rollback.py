"""Render: what a rollback leaves as it is, what a changed variable begins, and what a restart replaces."""

from __future__ import annotations

from render.public_api import AuthenticatedClient
from render.public_api.api.deploys import create_deploy, list_deploys, rollback_deploy
from render.public_api.api.services import list_instances, restart_service, retrieve_env_var, update_env_var
from render.public_api.models.create_deploy_body import CreateDeployBody
from render.public_api.models.deploy_status import DeployStatus
from render.public_api.models.env_var_value import EnvVarValue
from render.public_api.models.rollback_deploy_body import RollbackDeployBody
from render.public_api.models.service import Service

from proof.conformance.marks import operation, writes
from proof.conformance.render_calls import done, wait_for
from proof.conformance.render_fixtures import own, render

__all__ = ["own", "render"]

ENDED = (DeployStatus.LIVE, DeployStatus.BUILD_FAILED, DeployStatus.UPDATE_FAILED, DeployStatus.CANCELED)
SECONDS = 300


def newest_ended(render: AuthenticatedClient, own: Service) -> str:
    """The id of the newest deploy, once it has ended."""
    found = wait_for(lambda: (d := done(list_deploys, render, own.id)[0].deploy).status in ENDED and d, SECONDS)
    return str(found.id)


@operation("Render", "change a variable, which begins no deploy")
@writes
def test_a_variable_that_is_changed_begins_no_deploy(render: AuthenticatedClient, own: Service) -> None:
    first = newest_ended(render, own)
    done(update_env_var, render, own.id, "FIRST", body=EnvVarValue(value="2"))
    assert newest_ended(render, own) == first


@operation("Render", "roll back, which leaves the service's variables as they are")
@writes
def test_a_rollback_leaves_the_variables(render: AuthenticatedClient, own: Service) -> None:
    first = newest_ended(render, own)
    done(update_env_var, render, own.id, "FIRST", body=EnvVarValue(value="2"))
    done(create_deploy, render, own.id, body=CreateDeployBody())
    assert newest_ended(render, own) != first
    done(rollback_deploy, render, own.id, body=RollbackDeployBody(deploy_id=first))
    newest_ended(render, own)
    assert done(retrieve_env_var, render, own.id, "FIRST").value == "2"


@operation("Render", "restart a service")
@writes
def test_a_restart_replaces_the_instances(render: AuthenticatedClient, own: Service) -> None:
    newest_ended(render, own)
    before = {each.id for each in done(list_instances, render, own.id)}
    done(restart_service, render, own.id)
    after = wait_for(lambda: (ids := {each.id for each in done(list_instances, render, own.id)}) and not ids & before and ids)
    assert len(after) == len(before)
    assert done(list_deploys, render, own.id)[0].deploy.status == DeployStatus.LIVE
