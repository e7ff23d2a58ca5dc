"""Render: variables, secret files, environment groups; logs and metrics; the workspace."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from types import ModuleType

import pytest
from render.public_api import AuthenticatedClient
from render.public_api.api.custom_domains import list_custom_domains
from render.public_api.api.environment_groups import (
    create_env_group,
    delete_env_group,
    link_service_to_env_group,
    list_env_groups,
    retrieve_env_group,
    retrieve_env_group_env_var,
    unlink_service_from_env_group,
    update_env_group_env_var,
)
from render.public_api.api.logs import list_logs, list_logs_values
from render.public_api.api.metrics import get_cpu, get_http_latency, get_http_requests, get_instance_count, get_memory
from render.public_api.api.postgres import list_postgres
from render.public_api.api.projects_environments import list_environments, list_projects, retrieve_environment
from render.public_api.api.services import (
    add_or_update_secret_file,
    delete_env_var,
    get_env_vars_for_service,
    list_secret_files_for_service,
    list_services,
    retrieve_env_var,
    retrieve_secret_file,
    update_env_var,
    update_env_vars_for_service,
)
from render.public_api.api.users import get_user
from render.public_api.api.webhooks import list_webhooks
from render.public_api.api.workspaces import list_owners, retrieve_owner, retrieve_owner_members
from render.public_api.models.add_or_update_secret_file_body import AddOrUpdateSecretFileBody
from render.public_api.models.env_group import EnvGroup
from render.public_api.models.env_group_post_input import EnvGroupPOSTInput
from render.public_api.models.env_var_generate_value import EnvVarGenerateValue
from render.public_api.models.env_var_key_value import EnvVarKeyValue
from render.public_api.models.env_var_value import EnvVarValue
from render.public_api.models.list_logs_values_label import ListLogsValuesLabel
from render.public_api.models.log_direction import LogDirection
from render.public_api.models.service import Service

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes
from proof.conformance.render_calls import done, pages, refused
from proof.conformance.render_fixtures import own, render, some

__all__ = ["own", "render", "some"]
UNKNOWN = "srv-00000000000000000000"
HOUR = datetime.timedelta(hours=1)


def _variables(client: AuthenticatedClient, service_id: str) -> dict[str, str]:
    found = [entry.env_var for page in pages(get_env_vars_for_service, client, service_id, limit=100) for entry in page]
    return {each.key: each.value for each in found}


@pytest.fixture
def group(clients: Clients, render: AuthenticatedClient, own: Service) -> Iterator[EnvGroup]:
    """A group of this case alone, linked to its service."""
    body = EnvGroupPOSTInput.from_dict(
        {
            "name": f"{clients.tag}-group",
            "ownerId": own.owner_id,
            "envVars": [{"key": "SHARED", "value": "both"}, {"key": "MADE", "generateValue": True}],
            "serviceIds": [own.id],
        }
    )
    made: EnvGroup = done(create_env_group, render, body=body)
    yield made
    delete_env_group.sync_detailed(made.id, client=render)


@operation("Render", "list variables page by page")
@writes
def test_more_than_one_page_of_variables(render: AuthenticatedClient, own: Service) -> None:
    given = {f"KEY_{number:03}": str(number) for number in range(120)}
    body = [EnvVarKeyValue(key=key, value=value) for key, value in given.items()]
    done(update_env_vars_for_service, render, own.id, body=body)
    found = list(pages(get_env_vars_for_service, render, own.id, limit=100))
    assert [len(page) for page in found] == [100, 20]
    assert {entry.env_var.key: entry.env_var.value for page in found for entry in page} == given
    assert len(done(get_env_vars_for_service, render, own.id)) == 20


@operation("Render", "add, read, change and delete a variable")
@writes
def test_a_variable_lives_and_dies(render: AuthenticatedClient, own: Service) -> None:
    assert done(update_env_var, render, own.id, "COLOUR", body=EnvVarValue(value="red")).value == "red"
    done(update_env_var, render, own.id, "COLOUR", body=EnvVarValue(value="blue"))
    assert done(retrieve_env_var, render, own.id, "COLOUR").value == "blue"
    assert _variables(render, own.id) == {"FIRST": "1", "COLOUR": "blue"}
    assert delete_env_var.sync_detailed(own.id, "COLOUR", client=render).status_code == 204
    assert refused(retrieve_env_var, render, own.id, "COLOUR")[0] == 404


@operation("Render", "generate a variable's value")
@writes
def test_a_value_is_generated(render: AuthenticatedClient, own: Service) -> None:
    first = done(update_env_var, render, own.id, "SALT", body=EnvVarGenerateValue(generate_value=True)).value
    assert len(first) >= 16
    assert done(update_env_var, render, own.id, "SALT", body=EnvVarGenerateValue(generate_value=True)).value != first


@operation("Render", "replace all variables")
@writes
def test_replacing_removes_what_is_not_given(render: AuthenticatedClient, own: Service) -> None:
    done(update_env_vars_for_service, render, own.id, body=[EnvVarKeyValue(key="SECOND", value="2")])
    assert _variables(render, own.id) == {"SECOND": "2"}


@operation("Render", "list variables of an unknown service")
def test_variables_of_an_unknown_service(render: AuthenticatedClient) -> None:
    assert refused(get_env_vars_for_service, render, UNKNOWN)[0] == 404


@operation("Render", "write, read and list secret files")
@writes
def test_a_secret_file_is_kept(render: AuthenticatedClient, own: Service) -> None:
    add_or_update_secret_file.sync_detailed(own.id, "a.txt", client=render, body=AddOrUpdateSecretFileBody(content="kept"))
    assert done(retrieve_secret_file, render, own.id, "a.txt").content == "kept"
    assert [entry.secret_file.name for entry in done(list_secret_files_for_service, render, own.id)] == ["a.txt"]
    assert refused(retrieve_secret_file, render, own.id, "b.txt")[0] == 404


@operation("Render", "create and read an environment group")
@writes
def test_a_group_holds_its_variables(render: AuthenticatedClient, own: Service, group: EnvGroup) -> None:
    found = done(retrieve_env_group, render, group.id)
    assert {each.key for each in found.env_vars} == {"SHARED", "MADE"}
    assert [(link.id, link.type_) for link in found.service_links] == [(own.id, "worker")]
    assert done(retrieve_env_group_env_var, render, group.id, "SHARED").value == "both"


@operation("Render", "variables of a service that is linked to a group")
@writes
def test_a_service_does_not_list_what_comes_from_a_group(render: AuthenticatedClient, own: Service, group: EnvGroup) -> None:
    assert group.service_links
    assert "SHARED" not in _variables(render, own.id)
    assert refused(retrieve_env_var, render, own.id, "SHARED")[0] == 404


@operation("Render", "list environment groups")
@writes
def test_groups_are_listed_by_name(render: AuthenticatedClient, group: EnvGroup) -> None:
    found = list_env_groups.sync_detailed(client=render, name=[group.name])
    assert found.status_code == 200
    assert group.id in found.content.decode()
    assert group.id not in list_env_groups.sync_detailed(client=render, name=["another"]).content.decode()


@operation("Render", "change a group's variable, unlink and link a service")
@writes
def test_a_group_is_changed(render: AuthenticatedClient, own: Service, group: EnvGroup) -> None:
    update_env_group_env_var.sync_detailed(group.id, "SHARED", client=render, body=EnvVarValue(value="new"))
    assert done(retrieve_env_group_env_var, render, group.id, "SHARED").value == "new"
    done(unlink_service_from_env_group, render, group.id, own.id)
    assert done(retrieve_env_group, render, group.id).service_links == []
    assert [link.id for link in done(link_service_to_env_group, render, group.id, own.id).service_links] == [own.id]


@operation("Render", "retrieve an unknown environment group")
def test_an_unknown_group_is_not_found(render: AuthenticatedClient) -> None:
    assert refused(retrieve_env_group, render, "evg-00000000000000000000")[0] == 404


@operation("Render", "read logs backwards, page by page")
def test_pages_of_logs_continue(render: AuthenticatedClient, some: Service) -> None:
    given = {"owner_id": some.owner_id, "resource": [some.id], "limit": 5}
    end = datetime.datetime.now(datetime.UTC)
    first = done(list_logs, render, start_time=end - HOUR, end_time=end, **given)
    times = [line.timestamp for line in first.logs]
    assert times == sorted(times, reverse=True)
    if not first.has_more:
        pytest.skip("the service wrote less than a page within the hour")
    following = done(list_logs, render, start_time=first.next_start_time, end_time=first.next_end_time, **given)
    assert not {line.id for line in first.logs} & {line.id for line in following.logs}
    assert all(line.timestamp <= times[-1] for line in following.logs)


@operation("Render", "read logs forwards")
def test_logs_are_read_in_their_order(render: AuthenticatedClient, some: Service) -> None:
    end = datetime.datetime.now(datetime.UTC)
    given = {"owner_id": some.owner_id, "resource": [some.id], "start_time": end - HOUR, "end_time": end}
    found = done(list_logs, render, direction=LogDirection.FORWARD, **given)
    times = [line.timestamp for line in found.logs]
    assert times == sorted(times)
    assert all(end - HOUR <= time <= end for time in times)


@operation("Render", "values of a label of logs")
def test_labels_of_logs_have_values(render: AuthenticatedClient, some: Service) -> None:
    given = {"owner_id": some.owner_id, "resource": [some.id]}
    found = done(list_logs_values, render, label=ListLogsValuesLabel.LEVEL, **given)
    assert all(isinstance(value, str) for value in found)


@operation("Render", "read logs without a resource")
def test_logs_need_a_resource(clients: Clients, some: Service) -> None:
    client = clients.render().get_httpx_client()
    assert client.get("/logs", params={"ownerId": some.owner_id}).status_code == 400


@operation("Render", "read metrics")
@pytest.mark.parametrize(
    "metric",
    [get_cpu, get_memory, get_instance_count, get_http_requests, get_http_latency],
    ids=lambda m: m.__name__.rpartition(".")[2],
)
def test_metrics_are_series_within_the_range(render: AuthenticatedClient, some: Service, metric: ModuleType) -> None:
    end = datetime.datetime.now(datetime.UTC)
    for series in done(metric, render, resource=some.id, start_time=end - HOUR, end_time=end):
        assert series.unit
        assert some.id in [label.value for label in series.labels]
        times = [each.timestamp for each in series.values]
        assert times == sorted(times)
        assert all(end - HOUR - HOUR / 60 <= time <= end + HOUR / 60 for time in times)


@operation("Render", "list and retrieve owners, members, user")
def test_the_workspace_is_described(render: AuthenticatedClient) -> None:
    owner = done(list_owners, render)[0].owner
    assert done(retrieve_owner, render, owner.id).to_dict() == owner.to_dict()
    assert done(retrieve_owner_members, render, owner.id)
    assert "@" in done(get_user, render).email
    assert refused(retrieve_owner, render, "tea-00000000000000000000")[0] == 404


@operation("Render", "list projects and environments")
def test_services_belong_to_environments_of_projects(render: AuthenticatedClient) -> None:
    services = {entry.service.id for entry in done(list_services, render, limit=100)}
    projects = [entry.project for entry in done(list_projects, render)]
    if not projects:
        pytest.skip("the account has no projects")
    found = [entry.environment for entry in done(list_environments, render, project_id=[each.id for each in projects])]
    assert {each.id for each in found} <= {each for project in projects for each in project.environment_ids}
    assert {each for environment in found for each in environment.service_ids} <= services
    assert done(retrieve_environment, render, found[0].id).name == found[0].name


@operation("Render", "list what the account may have none of")
def test_further_listings_are_read(render: AuthenticatedClient, some: Service) -> None:
    assert isinstance(done(list_postgres, render), list)
    assert isinstance(done(list_webhooks, render), list)
    assert isinstance(done(list_custom_domains, render, some.id), list)
