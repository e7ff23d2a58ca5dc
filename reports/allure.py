"""Completes Allure's results, and masks secrets in the finished files.

`python -m reports.allure PAGE` takes out of Allure's page what asks another host.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from gate.exit_codes import ExitCode
from reports.schema import VerdictData

TEXT_SUFFIXES = {".json", ".txt", ".xml", ".md", ".properties", ".html", ".csv", ".svg", ".jsonl", ".log"}
CATEGORIES = (
    {"name": "Promises that are not kept", "matchedStatuses": ["failed"]},
    {"name": "Checks that could not read what they were given", "matchedStatuses": ["broken"]},
    {"name": "Blocked, not judged or not applicable", "matchedStatuses": ["skipped"]},
)
# Allure's page would tell a third party that it was opened.
ANALYTICS = re.compile(r"<script async src=\"https://www\.googletagmanager\.com/[^>]*></script>\s*<script>.*?</script>", re.S)


def complete(folder: Path, data: VerdictData) -> None:
    """Write environment.properties and categories.json beside the results."""
    target = data["target"]
    shown = {
        "target": target["name"],
        "kind": target["kind"],
        "api": target["api_base_url"],
        "release": target["release"],
        "run": data["run_id"],
        "verdict": data["verdict"],
    }
    (folder / "environment.properties").write_text("".join(f"{name}={value}\n" for name, value in shown.items()))
    (folder / "categories.json").write_text(json.dumps(CATEGORIES, indent=1))


def scrub(out: Path, mask: Callable[[str], str]) -> None:
    """Mask what another plugin wrote by itself, such as a traceback with a connection string."""
    for path in out.rglob("*"):
        if path.is_file() and path.suffix in TEXT_SUFFIXES:
            text = path.read_text(encoding="utf-8", errors="replace")
            masked = mask(text)
            if masked != text:
                path.write_text(masked, encoding="utf-8")


def keep_private(report: Path) -> None:
    """Take everything out of Allure's page that asks another host."""
    text = report.read_text(encoding="utf-8")
    report.write_text(ANALYTICS.sub("", text), encoding="utf-8")


def main() -> ExitCode:
    """Make the page private that is named."""
    if len(sys.argv) != 2:
        print("usage: python -m reports.allure PAGE", file=sys.stderr)
        return ExitCode.USAGE
    keep_private(Path(sys.argv[1]))
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
