"""Which settings each check takes is found without a target, and agrees with what a run does without them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.rehearsal import Needs, required_settings
from proof.gate_run import read_verdict
from proof.targets import Target, running
from spec import DEFAULT
from tests.conftest import ROOT, Pytest

CLINIC = ROOT / "spec" / "clinic" / "specification.toml"
MODULE = "acceptance/predeploy/test_api_keys.py"
LEFT_OUT = frozenset({"OPENAI_API_KEY", "SUPABASE_ANON_KEY", "LLAMAPARSE_API_KEY"})


@pytest.fixture(scope="module")
def needs() -> list[Needs]:
    """All checks with the settings that they take."""
    return required_settings(DEFAULT)


def settings_of(needs: list[Needs], part: str) -> list[set[str]]:
    """Settings of the checks whose id holds this."""
    return [set(one.settings) for one in needs if part in one.check]


@pytest.mark.parametrize(
    ("part", "settings"),
    [
        ("test_render_describes_the_service_as_specified", {"RENDER_API_KEY"}),
        ("test_the_base_image_is_as_specified", {"HARNESS_SOURCE_TREE"}),
        ("test_anthropic_accepts_the_key", {"ANTHROPIC_API_KEY"}),
        ("test_both_services_agree", {"HARNESS_WORKER_ENV_FILE"}),
        ("test_the_table_exists", {"DATABASE_URL"}),
        ("test_an_old_protocol_is_refused", set()),
    ],
)
def test_a_check_takes_what_its_parts_take(needs: list[Needs], part: str, settings: set[str]) -> None:
    found = settings_of(needs, part)
    assert found
    assert all(one == settings for one in found)


def test_what_follows_a_user_is_found_too(needs: list[Needs]) -> None:
    users = {"SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY"}
    assert all(one >= users for one in settings_of(needs, "test_a_valid_token_is_accepted"))
    assert all(
        one >= users | {"SUPABASE_JWT_SECRET"} for one in settings_of(needs, "test_a_token_with_wrong_claims_is_refused")
    )
    assert all(one >= users | {"DATABASE_URL"} for one in settings_of(needs, "test_the_document_completes"))


def test_another_system_is_rehearsed_too() -> None:
    taken = {name for one in required_settings(CLINIC) for name in one.settings}
    assert "DATABASE_URL" in taken
    assert "SUPABASE_URL" not in taken


@pytest.fixture(scope="module")
def twin() -> Iterator[Target]:
    """A healthy twin as a live target."""
    with running() as target:
        yield target


def test_a_run_without_settings_judges_as_many_checks_less(
    gate: Pytest, tmp_path: Path, twin: Target, needs: list[Needs]
) -> None:
    partial = tmp_path / "partial.env"
    lines = twin.env_file.read_text().splitlines(keepends=True)
    partial.write_text("".join(line for line in lines if line.partition("=")[0] not in LEFT_OUT))
    gate(MODULE, "--target", "live", "--env-file", str(partial))
    wanted = [one for one in needs if one.check.startswith(MODULE) and LEFT_OUT & set(one.settings)]
    assert read_verdict(tmp_path / "out").counts["not_judged"] == len(wanted)
