"""The results of the run before are gone when those of this one are written."""

from __future__ import annotations

from pathlib import Path

from reports import previous


def test_old_results_are_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (*previous.FOLDERS, "history"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "old.txt").write_text("old")
    for name in (*previous.FILES, "fault-matrix.json"):
        (tmp_path / name).write_text("old")
    (tmp_path / f"{previous.ASIDE}of-a-killed-run").mkdir()
    previous.remove_files(tmp_path)
    removal = previous.remove_folders(tmp_path)
    assert not any((tmp_path / name).exists() for name in (*previous.FOLDERS, *previous.FILES)), "not gone at once"
    removal.join()
    assert {path.name for path in tmp_path.iterdir()} == {"history", "fault-matrix.json"}


def test_a_folder_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    previous.remove_folders(tmp_path / "out").join()
    assert list((tmp_path / "out").iterdir()) == []
