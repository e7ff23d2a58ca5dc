"""9.5 Update Procedures: what a date bounds is updated before it (§9 Update Procedures)."""

from datetime import UTC, datetime

import pytest

from fixtures.updates import DAY, Updates
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, entries

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("9.5"),
    pytest.mark.component("build"),
    promised("updates"),
]


@pytest.fixture
def updates(session: Session) -> Updates:
    """What can be updated of the target."""
    return Updates(session)


@pytest.mark.about("build.unsupported", "image {service}")
@pytest.mark.needs("source")
@each("service", entries.services)
def test_the_base_image_gets_security_updates(updates: Updates, session: Session, spec: Specification, service: str) -> None:
    """§9 Security Updates: the image that a service starts from is supported for a while."""
    image = updates.image(spec.services[service])
    session.observe(f"base image of the {service}", f"{image.name}:{image.tag}")
    until = image.supported_until(spec.updates.supported)
    if until is None:
        not_applicable(f"no end of support is stated for {image.name}:{image.tag}")
    left = (until - datetime.now(UTC).date()).days
    what, hint = f"days of support left of {image.name}:{image.version}", "the FROM line of the Dockerfile"
    expect(left, what, hint, facts={"days": left}).is_at_least(spec.updates.image_days_left)


@pytest.mark.about("key.expiring", "key {name}")
@pytest.mark.component("supabase")
@each("name", lambda spec: spec.updates.keys)
def test_the_key_does_not_end_soon(updates: Updates, session: Session, spec: Specification, name: str) -> None:
    """§9 Security Updates: a key that says when it ends is replaced before that."""
    session.settings.needed(name)
    claims = updates.claims(name)
    if "exp" not in claims:
        not_applicable(f"{name} does not say when it ends")
    left = round((claims["exp"] - datetime.now(UTC).timestamp()) / DAY)
    expect(left, f"days until {name} ends", "the project's page of keys", facts={"days": left}).is_at_least(
        spec.updates.key_days_left
    )


@pytest.mark.about("db.missing")
@pytest.mark.component("database")
@pytest.mark.needs("source", "database")
@promised("database")
def test_no_migration_waits(updates: Updates) -> None:
    """§9 Service Updates: every migration of the release is applied (F06)."""
    missing = updates.unapplied()
    subject = f"migration {missing[0]}" if missing else ""
    expect(missing, "migrations of the release that are not applied", "supabase db push", subject=subject).is_empty()
