"""The scratch server starts wherever the environment lies, and leaves nothing behind."""

import pytest

from fixtures import schema_server
from fixtures.schema_server import ScratchServer
from gate.failures import NotConfigured
from gate.portal import Portal

pytestmark = pytest.mark.twin


def test_it_starts_from_a_copy_where_its_user_cannot_read_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_server, "_is_public", lambda _: False)
    server, portal = ScratchServer(), Portal()
    try:
        server.start()
        connection = portal.wait_for(server.connect("postgres"), 30)
        assert portal.wait_for(connection.fetchval("SELECT 1"), 10) == 1
        portal.wait_for(connection.close(), 10)
    finally:
        portal.close()
        server.stop()
    assert not server.folder.exists()


def test_where_none_can_run_nothing_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_server, "PACKAGE", "no_such_package")
    server = ScratchServer()
    with pytest.raises(NotConfigured, match="no scratch PostgreSQL starts here"):
        server.start()
    assert not server.folder.exists()
