"""9.3 Security Review, of builds: Dockerfiles, requirements and what is known of them (§1/§2 Build Configuration, §9)."""

import shlex

import pytest

from fixtures.engine import Engine, image_named_by
from fixtures.lint import Linter
from fixtures.own_environment import OwnEnvironment
from fixtures.packages import Packages
from fixtures.problems import expect_none
from fixtures.source import IMPORT_ALL, SourceTree, complaint
from fixtures.vulnerabilities import Vulnerabilities
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, entries

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("9.3"),
    pytest.mark.component("build"),
    pytest.mark.needs("source"),
    promised("builds"),
]
every_service = each("service", entries.services)


@pytest.fixture(scope="module")
def linter(spec: Specification) -> Linter:
    """The linter, proven to see a fault."""
    found = Linter(spec.builds.lint)
    found.require_sight()
    return found


@pytest.fixture(scope="module")
def packages(session: Session, source: SourceTree) -> Packages:
    """What builds would install."""
    return Packages(session, source)


@pytest.fixture(scope="module")
def vulnerabilities(session: Session) -> Vulnerabilities:
    """A database of vulnerabilities, proven to know one."""
    found = Vulnerabilities(session)
    found.require_sight()
    return found


@pytest.fixture(scope="module")
def own(session: Session, packages: Packages) -> OwnEnvironment:
    """The services' own packages."""
    return OwnEnvironment(session, packages)


@pytest.fixture(scope="module")
def engine(spec: Specification) -> Engine:
    """A container engine of this machine."""
    return Engine(spec.builds.image_seconds)


@pytest.fixture
def image(engine: Engine, source: SourceTree, spec: Specification, service: str) -> str:
    """The name of a service's image, built from the source tree."""
    command = spec.services[service].build_command
    expect_none(complaint(engine.build(command, source.root)), f"errors of building the {service}'s image")
    return image_named_by(command)


@pytest.mark.about("build.lint", "image {service}")
@every_service
def test_the_dockerfile_has_no_fault(source: SourceTree, linter: Linter, spec: Specification, service: str) -> None:
    """§1/§2 Build Configuration: the Dockerfile keeps hadolint's rules."""
    path = source.dockerfile(spec.services[service]).path
    faults = linter.faults((source.root / path).read_text(encoding="utf-8-sig", errors="replace"))
    expect(faults, f"faults of {path}", hint=path).is_empty()


@pytest.mark.about("build.conflict", "image {service}")
@every_service
def test_the_requirements_have_a_solution(packages: Packages, spec: Specification, service: str) -> None:
    """§9 Dependency Updates: a build of today finds versions that go together (F17)."""
    expect(packages.pins(spec.services[service]), f"packages that a build of the {service} installs").is_not_empty()


@pytest.mark.about("build.vulnerable", "image {service}")
@every_service
def test_no_package_has_a_known_vulnerability(
    packages: Packages, vulnerabilities: Vulnerabilities, spec: Specification, service: str
) -> None:
    """§9 Security Updates: no package that a build installs has a known vulnerability, apart from those accepted for a time."""
    known = vulnerabilities.known(packages.pins(spec.services[service]))
    expect(known, f"known vulnerabilities of what a build of the {service} installs").is_empty()


@pytest.mark.about("build.broken", "image worker")
@promised("pipeline")
def test_the_worker_imports_in_its_own_environment(own: OwnEnvironment, source: SourceTree, spec: Specification) -> None:
    """§4 Worker Service Health Checks: import validation with the packages of its requirements and no others (F17)."""
    worker = spec.services[spec.pipeline.worker]
    done = source.run_worker_check(worker, own.site(worker))
    expect_none(complaint(done), "errors of the worker's import check among its own packages")
    expect(done.stdout.strip(), "output of the worker's import check", code="build.differs").equals(worker.health_check_output)


@pytest.mark.about("build.broken", "image {service}")
@each("service", entries.importable)
def test_the_service_imports_in_its_own_environment(
    own: OwnEnvironment, source: SourceTree, spec: Specification, service: str
) -> None:
    """§10 Service Startup Failures: its modules import with the packages of its requirements and no others (F17)."""
    done = source.imports(spec.services[service], own.site(spec.services[service]))
    expect_none(complaint(done), f"errors of importing the {service} among its own packages")


@pytest.mark.about("build.broken", "image {service}")
@every_service
def test_the_image_is_of_a_right_size(engine: Engine, image: str, spec: Specification, service: str) -> None:
    """§1/§2 Build Configuration: an image that the plan's host can pull in time."""
    expect(round(engine.megabytes(image)), f"megabytes of the {service}'s image").is_at_most(spec.builds.most_megabytes)


@pytest.mark.about("build.broken", "image worker")
@pytest.mark.parametrize("service", ["worker"])
@promised("pipeline")
def test_the_image_runs_the_workers_check(engine: Engine, image: str, spec: Specification, service: str) -> None:
    """§4 Worker Service Health Checks: the check command succeeds in a container of the image (F17)."""
    worker = spec.services[service]
    done = engine.try_command(image, shlex.split(str(worker.health_check_command)))
    expect_none(complaint(done), "errors of the worker's import check in its image")
    expect(done.stdout.strip(), "output of the worker's import check", code="build.differs").equals(worker.health_check_output)


@pytest.mark.about("build.broken", "image {service}")
@each("service", entries.importable)
def test_the_image_imports_the_service(engine: Engine, image: str, spec: Specification, service: str) -> None:
    """§10 Service Startup Failures: the service's modules import in a container of its image (F17)."""
    done = engine.try_command(image, ["python", "-c", IMPORT_ALL, str(spec.services[service].import_module)])
    expect_none(complaint(done), f"errors of importing the {service} in its image")
