"""The configuration audit as audit.json and audit.html: one table, one row for each setting.

`python -m reports.audit [FOLDER]` draws the page again from a folder's audit.json.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from gate.exit_codes import ExitCode
from gate.pages import templates_in
from gate.places import OUT
from gate.shared import SharedFolder
from reports.schema import VerdictData

VERSION = 1
# What the audit leaves in the folder that the run's processes share, and the results.
RECORD = "audit.json"
DATA, PAGE = "audit.json", "audit.html"
TEMPLATES = Path(__file__).parent / "templates"
Verdict = Literal["equal", "different", "missing", "extra", "not visible"]


class RowData(TypedDict):
    """One setting in all its places; secrets are salted hashes. An empty text is a place that does not have it.

    `code` and `subject` are those of the failure of a row that is red; `setting` is what makes a row visible that is not.
    """

    service: str
    kind: str
    name: str
    section: str
    specified: str
    platform: str
    place: str
    env_file: str
    reported: str
    production: str
    verdict: Verdict
    code: str
    subject: str
    component: str
    setting: str
    note: str


class Record(TypedDict):
    """What fixtures/audit.py leaves: the rows, the places that were read by service, and requests that were sent again."""

    rows: list[RowData]
    sources: dict[str, list[str]]
    repeats: list[str]
    seconds: float


class AuditData(Record):
    """audit.json: the record, of which run and target it is, and its rows by verdict."""

    schema: int
    run_id: str
    started_at: str
    target: str
    counts: dict[str, int]
    red: int


def write(folder: Path, shared: SharedFolder, verdict: VerdictData, mask: Callable[[str], str]) -> None:
    """Write the audit of a run into its results; nothing where none was made."""
    if (text := shared.read(RECORD)) is None:
        return
    record = TypeAdapter(Record).validate_json(mask(text))
    data: AuditData = {
        "schema": VERSION,
        "run_id": verdict["run_id"],
        "started_at": verdict["started_at"],
        "target": verdict["target"]["name"],
        "counts": dict(Counter(row["verdict"] for row in record["rows"])),
        "red": sum(bool(row["code"]) for row in record["rows"]),
        **record,
    }
    (folder / DATA).write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draw(folder)


def draw(folder: Path) -> None:
    """Make the page of a folder's audit.json."""
    data = TypeAdapter(AuditData).validate_json((folder / DATA).read_text(encoding="utf-8"))
    template = templates_in(TEMPLATES).get_template("audit.html.j2")
    has_production = any(row["production"] for row in data["rows"])
    page = template.render(data=data, parts=parts(data["rows"]), has_production=has_production)
    (folder / PAGE).write_text(page, encoding="utf-8")


def parts(rows: Sequence[RowData]) -> list[tuple[str, list[RowData]]]:
    """The rows by what is to be done about them: the red ones first, and last what nobody specified."""
    named = {
        "To be mended": [row for row in rows if row["code"]],
        "Not visible": [row for row in rows if not row["code"] and row["verdict"] == "not visible"],
        "As specified": [row for row in rows if not row["code"] and row["verdict"] not in ("not visible", "extra")],
        "Besides what is specified": [row for row in rows if not row["code"] and row["verdict"] == "extra"],
    }
    return [(title, found) for title, found in named.items() if found]


def main() -> ExitCode:
    """Draw the page again."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    try:
        draw(folder)
    except (OSError, ValueError) as error:
        print(f"audit: {folder / DATA} cannot be read ({type(error).__name__}); run the audit first", file=sys.stderr)
        return ExitCode.USAGE
    print(f"audit      {folder / PAGE}")
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
