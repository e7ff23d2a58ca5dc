"""The summary page as text, where no browser is at hand: every state is drawn, and nothing of the target is markup."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.exit_codes import ExitCode
from gate.history import folder_of
from reports import history, summary
from tests.test_page import as_it_is, data


@pytest.mark.parametrize("verdict", ["fail", "pass", "blocked"])
def test_each_verdict_is_drawn(tmp_path: Path, verdict: str) -> None:
    for _ in range(2):
        history.remember(tmp_path, data(verdict)["run"], as_it_is)
    with (folder_of(tmp_path) / history.FILE).open("a") as file:
        file.write("[]\nno json\n{}\n")
    summary.write(tmp_path, data(verdict), as_it_is)
    text = (tmp_path / "index.html").read_text()
    assert f"<h1>{verdict.upper()}</h1>" in text
    assert "<script>document.title" not in text
    assert "3 checks: set RENDER_API_KEY" in text
    assert text.index("GET /health") < text.index("one-page document")
    assert "The last 2 runs on staging" in text


def test_a_status_without_checks_is_drawn(tmp_path: Path) -> None:
    found = data("pass")
    found["run"]["checklist"] = [
        {"id": "8.2.1", "title": "Health", "status": "not run", "checks": []},
        {"id": "8.2.1", "title": "Health", "status": "not judged", "checks": found["run"]["checklist"][0]["checks"]},
    ]
    summary.write(tmp_path, found, as_it_is)
    text = (tmp_path / "index.html").read_text()
    assert 'class="not-run"' in text
    assert 'class="not-judged"' in text


def test_what_a_run_left_is_masked(tmp_path: Path) -> None:
    summary.write(tmp_path, data("fail"), lambda text: text.replace("apply the migration", "[MASKED]"))
    assert "apply the migration" not in (tmp_path / "index.html").read_text()


def test_without_a_run_there_is_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["summary", str(tmp_path)])
    assert summary.main() == ExitCode.USAGE
    assert "run the gate first" in capsys.readouterr().err
