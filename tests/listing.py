"""A plugin for one test: prints the checklist item and the suites of every check."""

import pytest

SUITES = ("predeploy", "postdeploy", "performance", "contract", "resilience", "maintenance")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Print one line a check."""
    for item in session.items:
        marker = item.get_closest_marker("checklist")
        suites = [name for name in SUITES if item.get_closest_marker(name)]
        print("checklist", marker.args[0] if marker else "none", ",".join(suites) or "none", item.nodeid)
