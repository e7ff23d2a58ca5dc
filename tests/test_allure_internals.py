"""What a new release of Allure or pytest broke of what reports/internals/allure_.py uses."""

from __future__ import annotations

import allure_commons
import attr
import pytest
from allure_commons import model2

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


def test_the_veil_masks_and_identifies() -> None:
    result = model2.TestResult(
        name="test_a[secret]",
        labels=[model2.Label(name=allure_.NODE_ID, value="a.py::test_a[secret]"), model2.Label(name="epic", value="secret")],
        statusDetails=model2.StatusDetails(message="secret", trace="secret"),
        parameters=[model2.Parameter(name="body", value="<class 'bytes'>")],
        steps=[model2.TestStepResult(name="secret", steps=[model2.TestStepResult(name="secret")])],
    )
    allure_.Veil(lambda text: text.replace("secret", "*")).report_result(result)
    assert "secret" not in str(attr.asdict(result))
    assert result.fullName == "a.py::test_a[*]"
    assert [label.name for label in result.labels] == ["epic"]
    assert [(parameter.name, parameter.value) for parameter in result.parameters] == [("case", "*")]


def test_a_veil_is_taken_away_again() -> None:
    take_away = allure_.put_veil(lambda text: text)
    assert allure_commons.plugin_manager.has_plugin(allure_.VEIL)
    take_away()
    assert not allure_commons.plugin_manager.has_plugin(allure_.VEIL)
