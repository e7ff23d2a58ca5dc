"""The summary page in a real browser: opens from disk, filters, links, no error, no request, accessible."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from reports import history, summary
from reports.recovery_schema import SpreadData
from reports.schema import SummaryData
from tests.conftest import ROOT
from tests.recorded import a_verdict

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: chromium); the page was not opened")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        yield (started := playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET))
        started.close()


def data(verdict: str) -> SummaryData:
    """What a run leaves for the page."""
    run = a_verdict(verdict)
    run["release_live_s"] = 12.0
    run["not_judged"] = [{"what": "set RENDER_API_KEY", "set": "RENDER_API_KEY", "checks": 3}]
    if verdict != "pass":
        run["findings"][0]["title"] = "<script>document.title='attacked'</script><img src=x onerror=alert(1)>"
    stages = [("uploaded", "queued", 0.1), ("parsed", "queued", 1.0), ("complete", "done", 2.0)]
    both: SpreadData = {
        "seconds": [3.0, 4.0], "median": 3.5, "low": 3.0, "high": 4.0, "interval": (3.0, 4.0), "coverage": 0.5,
    }  # fmt: skip
    run["recoveries"] = [
        {"drill": "openai_down_for_all_questions_and_embeddings", "target": "openai", "limit_s": 9.0, "parts": {"all": both},
         "unrecovered": ["chat broken"], "missed": True, "earlier": both, "slower_s": 1.0},
    ]  # fmt: skip
    figures = {"median": 10.0, "mean": 11.0, "p95": 250.0, "max": 300.0}
    return {
        "run": run,
        "documents": [{"name": "policy", "outcome": "complete", "seconds": 2.0, "stages": stages, "retry_count": 0}],
        "document_limit_s": 10.0,
        "speedup": 60.0,
        "access": [], "slowest": [("one", 2.0)],
        "suites": {"8.2.1": "Post-Deployment"},
        "response_times": [
            {"name": "GET /health", "section": "s", "targets": [], "count": 40, "figures": figures, "low": 5.0,
             "limits": {"p95": 200.0}, "broken": ["p95"], "nearness": 1.25},
            {"name": "one-page document", "section": "s", "targets": [], "count": 4, "figures": figures, "low": 5.0,
             "limits": {"max": 70000.0}, "broken": [], "nearness": 0.1},
        ],
    }  # fmt: skip


def as_it_is(text: str) -> str:
    """Nothing is masked."""
    return text


@pytest.fixture(params=["fail", "pass", "blocked"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """The page of one verdict, opened from disk, with its complaints and requests."""
    for _ in range(3):
        history.remember(tmp_path, data(request.param)["run"], as_it_is)
    (tmp_path / "checklist.md").write_text("# Checklist")
    summary.write(tmp_path, data(request.param), as_it_is)
    page, trouble = browser.new_page(viewport={"width": 390, "height": 800}), []
    page.on("console", lambda message: trouble.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else trouble.append(asked.url))
    page.goto((tmp_path / "index.html").as_uri())
    yield page, trouble
    page.close()


def test_it_opens_without_error_or_request(opened: tuple[Page, list[str]]) -> None:
    page, trouble = opened
    assert page.locator("h1").inner_text() in ("PASS", "FAIL", "BLOCKED")
    assert "release gate on staging" in page.title()
    assert trouble == []


def test_a_phone_shows_it_without_scrolling_sideways(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_recoveries_are_plotted_over_the_width(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    box = page.locator("svg.strip").first.bounding_box()
    assert box is not None
    assert 250 < box["width"] <= 390
    assert page.locator("svg.strip circle").count() == 2


def test_the_checklist_is_filtered(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    page.fill("#search", "two")
    assert page.locator("li[data-status]:visible").count() == 1
    assert page.locator("#shown").inner_text() == "1 checks shown"
    page.fill("#search", "no such check")
    assert page.locator("details.item:visible").count() == 0
    page.fill("#search", "")
    page.uncheck("input.status[value=failed]")
    assert page.locator("li[data-status=failed]:visible").count() == 0


def test_its_links_lead_somewhere(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    folder = Path(page.url.removeprefix("file://")).parent
    links = [link.get_attribute("href") or "" for link in page.locator("a").all()]
    assert "checklist.md" in links
    assert all((folder / link).exists() for link in links)


def test_what_was_not_judged_and_each_limit_is_shown(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    assert page.get_by_text("3 checks: set RENDER_API_KEY").count() == 1
    assert page.get_by_text("max 300.0 of 70000 ms").count() == 1
    names = page.locator(".row > span:first-child").all_inner_texts()
    assert names.index("GET /health") < names.index("one-page document")


def test_component_evidence_and_next_step_stand_on_the_first_screen(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    if page.locator("h1").inner_text() == "PASS":
        assert page.locator(".finding").count() == 0
        return
    page.set_viewport_size({"width": 1280, "height": 800})
    for text in ("storage", "403 forbidden", "apply the migration"):
        box = page.locator(".finding").first.get_by_text(text).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(opened: tuple[Page, list[str]], scheme: Literal["light", "dark"]) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed; `make test` installs it where Node is")
    page, _ = opened
    page.emulate_media(color_scheme=scheme)
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run()).violations.map(v => [v.id, v.impact, v.nodes[0].html])")
    serious = [violation for violation in found if violation[1] in ("serious", "critical")]
    assert serious == [], json.dumps(serious, indent=1)
