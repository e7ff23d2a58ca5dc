"""Every tolerance is needed: without it a system that is different and right is judged to be wrong.

The other half, that the same system is green with it, is what `make variants` shows.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from gate.exit_codes import ExitCode
from tests.copies import Copy

pytestmark = pytest.mark.twin
SPEC = "spec/navigator/staging.toml"
DATABASE = "acceptance/predeploy/test_database_configuration.py"
ACCESS = "acceptance/predeploy/test_database_access.py"
BUILDS = "acceptance/predeploy/test_service_builds.py"
HEALTH = "acceptance/postdeploy/test_health_checks.py"
NETWORK = "acceptance/security/test_network.py"
DATA = "acceptance/security/test_data.py"
WORKER = "acceptance/postdeploy/test_worker_processing.py"


@dataclass(frozen=True)
class Tolerance:
    """A text of a file, what stands there without the tolerance, the variant that needs it, and the check that then fails."""

    file: str
    text: str
    narrower: str
    variant: str
    module: str
    check: str


TOLERANCES = (
    Tolerance(
        SPEC,
        '"a text" = ["text", "character varying", "character", "citext", "an enumeration"]',
        '"a text" = ["text"]',
        "V24",
        DATABASE,
        "test_the_column_has_its_type",
    ),
    Tolerance(SPEC, '"citext", "bytea"]', '"citext"]', "W18", DATABASE, "test_the_column_has_its_type"),
    Tolerance(
        SPEC,
        '["vector_cosine_ops", "halfvec_cosine_ops"]',
        '["vector_cosine_ops"]',
        "V29",
        DATABASE,
        "test_the_embedding_has_an_approximate_index",
    ),
    Tolerance(
        SPEC, '["docker.io/library/", "docker.io/", "library/"]', "[]", "V11", BUILDS, "test_the_base_image_is_as_specified"
    ),
    Tolerance(
        SPEC,
        '["exec", "env", "tini --", "tini", "dumb-init --", "dumb-init", "python -m"]',
        '["exec"]',
        "V15",
        BUILDS,
        "test_the_image_starts_the_service",
    ),
    Tolerance(SPEC, '["v", "build", "named"]', "[]", "V65", HEALTH, "test_the_version_is_the_specified_one"),
    Tolerance(
        "fixtures/constraints.py", "(1, i.indnkeyatts)", "(1, i.indnatts)", "V28", DATABASE, "test_the_primary_key_is_as_agreed"
    ),
    Tolerance(
        "fixtures/requirements.py", 'CONTINUED.sub("", line)', "line", "V20", BUILDS, "test_the_requirements_are_bounded"
    ),
    Tolerance(
        "fixtures/source.py", "if path not in ignored]", "]", "V17", BUILDS, "test_a_change_of_what_is_copied_triggers_a_build"
    ),
    Tolerance(
        "fixtures/policies.py",
        "WHEN r = 0 THEN true",
        "WHEN r = 0 THEN false",
        "V33",
        ACCESS,
        "test_a_policy_lets_the_service_role_see_all_rows",
    ),
    Tolerance(
        SPEC,
        "further_open_routes = true",
        "further_open_routes = false",
        "W37",
        DATA,
        "test_every_described_endpoint_wants_a_token",
    ),
    Tolerance(
        SPEC,
        "unknown_page_statuses = [401, 403, 404, 405]",
        "unknown_page_statuses = [404, 405]",
        "W38",
        DATA,
        "test_an_unknown_page_shows_nothing",
    ),
    Tolerance(SPEC, "own_origins = true", "own_origins = false", "W39", NETWORK, "test_a_foreign_page_may_not_call_the_api"),
    Tolerance(
        SPEC,
        "host_redirects = [301, 302, 303, 307, 308]",
        "host_redirects = []",
        "W40",
        NETWORK,
        "test_a_foreign_host_is_refused",
    ),
    Tolerance(
        SPEC,
        "certificate_share_left = 0.25",
        "certificate_share_left = 1",
        "W45",
        NETWORK,
        "test_the_certificate_is_not_about_to_expire",
    ),
    Tolerance(SPEC, "hashes_of_more = true", "hashes_of_more = false", "W47", WORKER, "test_the_chunk_hashes_are_right"),
    Tolerance(SPEC, "further_words = true", "further_words = false", "W49", WORKER, "test_completion_sets_state_and_document"),
    Tolerance(
        NETWORK,
        r'VERSION = r"/\s*v?\d|\bv?\d+\.\d"',
        r'VERSION = r"\d"',
        "V48",
        NETWORK,
        "test_no_server_software_is_named_with_its_version",
    ),
)


# Those of a line are tried on one twin, which is all of these variants: the check of each must fail.
TOGETHER = (
    ("V11", "V17", "V29"),
    ("V20", "V24", "V28", "V33"),
    ("W37", "W39", "W40", "W45", "W47", "W49"),
    ("W18", "W38", "V48"),
    ("V15", "V65"),
)


def test_every_tolerance_is_tried() -> None:
    assert sorted(variant for line in TOGETHER for variant in line) == sorted(each.variant for each in TOLERANCES)


@pytest.mark.parametrize("variants", TOGETHER, ids="+".join)
def test_variants_are_red_without_their_tolerances(tmp_path: Path, variants: tuple[str, ...]) -> None:
    copy, tried = Copy(tmp_path / "project"), [each for each in TOLERANCES if each.variant in variants]
    for tolerance in tried:
        copy.replace(tolerance.file, tolerance.text, tolerance.narrower)
    checks = {f"{each.module}::{each.check}" for each in tried}
    done = copy.gate(*(f"--variant={name}" for name in variants), *sorted(checks))
    assert done.returncode == ExitCode.FAIL, done.stdout
    assert failed(copy.folder / "out") == checks, done.stdout


def failed(out: Path) -> set[str]:
    """The checks that failed in a run, without their parameters."""
    tests = json.loads((out / "ctrf.json").read_text())["results"]["tests"]
    return {test["name"].partition("[")[0] for test in tests if test["status"] == "failed"}
