"""8.1.3 Test staging service builds (§1 and §2 Service Details, Build and Runtime Configuration)."""

import shlex
from pathlib import PurePosixPath
from subprocess import CompletedProcess

import pytest

from fixtures.build_filter import filter_of
from fixtures.commands import command_of, image_of, shell_command
from fixtures.engine import Engine
from fixtures.measure import Measure
from fixtures.paths import plain
from fixtures.problems import expect_none
from fixtures.release_files import ReleaseFiles
from fixtures.source import SourceTree, complaint
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from spec import Specification, entries
from spec.model import Service

pytestmark = [
    pytest.mark.predeploy,
    pytest.mark.checklist("8.1.3"),
    pytest.mark.component("build"),
    pytest.mark.needs("source"),
    pytest.mark.about("build.differs"),
]
image = pytest.mark.about("build.differs", "image {service}")
broken = pytest.mark.about("build.broken", "image {service}")
BUILD_SECONDS = 600.0
every_service = each("service", entries.services)


def only_where_installed(source: SourceTree, service: Service, done: CompletedProcess[str]) -> None:
    """Leave out a failed import that says nothing, as this interpreter lacks what the service requires."""
    lacking = source.not_installed(service) if done.returncode else []
    if lacking:
        not_applicable(f"the gate's interpreter lacks what the service requires: {', '.join(lacking)}")


@image
@every_service
def test_the_base_image_is_as_specified(source: SourceTree, spec: Specification, service: str) -> None:
    """§1/§2 Runtime Configuration: base image."""
    wanted = spec.services[service]
    found = image_of(source.dockerfile(wanted).base_image, spec.spellings)
    expect(found, f"FROM in {wanted.dockerfile_path}").equals(wanted.base_image)


@image
@every_service
def test_the_image_starts_the_service(source: SourceTree, spec: Specification, service: str) -> None:
    """§1/§2 Runtime Configuration: start command."""
    wanted = spec.services[service]
    start = source.start(source.dockerfile(wanted))
    agreed = shell_command(wanted.start_command, spec.spellings)
    same = command_of(start, spec.spellings) == agreed
    # Compared by what it does; where it does something else, it is shown as it stands there.
    shown = wanted.start_command if same else shlex.join(start)
    expect(shown, f"CMD in {wanted.dockerfile_path}").equals(wanted.start_command)


@pytest.mark.about("build.differs", "image api")
def test_the_image_opens_the_port(source: SourceTree, spec: Specification) -> None:
    """§1 Networking Configuration: open ports."""
    api = spec.services[spec.service]
    ports = source.dockerfile(api).ports
    expect(ports, f"EXPOSE in {api.dockerfile_path}", subject=f"image {spec.service}").equals(
        sorted(spec.networking.open_ports)
    )


@image
@every_service
def test_the_image_checks_its_health(source: SourceTree, spec: Specification, service: str) -> None:
    """§4 Staging Service Health Checks: the check command, its interval and its timeout."""
    wanted = spec.services[service]
    check = source.dockerfile(wanted).health_check
    place = f"HEALTHCHECK in {wanted.dockerfile_path}"
    agreed = str(wanted.health_check_command)
    does = check is not None and shell_command(check.command, spec.spellings).does(shell_command(agreed, spec.spellings))
    shown = agreed if does else check.command if check else "no check"
    expect(shown, f"command of the {place}").equals(agreed)
    expect(check.interval if check else None, f"interval of the {place} in seconds").equals(spec.health.interval_seconds)
    expect(check.timeout if check else None, f"timeout of the {place} in seconds").equals(spec.health.timeout_seconds)


@image
@every_service
def test_the_image_does_not_run_as_root(source: SourceTree, spec: Specification, service: str) -> None:
    """§6 Network Security: the service needs no root."""
    dockerfile = source.dockerfile(spec.services[service])
    expect(dockerfile.user, f"USER in {dockerfile.path}").satisfies(
        lambda _: not dockerfile.runs_as_root, "to be an unprivileged user"
    )


@image
@every_service
def test_the_image_installs_the_services_requirements(source: SourceTree, spec: Specification, service: str) -> None:
    """§1/§2 Build Configuration: the service's own requirements file."""
    wanted = spec.services[service]
    dockerfile = source.dockerfile(wanted)
    renamed = [new for new, old in dockerfile.renamed.items() if plain(old) == wanted.requirements]
    names = {wanted.requirements, *(PurePosixPath(path).name for path in renamed)}
    run = " ".join(dockerfile.commands)
    installed = [name for name in sorted(names) if name in run]
    expect(installed or run, f"RUN in {wanted.dockerfile_path}").satisfies(
        lambda _: bool(installed), f"to install {wanted.requirements}"
    )


@broken
@every_service
def test_what_the_image_copies_is_there(source: SourceTree, spec: Specification, service: str) -> None:
    """§1/§2 Build Configuration: every COPY finds its source."""
    dockerfile = source.dockerfile(spec.services[service])
    expect(dockerfile.copied, f"sources of COPY in {dockerfile.path}", code="build.differs").is_not_empty()
    missing = [path for path in dockerfile.copied if not source.below([path])]
    expect(missing, f"sources of COPY in {dockerfile.path} that do not exist").is_empty()


