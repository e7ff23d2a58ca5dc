"""What the cases of LlamaParse start from: the client, and plain HTTP for the first version of the API."""

from __future__ import annotations

import httpx
import pytest
from llama_cloud import LlamaCloud

from proof.conformance.clients import Clients


@pytest.fixture
def client(clients: Clients) -> LlamaCloud:
    """LlamaCloud's client."""
    return clients.llama_cloud()


def first_version(clients: Clients, base: str = "/api/parsing") -> httpx.Client:
    """Plain HTTP with the key, below a path."""
    headers = {"Authorization": f"Bearer {clients.keys.llamaparse}"}
    return httpx.Client(base_url=clients.urls.llamaparse + base, headers=headers, timeout=20)
