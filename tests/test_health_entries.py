"""An entry of the health body: the HTTP error of a dependency that it reports."""

from __future__ import annotations

import pytest

from fixtures.health import status_in


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("error: status 401", 401),
        ("unhealthy (HTTP 403)", 403),
        ({"status": "unhealthy", "error": "401 Unauthorized", "last_check": "2026-11-26T10:00:00.412+00:00"}, 401),
        ("error: ConnectError", None),
        ("error: status 401, then 503", None),
        ({"status": "unhealthy", "latency_ms": 1401.5, "host": "10.0.404.1"}, None),
        (None, None),
    ],
)
def test_the_reported_status_is_found(state: object, status: int | None) -> None:
    assert status_in(state).get("reported_status") == status
