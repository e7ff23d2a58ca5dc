"""Every tolerance is needed: without it a system that is different and right is judged to be wrong.

The other half, that the same system is green with it, is what `make variants` shows.
"""

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
    """A text of a file, what stands there without the tolerance, the variant that needs it, and the checks that then fail."""

    file: str
    text: str
    narrower: str
    variant: str
    checks: str

    def __str__(self) -> str:
        return f"{self.variant}-{Path(self.file).stem}"


TOLERANCES = (
    Tolerance(
        SPEC,
        '"a text" = ["text", "character varying", "character", "citext", "an enumeration"]',
        '"a text" = ["text"]',
        "V24",
        DATABASE,
    ),
    Tolerance(SPEC, '"citext", "bytea"]', '"citext"]', "W18", DATABASE),
    Tolerance(SPEC, '["vector_cosine_ops", "halfvec_cosine_ops"]', '["vector_cosine_ops"]', "V29", DATABASE),
    Tolerance(SPEC, '["docker.io/library/", "docker.io/", "library/"]', "[]", "V11", BUILDS),
    Tolerance(SPEC, '["exec", "env", "tini --", "tini", "dumb-init --", "dumb-init", "python -m"]', '["exec"]', "V15", BUILDS),
    Tolerance(SPEC, '["v", "build", "named"]', "[]", "V65", HEALTH),
    Tolerance("fixtures/constraints.py", "(1, i.indnkeyatts)", "(1, i.indnatts)", "V28", DATABASE),
    Tolerance("fixtures/requirements.py", 'CONTINUED.sub("", line)', "line", "V20", BUILDS),
    Tolerance("fixtures/source.py", "if path not in ignored]", "]", "V17", BUILDS),
    Tolerance("fixtures/policies.py", "WHEN r = 0 THEN true", "WHEN r = 0 THEN false", "V33", ACCESS),
    Tolerance(SPEC, "further_open_routes = true", "further_open_routes = false", "W37", DATA),
    Tolerance(SPEC, "unknown_page_statuses = [401, 403, 404, 405]", "unknown_page_statuses = [404, 405]", "W38", DATA),
    Tolerance(SPEC, "own_origins = true", "own_origins = false", "W39", NETWORK),
    Tolerance(SPEC, "host_redirects = [301, 302, 303, 307, 308]", "host_redirects = []", "W40", NETWORK),
    Tolerance(SPEC, "certificate_share_left = 0.25", "certificate_share_left = 1", "W45", NETWORK),
    Tolerance(SPEC, "hashes_of_more = true", "hashes_of_more = false", "W47", WORKER),
    Tolerance(SPEC, "further_words = true", "further_words = false", "W49", WORKER),
    Tolerance(NETWORK, r'VERSION = r"/\s*v?\d|\bv?\d+\.\d"', r'VERSION = r"\d"', "V48", NETWORK),
)


@pytest.mark.parametrize("tolerance", TOLERANCES, ids=str)
def test_a_variant_is_red_without_the_tolerance(tmp_path: Path, tolerance: Tolerance) -> None:
    copy = Copy(tmp_path / "project")
    copy.replace(tolerance.file, tolerance.text, tolerance.narrower)
    done = copy.gate(f"--variant={tolerance.variant}", tolerance.checks)
    assert done.returncode == ExitCode.FAIL, done.stdout
