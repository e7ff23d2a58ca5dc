"""8.1.3 Test staging service builds: the host describes each service as specified (§1 and §2 Service Details)."""

import pytest

from fixtures.paths import plain
from fixtures.render import Render
from gate.http import expect
from gate.selection import each, promised
from spec import Specification, entries

pytestmark = [
    pytest.mark.predeploy,
    pytest.mark.checklist("8.1.3"),
    pytest.mark.component("render"),
    promised("platform"),
]
every_service = each("service", entries.services)


@pytest.mark.about("platform.differs", "detail {service} {detail}")
@each("service, detail", entries.platform_details)
def test_render_describes_the_service_as_specified(render: Render, spec: Specification, service: str, detail: str) -> None:
    """§1/§2 Service Details: Render's own description (F36)."""
    wanted, path = spec.services[service], spec.platform.details[detail]
    hint = f"Render's dashboard, {wanted.name}, Settings"
    agreed, found = getattr(wanted, detail), render.detail(wanted.name, path)
    # Paths are compared by what they match; where they match something else, they are shown as they stand there.
    same = detail in spec.platform.paths and meaning(found) == meaning(agreed)
    shown = render.comparable(agreed) if same else found
    expect(shown, f"{path} of {wanted.name}", hint).equals(render.comparable(agreed))


def meaning(paths: object) -> object:
    """Paths by what they match: in one spelling, each once; no list is an empty one."""
    if isinstance(paths, str):
        return plain(paths)
    return {plain(str(path)) for path in paths} if isinstance(paths, list) else set()


@pytest.mark.about("platform.suspended", "service {service}")
@every_service
def test_the_service_is_not_suspended(render: Render, spec: Specification, service: str) -> None:
    """§7 Service Creation: the service is there and not suspended."""
    found = render.detail(spec.services[service].name, spec.platform.suspension)
    expect(found, f"suspension of the {service}").equals(spec.platform.not_suspended)
