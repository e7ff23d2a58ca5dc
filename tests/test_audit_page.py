"""audit.json and audit.html are made of what the audit left, and of nothing else."""

import json
import re
from dataclasses import asdict
from pathlib import Path

from fixtures.audit_rows import Audited, Row, Verdict
from gate.shared import SharedFolder
from reports import audit
from tests.recorded import a_verdict

ROWS = [
    Row("api", "variable", "LOG_LEVEL", "§1", "INFO", "INFO", "service", "INFO", subject="variable api LOG_LEVEL"),
    Row(
        "api", "variable", "DEBUG", "§1", "false", "<b>true</b>", "group old", "false", verdict=Verdict.DIFFERENT,
        code="audit.different", subject="variable api DEBUG", note="the host's value is not that of the env file",
    ),
    Row("worker", "detail", "branch", "§9", platform="main", place="Render", verdict=Verdict.EXTRA),
    Row("worker", "detail", "build_plan", "§2", "starter", verdict=Verdict.NOT_VISIBLE, setting="RENDER_API_KEY"),
]  # fmt: skip


def written(folder: Path) -> tuple[audit.AuditData, str]:
    """The data and the page of these rows."""
    shared = SharedFolder(folder / "shared")
    shared.write(audit.RECORD, Audited(ROWS, {"api": ["Render", "group old"]}, ["GET /v1/services: 429"], 1.5).to_json())
    audit.write(folder, shared, a_verdict(), lambda text: text.replace("INFO", "[masked]"))
    data: audit.AuditData = json.loads((folder / audit.DATA).read_text())
    return data, (folder / audit.PAGE).read_text()


def test_every_row_stands_in_both(tmp_path: Path) -> None:
    data, page = written(tmp_path)
    assert [row["name"] for row in data["rows"]] == [row.name for row in ROWS]
    assert data["counts"] == {"equal": 1, "different": 1, "extra": 1, "not visible": 1}
    assert data["red"] == 1
    assert page.count("data-verdict=") == len(ROWS)
    assert page.index("DEBUG") < page.index("build_plan") < page.index("LOG_LEVEL") < page.index("branch")


def test_the_page_is_self_contained_escaped_and_masked(tmp_path: Path) -> None:
    _, page = written(tmp_path)
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "<b>true</b>" not in page
    assert "INFO" not in page
    assert "[masked]" in page


def test_a_row_of_the_audit_is_a_row_of_the_report() -> None:
    assert set(asdict(ROWS[0])) == set(audit.RowData.__annotations__)


def test_without_an_audit_nothing_is_written(tmp_path: Path) -> None:
    audit.write(tmp_path, SharedFolder(tmp_path / "shared"), a_verdict(), str)
    assert not list(tmp_path.glob("audit.*"))
