"""What the cases of Render start from: the client, some service of the account, and one of the case's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from render.public_api import AuthenticatedClient
from render.public_api.api.services import create_service, delete_service, list_services
from render.public_api.api.workspaces import list_owners
from render.public_api.models.service import Service
from render.public_api.models.service_post import ServicePOST

from proof.conformance.clients import Clients
from proof.conformance.render_calls import done


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
