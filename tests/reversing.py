"""A plugin for one test: runs the checks in the opposite order."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Turn the order around after everybody else has sorted."""
    items.reverse()
