"""The clinic's twin: healthy it keeps its contract, and each fault changes what it should and nothing else."""

import asyncio
import ssl
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from spec import load
from tests.conftest import ROOT
from twin.changes import Fault, find_in, in_order
from twin.clinic import changes
from twin.clinic.plan import ClinicPlan, make
from twin.clinic.supervisor import ClinicTwin
from twin.running import any_certificate

changes.load()
FOREIGN = "https://evil.example"
ORIGIN = "https://desk.staging.clinics.example"
Seen = dict[str, object]

# What each fault changes of what is seen.
EXPECTED = {
    "C01": {"health", "listing", "clinic", "booking", "indexes"},
    "C02": {"listing", "clinic"},
    "C03": {"indexes"},
    "C04": {"booking", "indexes"},
    "C05": {"listing", "clinic", "booking"},
    "C06": {"declared", "page of 51"},
    "C07": {"declared"},
    "C08": {"dockerfile"},
    "C09": {"release"},
    "C10": {"clinic without token"},
    "C11": {"listing with wrong token", "clinic without token"},
    "C12": {"connection string in health"},
    "C13": {"health is fresh"},
    "C14": {"page of 51"},
    "C15": {"large body"},
    "C16": {"correlation ids"},
    "C17": {"foreign origin"},
    "C18": {"foreign host"},
    "C19": {"certificate"},
}


class Visitor:
    """A plain client of one running twin, and of its database."""

    def __init__(self, twin: ClinicTwin) -> None:
        self.env = twin.operator_env
        self.token = {"Authorization": f"Bearer {self.env['DIRECTORY_API_TOKEN']}"}
        self.http = httpx.Client(base_url=twin.url, verify=any_certificate(), timeout=10)

    def see(self) -> Seen:
        """Everything that is looked at, by name."""
        return {**self._status(), **self._directory(), **self._edges(), **self._network(), **self._surroundings()}

    def _status(self) -> Seen:
        health, version = self.http.get("/healthz"), self.http.get("/version").json()
        body = health.json()
        age = datetime.now(UTC) - datetime.fromisoformat(body["checked_at"])
        replies = [health, self.http.get("/v2/clinics"), self.http.get("/nowhere")]
        ids = {reply.headers.get("X-Correlation-ID", "") for reply in replies}
        return {
            "health": (health.status_code, body["status"], body["checks"]["database"]["status"]),
            "health is fresh": abs(age) < timedelta(seconds=5),
            "connection string in health": "postgresql://" in health.text,
            "release": (body["release"], version["version"], version["commit"] == self.env["HARNESS_EXPECTED_COMMIT"]),
            "correlation ids": len(ids - {""}),
        }

    def _directory(self) -> Seen:
        listing = self.http.get("/v2/clinics", params={"limit": 10, "city": "Harlow"}, headers=self.token)
        seen = listing.json().get("items", [])
        first = seen[0]["clinic_id"] if seen else uuid.UUID(int=0)
        clinic = self.http.get(f"/v2/clinics/{first}", headers=self.token)
        return {
            "listing": (listing.status_code, len(seen), {item["city"] for item in seen}),
            "clinic": (clinic.status_code, sorted(clinic.json())),
            "booking": self._book(),
        }

    def _book(self) -> list[int]:
        """Statuses of booking a slot, booking it again, and taking it back twice."""
        rows = asyncio.run(self._ask("SELECT md5('clinic-7')::uuid AS id"))
        clinic = str(rows[0]) if isinstance(rows, list) else str(uuid.uuid4())
        body = {"clinic_id": clinic, "starts_at": "2031-05-05T09:00:00Z", "patient_reference": "test"}
        first, second = (self.http.post("/v2/appointments", json=body, headers=self.token) for _ in range(2))
        place = f"/v2/appointments/{first.json().get('appointment_id', uuid.uuid4())}"
        gone = [self.http.delete(place, headers=self.token).status_code for _ in range(2)]
        return [first.status_code, second.status_code, *gone]

    def _edges(self) -> Seen:
        bare = self.http.get(f"/v2/clinics/{uuid.UUID(int=0)}")
        wrong = self.http.get("/v2/clinics", headers={"Authorization": "Bearer wrong"})
        page = self.http.get("/v2/clinics", params={"limit": 51}, headers=self.token)
        large = self.http.post("/v2/appointments", content=b" " * 20_000, headers=self.token)
        return {
            "clinic without token": (bare.status_code, bare.headers.get("WWW-Authenticate")),
            "listing with wrong token": (wrong.status_code, wrong.headers.get("WWW-Authenticate")),
            "page of 51": page.status_code == 422,
            "large body": large.status_code,
        }

    def _network(self) -> Seen:
        def allowed(origin: str) -> str | None:
            asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
            header: str | None = self.http.options("/v2/clinics", headers=asked).headers.get("Access-Control-Allow-Origin")
            return header

        try:
            httpx.get(f"{self.env['API_BASE_URL']}/version", verify=self._trust())
            certificate = "good"
        except httpx.ConnectError:
            certificate = "refused"
        return {
            "certificate": certificate,
            "foreign origin": allowed(FOREIGN),
            "own origin": allowed(ORIGIN),
            "foreign host": self.http.get("/version", headers={"Host": "evil.example"}).status_code,
        }

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.env["HARNESS_CA_FILE"])

    def _surroundings(self) -> Seen:
        declared = {name: self.env[name] for name in ("APP_ENV", "RELEASE_VERSION", "DB_SCHEMA", "MAX_PAGE_SIZE", "LOG_FORMAT")}
        return {
            "declared": declared | {"token": self.env["DIRECTORY_API_TOKEN"].startswith("staging-directory-")},
            "dockerfile": Path(self.env["HARNESS_SOURCE_TREE"], "Dockerfile").read_text(),
            "indexes": asyncio.run(self._ask("SELECT indexname FROM pg_indexes WHERE schemaname = 'directory' ORDER BY 1")),
        }

    async def _ask(self, query: str) -> list[object] | str:
        try:
            connection = await asyncpg.connect(self.env["DATABASE_URL"], timeout=5)
        except asyncpg.InvalidPasswordError:
            return "refused"
        try:
            return [row[0] for row in await connection.fetch(query)]
        finally:
            await connection.close()


