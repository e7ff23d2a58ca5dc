"""9.4 Configuration Audit, of the build filter: would a change build the service anew? (§1/§2 Build Filter)."""

import pytest

from fixtures.build_filter import BuildFilter
from fixtures.commits import SETTING, changed_files
from fixtures.platform_filter import filter_at
from fixtures.rebuilds import Rebuild
from fixtures.release_files import ReleaseFiles
from fixtures.render import Render
from fixtures.source import SourceTree
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, entries

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("9.4"),
    pytest.mark.component("build"),
    pytest.mark.needs("source"),
    pytest.mark.about("build.unnoticed", "image {service}"),
    promised("builds"),
]
every_service = each("service", entries.services)


@every_service
@promised("platform")
def test_the_platforms_filter_sees_what_the_service_is_made_of(
    render: Render, source: SourceTree, spec: Specification, service: str
) -> None:
    """§1/§2 Build Filter: the filter that is set at the host sees a change of every file that the service is made of."""
    outside = filter_at(render, spec, service).unnoticed(ReleaseFiles(source, spec.services[service]).all)
    what = f"files that the {service} is made of and whose change triggers no build at the host"
    expect(outside, what, component="render").is_empty()


@every_service
def test_the_release_builds_the_service_anew(session: Session, source: SourceTree, spec: Specification, service: str) -> None:
    """§1/§2 Build Filter: a release that changes a file of the service builds it anew."""
    commits = session.settings.text(SETTING)
    if not commits:
        not_applicable("no commits were named whose changes would be deployed: --commit-range A..B")
    changed = changed_files(source.root, commits)
    rebuild = Rebuild.of(service, changed, _filter(session, spec, service), ReleaseFiles(source, spec.services[service]).all)
    session.evidence.attach("rebuild", str(rebuild))
    expect(rebuild.own if rebuild.is_missed else [], f"changed files of the {service}, which is not rebuilt").is_empty()


def _filter(session: Session, spec: Specification, service: str) -> BuildFilter:
    """The filter that is set at the host, or the specification's where the host cannot be asked."""
    known = spec.has("platform") and session.settings.has("RENDER_API_KEY")
    return filter_at(Render(session) if known else None, spec, service)
