"""An instance that ends after so many requests, as its start command says, is no restart; one that ends sooner is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gate.failures import Failure
from tests.test_monitoring import Account, at

LIMITED = "uvicorn main:app --limit-max-requests 1000"
EARLY = {"evicted": False, "earlyExit": True}


def ended(account: Account, reason: dict[str, Any], *seconds_ago: float, command: str = LIMITED) -> Account:
    """An account whose instance ended so long ago, and began again a second later each time."""
    account.service["serviceDetails"]["envSpecificDetails"] = {"dockerCommand": command}
    for number, ago in enumerate(seconds_ago):
        found: tuple[tuple[str, float, dict[str, Any]], ...] = (
            ("server_failed", ago, {"instanceID": "srv-1-a", "reason": reason}),
            ("server_available", ago - 1, {}),
        )
        for kind, moment, details in found:
            event = {
                "id": f"evt-{number}{kind}",
                "timestamp": at(moment),
                "serviceId": "srv-1",
                "type": kind,
                "details": details,
            }
            account.events.append({"event": event, "cursor": "1"})
    return account


def test_the_end_that_the_start_command_asks_for_is_no_restart(tmp_path: Path) -> None:
    ended(Account(), EARLY, *range(3600, 0, -120)).hold(tmp_path, "restarts", "restarts_of_the_day")


@pytest.mark.parametrize(
    ("reason", "seconds_ago", "command"),
    [
        # Too soon after the one before to have had its requests.
        (EARLY, (60, 57, 54, 51, 48), LIMITED),
        # With an error.
        ({"evicted": False, "nonZeroExit": 1}, (600, 480, 360, 240, 120), LIMITED),
        # By a command that has no limit.
        (EARLY, (600, 480, 360, 240, 120), "python worker.py"),
    ],
)
def test_any_other_end_is_one(tmp_path: Path, reason: dict[str, Any], seconds_ago: tuple[float, ...], command: str) -> None:
    with pytest.raises(Failure) as caught:
        ended(Account(), reason, *seconds_ago, command=command).hold(tmp_path, "restarts_of_the_day")
    assert caught.value.subject == "service worker"
