"""The last matrix's rows diagnosed again from the facts that they left, after a change of the rules, without running a twin.

`python -m proof.rediagnose [--system clinic] [--page]` prints the rows that are not right now, and writes the matrix's
page from them; the rows themselves stay as they were.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from gate.exit_codes import ExitCode
from gate.places import ROOT
from proof import matrix_page
from proof.figures import Share
from proof.matrix import HEALTHY, Known, Row, known_faults, read_rows
from proof.pages import results
from proof.targets import NAVIGATOR, spec_of
from reports import records
from reports.diagnosis import Diagnosis
from reports.rules import load_rules
from reports.wording import Target, Words
from spec import load

API = "https://localhost"


def again(row: Row, system: str) -> Row:
    """The row with the findings that today's rules make of its facts; as it was where it left none."""
    file = results(f"facts/{row.fault}-{row.suite}.json")
    if not file.exists():
        return row
    spec_file = ROOT / spec_of(system)
    spec = load(spec_file)
    checks = records.read(file)
    findings = Diagnosis(checks, load_rules(spec_file, spec), spec, records.unavailable(file).get).conclude()
    words = Words(Target.of(API, spec, checks))
    titles = [f"{f.component}{f' [{f.failure_mode}]' if f.failure_mode else ''}: {words.title(f)}" for f in findings]
    if not findings and row.found == "harness":
        return row  # what a run leaves behind is no check's fact
    if not findings:
        return replace(row, exit_code=ExitCode.PASS, findings=0, found="", mode=None, modes=[], titles=[], named=[])
    top = findings[0]
    return replace(
        row,
        exit_code=ExitCode.FAIL if row.exit_code == ExitCode.PASS else row.exit_code,
        findings=len(findings),
        found=top.component,
        mode=top.failure_mode,
        summary=words.title(top),
        named=[titles[0], *(fact.subject for fact in top.facts)],
        modes=[f.failure_mode for f in findings if f.failure_mode],
        titles=titles,
    )


def _as_known(row: Row, fault: Known) -> Row:
    # What was quoted stays as it was: the platform is not asked again.
    return replace(
        row,
        right_mode=fault.mode,
        right_subject=fault.subject,
        right_log=fault.log.get(row.suite, ""),
        component=fault.component,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Diagnose all rows again."""
    parser = argparse.ArgumentParser(prog="python -m proof.rediagnose", description=__doc__)
    parser.add_argument("--system", default=NAVIGATOR)
    parser.add_argument("--all", action="store_true", help="print the right rows too")
    parser.add_argument("--page", action="store_true", help="write the matrix's page from them")
    options = parser.parse_args(arguments)
    known = {fault.id: fault for fault in known_faults(options.system)}
    rows = [again(row, options.system) for row in read_rows(options.system) if row.fault != HEALTHY and row.fault in known]
    rows = [_as_known(row, known[row.fault]) for row in rows]
    for row in rows:
        if options.all or not row.is_right:
            print(f"{row.fault} {row.suite}: {row.problems or 'green' if not row.is_right else 'ok'}")
            print("".join(f"    {title}\n" for title in row.titles), end="")
    if options.page:
        matrix_page.write([*(row for row in read_rows(options.system) if row.fault == HEALTHY), *rows], options.system)
    good = sum(row.is_right for row in rows)
    wrong, findings = sum(len(row.wrong_modes) for row in rows), sum(row.findings for row in rows)
    print(f"rows right {Share(good, len(rows)).above}; wrong failure modes {Share(wrong, findings).below}")
    return ExitCode.PASS if good == len(rows) else ExitCode.FAIL


if __name__ == "__main__":
    sys.exit(main())