@image
@each("service, pattern", entries.included_paths)
def test_the_build_filter_names_something_real(source: SourceTree, service: str, pattern: str) -> None:
    """§1/§2 Build Filter: each included path exists in the source tree."""
    expect(source.matching(pattern), f"files of the {service} under {pattern}").is_not_empty()


@image
@every_service
def test_a_change_of_what_is_copied_triggers_a_build(source: SourceTree, spec: Specification, service: str) -> None:
    """§1/§2 Build Filter: every file of the image lies under an included path."""
    files = source.taken(source.dockerfile(spec.services[service]))
    expect(files, f"files in the {service}'s image").is_not_empty()
    outside = filter_of(spec.services[service]).unnoticed(files)
    expect(outside, f"files in the {service}'s image whose change triggers no build").is_empty()


@pytest.mark.about("build.unnoticed", "image {service}")
@every_service
def test_a_change_of_what_is_imported_triggers_a_build(source: SourceTree, spec: Specification, service: str) -> None:
    """§1/§2 Build Filter: what the service imports lies under an included path, and under no ignored one."""
    wanted = spec.services[service]
    imported = ReleaseFiles(source, wanted).imported
    if not imported:
        not_applicable(f"what the {service} begins with is no module of the source tree")
    outside = filter_of(wanted).unnoticed(imported)
    expect(outside, f"files that the {service} imports and whose change triggers no build").is_empty()


@pytest.mark.about("build.unnoticed", "image {service}")
@every_service
def test_a_change_of_what_the_build_reads_triggers_a_build(source: SourceTree, spec: Specification, service: str) -> None:
    """§1/§2 Build Filter: Dockerfile and requirements lie under an included path, and under no ignored one."""
    wanted = spec.services[service]
    outside = filter_of(wanted).unnoticed(ReleaseFiles(source, wanted).read_by_the_build)
    expect(outside, f"files that the build of the {service} reads and whose change triggers no build").is_empty()


@broken
@every_service
def test_what_is_imported_is_in_the_image(source: SourceTree, spec: Specification, service: str) -> None:
    """§10 Service Startup Failures: the image has every module of the source tree that the service imports (F17)."""
    missing = ReleaseFiles(source, spec.services[service]).not_copied
    expect(missing, f"modules that the {service} imports and its image lacks").is_empty()


@image
@every_service
def test_the_requirements_are_bounded(source: SourceTree, spec: Specification, service: str) -> None:
    """§9 Dependency Updates: each requirement has a range, so that a build today is a build tomorrow."""
    wanted = spec.services[service]
    path = wanted.requirements
    requirements = source.requirements(path, source.dockerfile(wanted).constraints)
    expect(requirements.found, f"requirements of {path}").is_not_empty()
    expect(requirements.without_version, f"requirements of {path} without a version").is_empty()


@broken
@every_service
def test_the_requirements_resolve(source: SourceTree, spec: Specification, service: str) -> None:
    """§10 Service Startup Failures: the requirements have no conflict (F17)."""
    path = spec.services[service].requirements
    done = source.resolve(path)
    expect_none(complaint(done), f"pip's complaints about {path}", path)


@pytest.mark.about("build.broken", "image worker")
@promised("pipeline")
def test_the_worker_imports(source: SourceTree, spec: Specification) -> None:
    """§4 Worker Service Health Checks: import validation (F17)."""
    worker = spec.services[spec.pipeline.worker]
    done = source.run_worker_check(worker)
    only_where_installed(source, worker, done)
    expect_none(complaint(done), "errors of the worker's import check")
    expect(done.stdout.strip(), "output of the worker's import check", code="build.differs").equals(worker.health_check_output)


@pytest.mark.about("target.slow", "image worker")
@promised("pipeline")
def test_the_worker_check_is_quick(source: SourceTree, spec: Specification, measure: Measure) -> None:
    """§4 Worker Service Health Checks: timeout."""
    seconds = measure.clock(lambda: source.run_worker_check(spec.services[spec.pipeline.worker]))
    expect(seconds, "seconds of the worker's import check").is_at_most(spec.health.timeout_seconds)


@broken
@each("service", entries.importable)
def test_the_api_imports(source: SourceTree, spec: Specification, service: str) -> None:
    """§10 Service Startup Failures: the API's modules import (F17)."""
    done = source.imports(spec.services[service])
    only_where_installed(source, spec.services[service], done)
    expect_none(complaint(done), "errors of importing the API")


@pytest.mark.about("build.secret", "image {service}")
@every_service
def test_no_secret_is_in_the_image(source: SourceTree, spec: Specification, service: str) -> None:
    """§6 API Keys: keys come from the environment, never from the Dockerfile."""
    dockerfile = source.dockerfile(spec.services[service])
    found = [name for name, variable in spec.variables.items() if variable.is_secret and name in dockerfile.settings]
    expect(found, f"secrets with a value in {dockerfile.path}").is_empty()


@broken
@every_service
def test_the_image_builds(source: SourceTree, spec: Specification, service: str) -> None:
    """§1/§2 Build Configuration: docker build."""
    done = Engine(BUILD_SECONDS).build(spec.services[service].build_command, source.root)
    expect_none(complaint(done), "errors of docker build")
