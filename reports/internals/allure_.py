"""allure-pytest, allure-commons and pytest: what is used of them beyond their public interfaces.

Names of options, the plugin manager that hands out results, the folder of its writer, and the fields of a result.
tests/test_allure_internals.py says what a new release of them broke.
"""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import allure_commons
import pytest
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import ExecutableItem, Globals, Parameter, Status, TestResult, TestResultContainer
from attr import asdict

RESULTS_OPTION = "allure_report_dir"
JUNIT_OPTION = "xmlpath"
# A fixture that passed, and shows nothing, is reported when it lasted at least so many milliseconds.
LASTED_MS = 50
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


class Results:
    """Keeps what Allure would write at once, and writes it when the run is over: masked, and named by pytest's node ids.

    Everything is masked once, when every secret of the run is known.
    """

    def __init__(self, folder: Path, mask: Mask) -> None:
        self._folder = folder
        self._mask = mask
        self._kept: list[TestResult | TestResultContainer | Globals] = []
        self._attached: list[tuple[str, str | bytes]] = []

    @allure_commons.hookimpl
    def report_result(self, result: TestResult) -> None:
        """A check's result."""
        identify(result)
        self._kept.append(result)

    @allure_commons.hookimpl
    def report_container(self, container: TestResultContainer) -> None:
        """What fixtures did before and after."""
        self._kept.append(container)

    @allure_commons.hookimpl
    def report_globals(self, globals_item: Globals) -> None:
        """What belongs to no check."""
        self._kept.append(globals_item)

    @allure_commons.hookimpl
    def report_attached_data(self, body: str | bytes, file_name: str) -> None:
        """What a step shows."""
        self._attached.append((file_name, body))

    @allure_commons.hookimpl
    def report_attached_file(self, source: str, file_name: str) -> None:
        """A file that a step shows."""
        self._attached.append((file_name, Path(source).read_bytes()))

    def write(self) -> None:
        """Write what was kept since the last time."""
        kept, self._kept = self._kept, []
        attached, self._attached = self._attached, []
        self._folder.mkdir(parents=True, exist_ok=True)
        for item in filter(_tells, kept):
            (self._folder / item.file_pattern.format(prefix=uuid.uuid4())).write_text(self._text_of(item), encoding="utf-8")
        for name, body in attached:
            (self._folder / name).write_bytes(_masked(body, self._mask))

    def _text_of(self, item: TestResult | TestResultContainer | Globals) -> str:
        text = _json(item)
        if "\\" in text:
            # JSON writes some letters in another way, in which a secret would not be known.
            mask_fields(item, self._mask)
            text = _json(item)
        return self._mask(text)


def _masked(body: str | bytes, mask: Mask) -> bytes:
    try:
        text = body if isinstance(body, str) else body.decode()
    except UnicodeDecodeError:
        # No text: a picture.
        return body if isinstance(body, bytes) else body.encode()
    return mask(text).encode("utf-8", "surrogatepass")


def _json(item: object) -> str:
    data = asdict(item, filter=lambda _, value: value or value is False)  # type: ignore[arg-type]
    return json.dumps(data, ensure_ascii=False)


def _tells(item: TestResult | TestResultContainer | Globals) -> bool:
    # Fixtures that passed at once would be half of all files.
    return not isinstance(item, TestResultContainer) or any(map(_shows, (*item.befores, *item.afters)))


def _shows(fixture: ExecutableItem) -> bool:
    lasted = (fixture.stop or 0) - (fixture.start or 0)
    return fixture.status != Status.PASSED or bool(fixture.steps or fixture.attachments) or lasted >= LASTED_MS


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


class Held:
    """Keeps all results of this process from Allure's own writers, until they are given back."""

    def __init__(self, mask: Mask) -> None:
        found = allure_commons.plugin_manager.get_plugins()
        self._writers = [writer for writer in found if isinstance(writer, AllureFileLogger)]
        self._results = [Results(writer._report_dir, mask) for writer in self._writers]
        self._beside: threading.Thread | None = None
        self._replace(self._writers, self._results)

    def _replace(self, old: Sequence[object], new: Sequence[object]) -> None:
        for one in old:
            allure_commons.plugin_manager.unregister(one)
        for one in new:
            allure_commons.plugin_manager.register(one)

    def _write(self) -> None:
        for results in self._results:
            results.write()

    def begin(self) -> None:
        """Begin to write, beside what else is done when the checks have ended."""
        self._beside = threading.Thread(target=self._write, name="allure")
        self._beside.start()

    def give_back(self) -> None:
        """Write what is not written yet, and leave what comes now to Allure."""
        if self._beside is not None:
            self._beside.join()
        self._replace(self._results, self._writers)
        self._write()
