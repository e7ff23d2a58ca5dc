"""Settings: what is wrong is named in one line, and no secret is shown."""

from pathlib import Path

import pytest

from gate import settings
from gate.settings import ConfigurationError
from spec import load


def test_a_missing_url_is_named() -> None:
    with pytest.raises(ConfigurationError, match="API_BASE_URL is missing"):
        settings.build(load(), {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_BASE_URL", "localhost:8000"),
        ("API_BASE_URL", "https://"),
        ("API_BASE_URL", "https://host:port"),
        ("API_BASE_URL", "https://ho st"),
        ("SUPABASE_URL", "ftp://host"),
        ("DATABASE_URL", "mysql://user:a-secret-word@host/db"),
        ("HARNESS_SPEEDUP", "quick"),
    ],
)
def test_a_malformed_value_is_named_and_not_shown(values: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        settings.build(load(), values | {name: value})
    assert name in str(error.value)
    assert "a-secret-word" not in str(error.value)
    assert "\n" not in str(error.value)


def test_secrets_are_not_in_the_representation(values: dict[str, str]) -> None:
    assert "a-long-password" not in repr(settings.build(load(), values))


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.env"
    file.write_text("A=1\nB=2\nthis is no assignment !\n")
    with pytest.raises(ConfigurationError, match="line 3"):
        settings.read_env_file(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.env"):
        settings.read_env_file(tmp_path / "nowhere.env")


def test_quotes_and_line_ends_survive(tmp_path: Path) -> None:
    file = tmp_path / "x.env"
    file.write_text("A=\"x\\n\"\nB='y '\nC=\n")
    assert settings.read_env_file(file) == {"A": "x\n", "B": "y ", "C": ""}


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"SUPABASE_URL": "https://production-project.supabase.co"}, ["SUPABASE_URL"]),
        ({"DATABASE_URL": "postgresql://u:p@prod-db:5432/x"}, ["DATABASE_URL"]),
        ({"DATABASE_URL": "postgresql://u:live-prod-word@staging-db:5432/x"}, []),
        ({"ENVIRONMENT": "production"}, ["ENVIRONMENT"]),
        ({"API_BASE_URL": "https://products.example.com"}, []),
        ({"API_BASE_URL": "https://staging.accessa.ai"}, []),
    ],
)
def test_production_is_recognised(values: dict[str, str], found: list[str]) -> None:
    assert settings.production_markers(values, load()) == found
