"""The access matrix is whole: each endpoint, storage operation, table and topic has its row, and each who is tried."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.access.credentials import Credentials
from fixtures.access.seen import CODES, CODES_OF_KIND, Seen, code_for, judged
from gate.cells import CellData
from gate.http import Reply
from proof import coverage_access
from proof.collected import Collected
from reports import access as page
from spec import DEFAULT, SpecError, access_entries, load
from spec.codes import declared
from spec.model import AccessCell
from tests.conftest import ROOT

SPEC = load()
ACCESS = SPEC.access
FILE = DEFAULT.with_name("access.toml")
AUTH_OF = {"open": "none", "read": "bearer", "act": "bearer", "resource": "bearer", "folder": "bearer", "webhook": "hmac"}
# Operations on files of the storage API, as the contract lists them, and those of its own description that need no listing.
STORAGE = {
    "read", "read_head", "read_public", "list", "sign_read", "sign_upload", "write", "overwrite", "copy", "move", "delete",
}  # fmt: skip
LINKS = {"signed_read", "signed_upload"}
# Whom the matrix must try: the list, in the words of the file.
TRIED = {
    "nobody", "malformed", "cut", "two_parts", "altered", "foreign_key", "public_key", "anon_secret", "alg_none",
    "expired_minute", "expired_hour", "not_yet", "wrong_audience", "wrong_issuer", "wrong_role", "anon_key", "service_key",
    "deleted", "other", "owner", "signed_out", "anonymous", "service", "unsigned", "odd_signature", "foreign_signature",
    "neighbours_signature", "empty_signature", "other_bytes", "owner_unsigned", "service_unsigned", "unsigned_failure", "link",
    "link_bytes", "link_key", "link_life", "link_none", "link_foreign", "link_expired",
}  # fmt: skip
RULES = 25


def problems(text: str) -> list[str]:
    """What is missing in a matrix with this text."""
    raw = tomllib.loads(text)
    rows = {(row["kind"], row.get("target") or row["name"]) for row in raw["what"]}
    return [
        *_endpoints(rows),
        *(f"storage {name}" for name in STORAGE - {name for kind, name in rows if kind == "object"}),
        *(f"link {name}" for name in LINKS - {name for kind, name in rows if kind in ("link", "upload_link")}),
        *_tables(rows),
        *(f"operator {name}" for name in {"users", "user", "create_bucket"} - {name for kind, name in rows if kind == "admin"}),
        *([] if ("session", "refresh") in rows else ["session refresh"]),
        *(f"who {name}" for name in TRIED ^ {who["name"] for who in raw["who"]}),
        *([] if len(raw["rule"]) == RULES else [f"{len(raw['rule'])} rules"]),
    ]


def _endpoints(rows: set[tuple[str, str]]) -> Iterator[str]:
    """Endpoints of the contract without a row, or with one of another class."""
    for endpoint in SPEC.endpoints:
        kinds = [kind for kind, name in rows if name == endpoint.name and kind in AUTH_OF]
        if [AUTH_OF[kind] for kind in kinds] != [endpoint.auth]:
            yield f"endpoint {endpoint.name}"


def _tables(rows: set[tuple[str, str]]) -> Iterator[str]:
    """Tables of the schema, by command and by token, and topics of what is published."""
    for table in SPEC.database.tables:
        for kind in ("table", "rows"):
            if (kind, table.name) not in rows and (kind, _reference(table.name)) not in rows:
                yield f"{kind} {table.name}"
    for tables in SPEC.project.published.values():
        for name in tables:
            if ("topic", name) not in rows and ("topic", _reference(name)) not in rows:
                yield f"topic {name}"


def _reference(table: str) -> str:
    """How the file names a table that another section names."""
    named: dict[str, Any] = SPEC.pipeline.tables.model_dump()
    return f"{{{{pipeline.tables.{next((key for key, value in named.items() if value == table), table)}}}}}"


def without(kind: str, name: str) -> str:
    """The file without one of its rows, whos or rules."""
    parts = FILE.read_text().split("\n[[")
    kept = [part for part in parts if not (part.startswith(f"{kind}]]") and f'\nname = "{name}"\n' in f"{part}\n")]
    assert len(kept) == len(parts) - 1
    return "\n[[".join(kept)


def test_the_matrix_is_whole() -> None:
    assert problems(FILE.read_text()) == []


@pytest.mark.parametrize("name", [what.name for what in ACCESS.what])
def test_a_row_that_is_taken_out_is_missed(name: str) -> None:
    assert problems(without("what", name))


@pytest.mark.parametrize("name", [who.name for who in ACCESS.who])
def test_somebody_who_is_taken_out_is_missed(name: str) -> None:
    assert problems(without("who", name))


@pytest.mark.parametrize("number", range(RULES))
def test_a_rule_that_is_taken_out_is_missed(number: int) -> None:
    head, *rules = FILE.read_text().split("\n[[rule]]")
    assert problems("\n[[rule]]".join([head, *(rule for at, rule in enumerate(rules) if at != number)]))


def test_every_row_is_asked_by_a_check() -> None:
    sources = [name for name in vars(access_entries) if not name.startswith("_") and name.islower()]
    functions = [getattr(access_entries, name) for name in sources if callable(getattr(access_entries, name))]
    asked = {name for function in functions if function.__module__ == access_entries.__name__ for name in function(SPEC)}
    by_command = {what.name for what in ACCESS.of_kind("table")}
    assert asked | by_command == {what.name for what in ACCESS.what}
    assert by_command == set(SPEC.row_security.tables)


def test_a_row_without_a_rule_is_an_error(tmp_path: Path) -> None:
    for file in DEFAULT.parent.glob("*.toml"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "access.toml").write_text(
        FILE.read_text() + '\n[[who]]\nname = "idle"\ntitle = "x"\nstanding = "link"\nmade = ""\n'
    )
    assert load(tmp_path / "staging.toml").access
    (tmp_path / "access.toml").write_text(FILE.read_text().replace('kinds = ["session"]', 'kinds = ["link"]'))
    with pytest.raises(SpecError, match="no rule is for"):
        load(tmp_path / "staging.toml")


def test_every_wrong_cell_has_a_code() -> None:
    excused = {"owner", "link", "service"}
    for cell in ACCESS.cells():
        if cell.who.standing not in excused and cell.what.kind != "table":
            assert code_for(cell) in declared().codes
    assert {*CODES.values(), *CODES_OF_KIND.values()} <= declared().codes.keys()


def test_everybody_can_be_made() -> None:
    source = (ROOT / "fixtures" / "access" / "credentials.py").read_text() + (
        ROOT / "fixtures" / "access" / "asking_links.py"
    ).read_text()
    by_name = {"nothing", "anonymous", "service", "signed_out", "no_signature", "link"}
    assert {who.made for who in ACCESS.who if f'"{who.made}"' not in source} <= by_name
    assert Credentials.__doc__


def cell(who: str, what: str, whose: str) -> AccessCell:
    """One cell of the specification."""
    return next(c for c in ACCESS.cells(what) if (c.who.name, c.whose) == (who, whose))


def reply(what: str, status: int, **more: Any) -> Reply:
    """A reply of an endpoint."""
    endpoint = SPEC.endpoint(what)
    return Reply(endpoint.method, f"http://x{endpoint.path}", status, httpx.Headers(), b"{}", 0.0, "api", endpoint, **more)


@pytest.mark.parametrize(
    ("who", "what", "whose", "status", "state", "code"),
    [
        ("nobody", "me", "own", 401, "right", ""),
        ("nobody", "me", "own", 200, "wrong", "endpoint.open"),
        ("nobody", "job", "own", 404, "wrong", "http.status"),
        ("expired_minute", "chat_alias", "own", 200, "wrong", "auth.accepted"),
        ("foreign_key", "retry", "own", 409, "wrong", "auth.accepted"),
        ("foreign_key", "upload", "own", 429, "unclear", ""),
        ("foreign_key", "me", "own", 500, "wrong", "http.unhandled"),
        ("other", "job", "another", 404, "right", ""),
        ("other", "job", "another", 200, "wrong", "isolation.read"),
        ("other", "retry", "another", 409, "wrong", "isolation.read"),
        ("other", "job", "another", 403, "wrong", "http.status"),
        ("owner", "retry", "own", 409, "right", ""),
        ("owner", "job", "own", 404, "unclear", ""),
        ("other", "upload_proxy", "another", 400, "right", ""),
        ("other", "upload_proxy", "nobody", 200, "wrong", "isolation.write"),
        ("unsigned", "webhook", "another", 200, "wrong", "webhook.unsigned"),
        ("nobody", "login", "own", 422, "right", ""),
        ("nobody", "login", "own", 401, "wrong", "http.refused"),
    ],
)
def test_a_cell_is_judged_by_its_rule(who: str, what: str, whose: str, status: int, state: str, code: str) -> None:
    seen: Seen = judged(cell(who, what, whose), reply(what, status), SPEC)
    assert (seen.state, seen.code) == (state, code)


def test_a_route_that_is_missing_says_nothing() -> None:
    assert judged(cell("other", "job", "another"), reply("job", 404, without_route=True), SPEC).state == "unclear"


def test_the_page_shows_the_worst_of_a_place() -> None:
    base: CellData = {
        "kind": "read", "title": "own data", "row": "me", "what": "GET /me", "who": "nobody", "whose": "own",
        "expected": "unauthorized", "state": "right", "status": 401, "text": "",
    }  # fmt: skip
    cells: list[CellData] = [
        base,
        {**base, "state": "wrong", "status": 200},
        {**base, "who": "owner", "whose": "not there"},
    ]
    (table,) = page.tables(cells)
    assert [line.whose for line in table.lines] == ["own", "not there"]
    place = table.lines[0].places[0]
    assert place is not None
    assert (place.sign, "200" in place.text) == ("✗", True)
    assert table.lines[0].places[1] is None


def test_coverage_says_what_is_proven_of_each_thing() -> None:
    module = "acceptance/security/test_access.py"
    check = Collected(f"{module}::test_x[me]", "test_access", "test_x", "§6", "6.1", ("postdeploy",), {"what": "me"})
    text = coverage_access.markdown(SPEC, [check], {check.id: ["N35"]})
    row = next(line for line in text.splitlines() if line.startswith("| endpoint `GET /me`"))
    assert "`test_x`" in row
    assert "N35" in row
    assert sum(line.startswith("| API") for line in text.splitlines()) == len(ACCESS.owasp) == 10
