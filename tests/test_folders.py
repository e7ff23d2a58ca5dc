"""Which folders of checks a run loads."""

import pytest

from gate.folders import SUITES, leaves_out


@pytest.mark.parametrize(
    ("expression", "left_out"),
    [
        ("", set()),
        ("predeploy", {"contract", "maintenance", "performance", "postdeploy", "resilience", "security"}),
        ("postdeploy", {"contract", "maintenance", "performance", "resilience"}),
        ("predeploy or (postdeploy and maintenance)", {"contract", "performance", "resilience"}),
        ("maintenance", {"contract", "performance", "resilience"}),
        ("not resilience", set()),
        ("predeploy and twin", set()),
    ],
)
def test_only_what_cannot_be_chosen_is_left_out(expression: str, left_out: set[str]) -> None:
    assert {name for name, suites in SUITES.items() if leaves_out(expression, suites)} == left_out
