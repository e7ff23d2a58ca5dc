"""8.2.2 Test API endpoints functionality: every operation keeps its description, for any input (openapi.json)."""

import pytest

from fixtures.contract import Contract
from gate.http import expect
from gate.selection import each, promised
from spec import Specification, entries

pytestmark = [
    pytest.mark.contract,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    pytest.mark.about("describe.differs"),
    promised("contract"),
]


@each("name", entries.every_endpoint)
def test_the_operation_keeps_its_description(contract: Contract, spec: Specification, name: str) -> None:
    """contract HTTP API: generated requests, right and wrong, get an answer of the described form, and never a 5xx (F08)."""
    fuzzed = contract.fuzz(contract.operation(spec.endpoint(name)), share=1 / len(spec.endpoints))
    fuzzed.hold()
    fuzzed.was_asked()


def test_what_only_the_description_knows_keeps_it_as_well(contract: Contract, spec: Specification) -> None:
    """contract HTTP API: reading operations beyond the contract's table answer without a 5xx (F22)."""
    expect(len(contract.described), "operations in openapi.json", subject="description openapi.json").is_at_least(1)
    for operation in contract.undescribed():
        contract.fuzz(operation, share=1 / len(spec.endpoints)).hold()
