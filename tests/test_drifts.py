"""Each single drift, made of the specification file, is exactly one row of the audit and one finding."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.audit_rows import Audited, Verdict
from proof.drift_kinds import Drift, all_drifts, single_drifts
from spec import load
from tests.account import Account, account
from tests.audited import audited, differing, findings_of, healthy

SPEC = load()
DRIFTS = single_drifts(SPEC, seed=15)


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Render's double."""
    with account(healthy(tmp_path_factory.mktemp("account"))) as one:
        yield one


@pytest.fixture(scope="module")
def before(render: Account, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """The audit without any drift."""
    folder = tmp_path_factory.mktemp("before")
    return audited(healthy(folder), folder, render)


def test_a_healthy_configuration_has_no_red_row(before: Audited) -> None:
    assert [row for row in before.rows if row.fails] == []
    assert {row.verdict for row in before.rows} == {Verdict.EQUAL, Verdict.EXTRA}


@pytest.mark.parametrize("drift", DRIFTS, ids=str)
def test_a_drift_is_one_row_and_one_finding(before: Audited, render: Account, tmp_path: Path, drift: Drift) -> None:
    after = audited(healthy(tmp_path, **drift.behaviour), tmp_path, render)
    assert [row.key for row in after.rows if row.fails] == [drift.key]
    (finding,) = findings_of(after.rows)
    kind, service, name = drift.key
    assert finding.facts[0].subject == {"secret file": "file"}.get(kind, kind) + (
        f" {service}" if kind == "service" else f" {service} {name}"
    )
    if kind != "service":
        assert [row.key for row in differing(before, after)] == [drift.key]


def test_the_drifts_are_of_every_kind_of_setting_of_both_services() -> None:
    assert len(DRIFTS) == len({str(drift) for drift in DRIFTS}) == 60
    every = {(*drift.key[:2], drift.way) for drift in all_drifts(SPEC, 15)}
    assert {(*drift.key[:2], drift.way) for drift in DRIFTS} == every
    details = {drift.key for drift in all_drifts(SPEC, 15) if drift.key[0] == "detail"}
    assert details <= {drift.key for drift in DRIFTS}
