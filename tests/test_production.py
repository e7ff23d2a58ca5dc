"""Staging beside production: what is shared and must not be, and what differs and must not."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.audit_rows import Row, Verdict
from fixtures.production import database_of, project_of
from tests.account import Account, account
from tests.audited import audited, findings_of, healthy
from tests.conftest import ROOT

SOURCE = ROOT / "twin" / "source"
SALT = "production-"
Rows = Callable[..., dict[tuple[str, str], Row]]


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Render's double."""
    with account(healthy(tmp_path_factory.mktemp("account"))) as one:
        yield one


@pytest.fixture
def rows(render: Account, tmp_path: Path) -> Rows:
    """The rows beside a production whose env file is staging's with these values (None: without), of this source tree."""

    def beside(tree: Path | None = SOURCE, **changed: str | None) -> dict[tuple[str, str], Row]:
        config = healthy(tmp_path)
        secret = {name for name in config.api_env if name.endswith(("_KEY", "_PASSWORD"))}
        env = {name: f"{SALT}{value}" if name in secret else value for name, value in config.api_env.items()}
        env |= {
            "API_BASE_URL": "https://navigator.example",
            "DATABASE_URL": "postgresql://postgres.abcdefghijkl:word@pooler.example:6543/postgres",
            "SUPABASE_URL": "https://abcdefghijkl.supabase.co",
        }
        same = {name: config.api_env[name] for name, value in changed.items() if value == "staging's"}
        env |= {name: value for name, value in (changed | same).items() if value is not None}
        lines = [f"{name}='{value}'" for name, value in env.items() if changed.get(name, "") is not None]
        lines += [f"HARNESS_SOURCE_TREE={tree}"] if tree is not None else []
        file = tmp_path / "production.env"
        file.write_text("\n".join(lines) + "\n")
        values = {"HARNESS_PRODUCTION_ENV_FILE": str(file), "HARNESS_SOURCE_TREE": str(SOURCE)}
        found = audited(config, tmp_path, render, **values)
        return {(row.service, row.name): row for row in found.rows if row.kind == "production"}

    return beside


def red(rows: dict[tuple[str, str], Row]) -> list[tuple[str, str]]:
    """Names and codes of the red rows."""
    return [(name, row.code) for (_, name), row in rows.items() if row.fails]


def test_a_production_of_its_own_has_no_red_row(rows: Rows) -> None:
    found = rows()
    assert red(found) == []
    assert found["api", "OPENAI_API_KEY"].verdict is Verdict.DIFFERENT
    assert found["api", "dependencies"].verdict is Verdict.EQUAL
    assert found["api", "schema"].verdict is Verdict.NOT_VISIBLE
    assert found["worker", "region"].verdict is Verdict.NOT_VISIBLE


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("OPENAI_API_KEY", "staging's", [("OPENAI_API_KEY", "audit.shared")]),
        ("SUPABASE_DB_PASSWORD", "staging's", [("SUPABASE_DB_PASSWORD", "audit.shared")]),
        ("DATABASE_URL", "staging's", [("database", "audit.shared")]),
        ("SUPABASE_URL", "staging's", [("project", "audit.shared"), ("bucket files", "audit.shared")]),
        ("RAG_MAX_CHUNKS", "12", [("RAG_MAX_CHUNKS", "audit.apart")]),
    ],
)
def test_what_is_shared_or_differs_is_a_row(rows: Rows, name: str, value: str, wrong: list[tuple[str, str]]) -> None:
    found = rows(**{name: value})
    assert red(found) == wrong
    assert len(findings_of(list(found.values()))) == 1


def test_another_user_of_the_same_database_shares_it(rows: Rows) -> None:
    port = healthy(ROOT).ports["postgres"]
    assert red(rows(DATABASE_URL=f"postgresql://reader:word@localhost:{port + 1}/staging_db")) == [("database", "audit.shared")]


def test_images_and_dependencies_are_compared(rows: Rows, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(SOURCE, tree)
    dockerfile, wanted = tree / "backend/workers/Dockerfile", tree / "requirements-prod.txt"
    dockerfile.write_text(dockerfile.read_text().replace("python:3.11-slim", "python:3.12-slim"))
    wanted.write_text(wanted.read_text() + "httptools==0.6.1\n")
    found = rows(tree)
    assert red(found) == [("dependencies", "audit.apart"), ("base image", "audit.apart")]
    assert found["worker", "base image"].production == "python:3.12-slim"
    assert found["api", "dependencies"].env_file == "httptools missing"
    assert found["api", "dependencies"].production == "httptools ==0.6.1"


def test_what_production_does_not_show_is_not_judged(rows: Rows) -> None:
    found = rows(None, LLAMAPARSE_API_KEY=None)
    assert red(found) == []
    assert found["api", "LLAMAPARSE_API_KEY"].verdict is Verdict.NOT_VISIBLE
    assert found["api", "base image"].verdict is Verdict.NOT_VISIBLE


def test_no_value_of_production_is_shown(rows: Rows) -> None:
    text = str(rows(OPENAI_API_KEY="staging's"))
    assert SALT not in text
    assert "word@" not in text


def test_production_services_are_compared_where_its_key_sees_them(rows: Rows, render: Account) -> None:
    found = rows(RENDER_API_KEY="key-of-a-test", RENDER_BASE_URL=render.url)
    # The double has no services of production.
    assert found["api", "region"].verdict is Verdict.NOT_VISIBLE


@pytest.mark.parametrize(
    ("url", "database", "project"),
    [
        (
            "postgresql://postgres.abcdef:word@pooler.example:6543/postgres",
            "pooler.example/postgres of abcdef",
            "pooler.example:6543",
        ),
        ("https://abcdefghijkl.supabase.co", "abcdefghijkl.supabase.co/", "abcdefghijkl"),
        ("http://[", "", ""),
    ],
)
def test_what_an_address_names(url: str, database: str, project: str) -> None:
    assert database_of(url) == database
    assert project_of(url) == project