def _see(change: Callable[[ClinicPlan], None] | None = None) -> Seen:
    with ClinicTwin(change=change) as twin:
        visitor = Visitor(twin)
        with visitor.http:
            return visitor.see()


@pytest.fixture(scope="module")
def healthy() -> Seen:
    """What is seen of the healthy twin."""
    return _see()


def test_the_healthy_twin_keeps_its_contract(healthy: Seen) -> None:
    assert healthy["health"] == (200, "ok", "ok")
    assert healthy["release"] == ("2.4.0", "2.4.0", True)
    assert healthy["listing"] == (200, 10, {"Harlow"})
    assert healthy["booking"] == [201, 409, 204, 404]
    assert healthy["clinic without token"] == healthy["listing with wrong token"] == (401, "Bearer")
    assert (healthy["page of 51"], healthy["large body"], healthy["correlation ids"]) == (True, 413, 3)
    assert (healthy["certificate"], healthy["foreign origin"], healthy["own origin"]) == ("good", None, ORIGIN)
    assert (healthy["foreign host"], healthy["connection string in health"]) == (400, False)
    assert healthy["health is fresh"] is True


def _groups() -> list[list[Fault[ClinicPlan]]]:
    """Faults that change different things share a twin: a start for each would take most of a minute."""
    groups: list[list[Fault[ClinicPlan]]] = []
    for fault in changes.FAULTS.values():
        for group in groups:
            if all(EXPECTED[fault.id].isdisjoint(EXPECTED[other.id]) for other in group):
                group.append(fault)
                break
        else:
            groups.append([fault])
    return groups


@pytest.mark.parametrize("faults", _groups(), ids=lambda faults: "-".join(fault.id for fault in faults))
def test_faults_change_what_they_should(healthy: Seen, faults: list[Fault[ClinicPlan]]) -> None:
    seen = _see(in_order(faults))
    assert {name for name in healthy if seen[name] != healthy[name]} == set().union(*(EXPECTED[fault.id] for fault in faults))


def test_the_twin_is_what_its_specification_says() -> None:
    spec = load(ROOT / "spec" / "clinic" / "specification.toml")
    with ClinicTwin() as twin:
        visitor = Visitor(twin)
        assert set(spec.variables) == {name for name in visitor.env if not name.startswith("HARNESS_")}
        for name, rule in spec.variables.items():
            assert rule.value in (None, visitor.env[name]), name
        with visitor.http as http:
            found = []
            for case in spec.cases:
                endpoint = spec.endpoint(case.endpoint)
                sent = {"content": b" " * (case.body_bytes or 0)} if case.json_body is None else {"json": case.json_body}
                headers = {} if case.caller == "anonymous" else visitor.token
                reply = http.request(endpoint.method, endpoint.path_with(case.at), params=case.query, headers=headers, **sent)
                fields = endpoint.fields if case.answer == "success" else []
                right = reply.status_code in endpoint.statuses(case.answer) and set(fields) <= set(reply.json())
                found += [] if right else [(case.endpoint, case.name, reply.status_code)]
            assert found == []
            assert set(http.get("/openapi.json").json()["paths"]) == {e.path for e in spec.endpoints} - {
                spec.endpoint("openapi").path
            }


def test_variants_are_right_as_well(healthy: Seen) -> None:
    seen = _see(in_order(changes.VARIANTS.values()))
    assert {name for name in healthy if seen[name] != healthy[name]} == {"indexes"}


def test_ids_are_found_whatever_their_case(tmp_path: Path) -> None:
    (found,) = find_in(changes.FAULTS, ["c12"], "faults")
    found.apply(make(tmp_path))


def test_the_command_lists_and_refuses() -> None:
    command = [sys.executable, "-m", "twin"]
    listed = subprocess.run([*command, "faults", "--system", "clinic"], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == sorted(changes.FAULTS)
    refused = subprocess.run(
        [*command, "up", "--system", "clinic", "--fault", "F01"], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert (refused.returncode, refused.stderr.count("\n")) == (4, 1)
