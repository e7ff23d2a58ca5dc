"""Release N+1 of the twin: what it changes fits release N, and its migration has a way back."""

from pathlib import Path

from twin import plan, release_next


def test_what_release_n_plus_1_changes_is_in_release_n(tmp_path: Path) -> None:
    made = plan.make(tmp_path, 60.0)
    for change in release_next.changes():
        assert change["old"] in (made.source / change["path"]).read_text()


def test_it_stands_beside_release_n_or_takes_its_place(tmp_path: Path) -> None:
    made = plan.make(tmp_path, 60.0)
    made.change_next("main.py", "import", "# N+1\nimport")
    before, commit = (made.source / "api" / "jobs.py").read_text(), made.config.commit
    tree = release_next.stand_by(made)
    assert (made.source / "api" / "jobs.py").read_text() == before != (tree / "api" / "jobs.py").read_text()
    assert "# N+1" in (tree / "main.py").read_text()
    assert made.config.operator_env["HARNESS_NEXT_TREE"] == str(tree)
    release_next.deploy(made)
    assert (made.source / "api" / "jobs.py").read_text() == (tree / "api" / "jobs.py").read_text()
    assert made.config.commit == made.config.operator_env["HARNESS_EXPECTED_COMMIT"] != commit


def test_each_migration_beyond_release_n_has_a_way_back(tmp_path: Path) -> None:
    made = plan.make(tmp_path, 60.0)
    tree = release_next.stand_by(made)
    names = [{path.name for path in (root / "supabase" / "migrations").glob("*.sql")} for root in (made.source, tree)]
    assert names[1] > names[0]
    assert names[1] - names[0] <= {path.name for path in (tree / "supabase" / "rollbacks").iterdir()}
