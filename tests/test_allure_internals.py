"""What a new release of Allure or pytest broke of what reports/internals/allure_.py uses."""

from __future__ import annotations

import json
from pathlib import Path

import allure_commons
import attr
import pytest
from allure_commons import model2
from allure_commons.logger import AllureFileLogger

from reports.internals import allure_


def test_the_options_have_their_names(pytestconfig: pytest.Config) -> None:
    for name in (allure_.RESULTS_OPTION, allure_.JUNIT_OPTION):
        assert hasattr(pytestconfig.option, name), f"the option {name} has another name: results go elsewhere"


def test_results_are_handed_over_before_they_are_written() -> None:
    for name in ("report_result", "report_container"):
        assert hasattr(allure_commons.plugin_manager.hook, name), f"allure_commons has no hook {name}: nothing is masked"


@pytest.mark.parametrize(
    "form",
    [
        model2.TestResult,
        model2.TestResultContainer,
        model2.TestStepResult,
        model2.StatusDetails,
        model2.Parameter,
        model2.Label,
    ],
)
def test_parts_of_a_result_are_of_the_attrs_library(form: type) -> None:
    assert attr.has(form), f"{form.__name__} is not made by attrs: its parts are not masked"


def test_a_result_has_the_fields_that_are_set() -> None:
    names = {field.name for field in attr.fields(model2.TestResult)}
    missing = {"historyId", "testCaseId", "fullName", "parameters", "labels"} - names
    assert not missing, f"a result has no {missing}: checks that look alike become one"


def _result() -> model2.TestResult:
    return model2.TestResult(
        name="test_a[secret]",
        labels=[model2.Label(name=allure_.NODE_ID, value="a.py::test_a[secret]"), model2.Label(name="epic", value="secret")],
        statusDetails=model2.StatusDetails(message='sec"ret', trace="secret"),
        parameters=[model2.Parameter(name="body", value="<class 'bytes'>")],
        steps=[model2.TestStepResult(name="secret", steps=[model2.TestStepResult(name="secret")])],
    )


def test_results_are_written_masked_and_identified(tmp_path: Path) -> None:
    kept = allure_.Results(tmp_path, lambda text: text.replace("secret", "*").replace('sec"ret', "*"))
    kept.report_result(_result())
    kept.report_attached_data("a secret", "1-attachment.txt")
    kept.report_attached_data(b"\x89PNG", "2-attachment.png")
    assert not list(tmp_path.iterdir()), "written before all secrets are known"
    kept.write()
    [written] = tmp_path.glob("*-result.json")
    text = written.read_text()
    assert "secret" not in text
    assert "ret" not in json.loads(text)["statusDetails"]["message"]
    assert json.loads(text)["fullName"] == "a.py::test_a[*]"
    assert [label["name"] for label in json.loads(text)["labels"]] == ["epic"]
    assert json.loads(text)["parameters"] == [{"name": "case", "value": "*"}]
    assert (tmp_path / "1-attachment.txt").read_text() == "a *"
    assert (tmp_path / "2-attachment.png").read_bytes() == b"\x89PNG"


@pytest.mark.parametrize(
    ("fixture", "files"),
    [
        (model2.TestBeforeResult(name="user", status="passed", start=1, stop=2), 0),
        (model2.TestBeforeResult(name="user", status="passed", start=1, stop=2_000), 1),
        (model2.TestBeforeResult(name="user", status="broken", start=1, stop=2), 1),
        (model2.TestBeforeResult(name="user", status="passed", steps=[model2.TestStepResult(name="GET")], start=1, stop=2), 1),
    ],
    ids=["passed at once", "took long", "broke", "shows a step"],
)
def test_a_fixture_is_told_of_where_it_tells_something(tmp_path: Path, fixture: model2.TestBeforeResult, files: int) -> None:
    kept = allure_.Results(tmp_path, lambda text: text)
    kept.report_container(model2.TestResultContainer(uuid="a", befores=[fixture]))
    kept.write()
    assert len(list(tmp_path.iterdir())) == files


def test_results_are_given_back_to_allure(tmp_path: Path) -> None:
    manager = allure_commons.plugin_manager
    writer = AllureFileLogger(str(tmp_path))
    manager.register(writer)
    try:
        held = allure_.Held(lambda text: text)
        assert not manager.is_registered(writer), "Allure writes by itself what is not masked yet"
        manager.hook.report_result(result=_result())
        held.begin()
        held.give_back()
        assert manager.is_registered(writer)
        assert len(list(tmp_path.glob("*-result.json"))) == 1
    finally:
        manager.unregister(writer)
