"""Completes Allure's results: environment, categories from the diagnosis rules, and a last look for secrets."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from fixtures.masking import mask
from fixtures.run import Run
from reports.diagnosis import rules

TEXT_SUFFIXES = {".json", ".txt", ".xml", ".md", ".properties", ".html", ".csv", ".svg", ".jsonl", ".log"}


def complete(folder: Path, run: Run, data: dict[str, Any]) -> None:
    """Write environment.properties and categories.json beside the results."""
    shown = {
        "target": data["target"]["name"],
        "kind": run.kind,
        "api": data["target"]["api_base_url"],
        "release": data["commit"],
        "run": run.run_id,
        "verdict": data["verdict"],
    }
    (folder / "environment.properties").write_text("".join(f"{k}={v}\n" for k, v in shown.items()))
    categories = [{"name": title, "messageRegex": pattern} for title, pattern in rules().categories.items()]
    categories.append({"name": "Blocked: the ground of the check is gone", "messageRegex": r"(?s).*BLOCKED\[.*"})
    (folder / "categories.json").write_text(json.dumps(categories, indent=1))


def scrub(out: Path) -> None:
    """Mask what another plugin wrote by itself, such as a traceback with a connection string."""
    for path in out.rglob("*"):
        if path.is_file() and path.suffix in TEXT_SUFFIXES:
            text = path.read_text(encoding="utf-8", errors="replace")
            masked = mask(text)
            if masked != text:
                path.write_text(masked, encoding="utf-8")


# Allure's page would tell a third party that it was opened.
ANALYTICS = re.compile(r"<script async src=\"https://www\.googletagmanager\.com/[^>]*></script>\s*<script>.*?</script>", re.S)


def keep_private(report: Path) -> None:
    """Take everything out of Allure's page that asks another host."""
    text = report.read_text(encoding="utf-8")
    report.write_text(ANALYTICS.sub("", text), encoding="utf-8")


if __name__ == "__main__":
    keep_private(Path(sys.argv[1]))
