"""Completes Allure's results: environment, categories from the diagnosis rules, and a last look for secrets."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import allure_commons

from gate.masking import mask
from gate.session import Session
from reports.diagnosis import rules

VEIL = "gate-veil"
TEXT_SUFFIXES = {".json", ".txt", ".xml", ".md", ".properties", ".html", ".csv", ".svg", ".jsonl", ".log"}


def complete(folder: Path, session: Session, data: dict[str, Any]) -> None:
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


class Veil:
    """Hears of every result before Allure writes it, and masks what allure-pytest took from the exceptions themselves."""

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: Any) -> None:
        """A check's result."""
        _mask_in(result)

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: Any) -> None:
        """What fixtures did before and after."""
        _mask_in(container)


def _mask_in(item: Any) -> None:
    for name, value in vars(item).items():
        if isinstance(value, str):
            setattr(item, name, mask(value))
        elif isinstance(value, list):
            setattr(item, name, [mask(one) if isinstance(one, str) else one for one in value])
        for one in value if isinstance(value, list) else [value]:
            if hasattr(one, "__attrs_attrs__"):
                _mask_in(one)


def veil() -> None:
    """Put the veil before Allure's writer, once in a process."""
    manager = allure_commons.plugin_manager
    if not manager.has_plugin(VEIL):
        manager.register(Veil(), VEIL)


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
