"""9.3 Security Review: headers that tell a browser how to treat an answer (§6 Network Security)."""

import re

import pytest

from fixtures.security_headers import answer_of, hsts_seconds
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification
from spec import transport_entries as entries
from spec.model import HeaderRule, TlsHost

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("9.3"),
    pytest.mark.component("network"),
    promised("tls", "headers"),
]
HSTS = "Strict-Transport-Security"
HINT = "the headers that the host adds, and those of the service"


@pytest.mark.about("header.security", f"header {HSTS}")
@each("host", entries.hosts)
def test_browsers_stay_with_https(session: Session, spec: Specification, host: TlsHost) -> None:
    """§6 SSL/TLS: Strict-Transport-Security is sent where it is promised, and for long enough wherever it is sent."""
    rule, sent = spec.headers.hsts, answer_of(session, host).get(HSTS)
    is_free = sent is None and host.name not in rule.promised_by
    seen = "not sent" if sent is None else sent
    held = expect(seen, f"{HSTS} of {host.name}", HINT, component=host.component)
    held.satisfies(lambda _: is_free or hsts_seconds(sent) >= rule.shortest_seconds, f"to hold for {rule.shortest_seconds} s")


def _id(entry: object) -> str:
    assert isinstance(entry, tuple)
    host, rule = entry
    return f"{host.name}-{rule.name}"


@pytest.mark.about("header.security")
@each("host, rule", entries.header_rules, ids=_id)
def test_a_header_has_a_value_that_browsers_understand(session: Session, host: TlsHost, rule: HeaderRule) -> None:
    """§6 Network Security: a header that protects has a value that does, and is there where it is promised."""
    sent = answer_of(session, host).get(rule.name)
    is_free = sent is None and host.name not in rule.promised_by
    value = "not sent" if sent is None else sent
    held = expect(value, f"{rule.name} of {host.name}", HINT, subject=f"header {rule.name}", component=host.component)
    held.satisfies(
        lambda text: is_free or re.fullmatch(rule.pattern, text.strip()) is not None, f"to be of the form {rule.pattern}"
    )
