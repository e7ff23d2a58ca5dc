"""Every line of the specification with its checks: `python -m proof.coverage [--results FOLDER]` writes docs/coverage.md.

Which fault proves which check is learned from the last results of `make faults` and `make mutations`, where there are any, and
kept in proof/proven.json. Exit code 1 when a line has neither a check nor a reason, or a reason beside a check.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gate.exit_codes import ExitCode
from gate.places import OUT
from gate.settings import ConfigurationError
from proof import coverage_access, proven
from proof.collected import collect
from proof.coverage_page import markdown
from proof.covered import Coverage
from proof.pages import DOCS
from proof.spec_lines import lines_of
from spec import DEFAULT, SpecError, load

PAGE = DOCS / "coverage.md"


def coverage_of(file: Path = DEFAULT) -> Coverage:
    """The lines of a specification's document beside its checks; raises ConfigurationError, SpecError."""
    spec = load(file)
    return Coverage(spec, lines_of(file.with_name(spec.meta.specification)), collect(file))


def main(arguments: Sequence[str] | None = None) -> int:
    """Learn, write the page, and name what is wrong; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m proof.coverage", description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, default=OUT, metavar="FOLDER", help="where the last fault matrix lies")
    options = parser.parse_args(arguments)
    try:
        coverage = coverage_of()
    except (ConfigurationError, SpecError) as error:
        print(f"coverage: {error}", file=sys.stderr)
        return ExitCode.USAGE
    proofs = proven.learn(proven.read(), [check.id for check in coverage.checks], options.results)
    proven.write(proofs)
    found = coverage.all()
    spec = load()
    PAGE.write_text(markdown(found, proofs) + coverage_access.markdown(spec, coverage.checks, proofs))
    wrong = [f"{one.line.key}: neither a check nor a reason" for one in found if not one.is_explained]
    wrong += [f"{one.line.key}: its reason is stale, there is a check" for one in found if one.is_stale]
    wrong += [f"{name}: no line, entry or check has this name" for name in coverage.unknown_names()]
    wrong += [f"{name}: no check has this name" for name in coverage_access.unknown_checks(spec, coverage.checks)]
    for line in wrong:
        print(line)
    print(f"{len(found)} lines, {sum(bool(one.checks) for one in found)} with a check, {len(wrong)} not explained")
    return ExitCode.FAIL if wrong else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
