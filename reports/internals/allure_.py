"""allure-pytest, allure-commons and pytest: what is used of them beyond their public interfaces.

Names of options, the plugin manager that hands out results, and the fields of a result. tests/test_allure_internals.py says
what a new release of them broke.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import allure_commons
import pytest
from allure_commons.model2 import Parameter, TestResult, TestResultContainer

RESULTS_OPTION = "allure_report_dir"
JUNIT_OPTION = "xmlpath"
VEIL = "gate-veil"
# A label of this name carries the node id from pytest to the result; it is not written.
NODE_ID = "gate-node-id"

Mask = Callable[[str], str]


def direct_results(config: pytest.Config, out: Path) -> None:
    """Have JUnit's and Allure's results written into a folder, where the command line names no other."""
    option = config.option
    setattr(option, JUNIT_OPTION, getattr(option, JUNIT_OPTION) or str(out / "junit.xml"))
    setattr(option, RESULTS_OPTION, getattr(option, RESULTS_OPTION) or str(out / "allure-results"))


def results_folder(config: pytest.Config) -> str | None:
    """Where Allure's results go."""
    found: str | None = getattr(config.option, RESULTS_OPTION)
    return found


def use_results_folder(config: pytest.Config, folder: str | None) -> None:
    """Have Allure's results of this process written where another process said."""
    setattr(config.option, RESULTS_OPTION, folder)


class Veil:
    """Receives every result before Allure writes it: masks it, and names it by pytest's node id."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: TestResult) -> None:
        """A check's result."""
        identify(result)
        mask_fields(result, self._mask)

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: TestResultContainer) -> None:
        """What fixtures did before and after."""
        mask_fields(container, self._mask)


def identify(result: TestResult) -> None:
    """Give a result an identity of its own.

    Allure makes one of the parameters as they are shown, and takes checks for attempts of one where these look alike: bytes are
    shown as `<class 'bytes'>`.
    """
    found = [label.value for label in result.labels if label.name == NODE_ID]
    if not found:
        return
    node_id = str(found[0])
    result.labels = [label for label in result.labels if label.name != NODE_ID]
    result.fullName = node_id
    result.testCaseId = result.historyId = hashlib.sha256(node_id.encode()).hexdigest()[:32]
    _, bracket, rest = node_id.partition("[")
    result.parameters = [Parameter(name="case", value=rest.removesuffix("]"))] if bracket else []


def mask_fields(item: object, mask: Mask) -> None:
    """Mask every text of a result, and of its parts (classes of the attrs library)."""
    for name, value in vars(item).items():
        if isinstance(value, str):
            setattr(item, name, mask(value))
        elif isinstance(value, list):
            setattr(item, name, [mask(one) if isinstance(one, str) else one for one in value])
        for one in value if isinstance(value, list) else [value]:
            if hasattr(one, "__attrs_attrs__"):
                mask_fields(one, mask)


def put_veil(mask: Mask) -> Callable[[], None]:
    """Put a veil before Allure's writer in this process; returns what takes it away."""
    manager, veil = allure_commons.plugin_manager, Veil(mask)
    manager.register(veil, VEIL)

    def take_away() -> None:
        if manager.has_plugin(VEIL):
            manager.unregister(veil, VEIL)

    return take_away
