"""The twin's queue on a database of its own: leases, fences, postponements, dead letters, and callbacks that do not come."""

import asyncio
import importlib
import secrets
import shutil
import uuid
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from spec import load
from tests.conftest import ROOT
from twin.installation import make_folder
from twin.ports import free_ports
from twin.postgres import Postgres
from twin.processes import Processes
from twin.supervisor import APPLIED, BOOTSTRAP

pytestmark = pytest.mark.twin
RULE = load().resilience.jobs
SPEEDUP = 120.0
SOURCE = ROOT / "twin" / "source"
STAGES = ["embeddings_stored", "chunks_stored", "parse_validated", "parsed", "uploaded"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where the services' role finds a database with the release's migrations."""
    folder, password = make_folder("queue-"), secrets.token_hex(8)
    processes, (port,) = Processes(folder), free_ports(1)
    try:
        postgres = Postgres(processes, f"postgresql://postgres:{password}@127.0.0.1:{port}/staging_db", port)
        postgres.start_init()
        postgres.start()
        bootstrap = BOOTSTRAP.read_text().replace("{password}", password)
        asyncio.run(postgres.build("staging_db", bootstrap, SOURCE / "supabase" / "migrations", APPLIED, []))
        yield f"postgresql://staging_user:{password}@127.0.0.1:{port}/staging_db"
    finally:
        processes.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Bench:
    """The worker's modules, with a queue on the database."""

    def __init__(self, url: str) -> None:
        for name in ("shared.calls", "shared.config", "shared.database", "workers.lease", "workers.reconciliation"):
            setattr(self, name.rpartition(".")[2], importlib.import_module(f"backend.{name}"))
        self.queues = importlib.import_module("backend.workers.job_queue")
        self.settings = self.config.Config(
            database_url=url, schema="upload_pipeline", speedup=SPEEDUP, patience_speedup=SPEEDUP
        )

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def run(self, act: Callable[[Any, Any], Awaitable[Any]]) -> Any:
        """What a test returns that is given a queue and its pool."""

        async def all_of_it() -> Any:
            pool = await self.database.open_pool(self.settings, size=4)
            try:
                await pool.execute("DELETE FROM documents")
                return await act(self.queues.JobQueue(self.settings, pool), pool)
            finally:
                await pool.close()

        return asyncio.run(all_of_it())


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, url: str) -> Bench:
    """The modules, from the twin's source."""
    monkeypatch.syspath_prepend(str(SOURCE))
    return Bench(url)


async def add(pool: Any, status: str = "uploaded", **columns: Any) -> uuid.UUID:
    """A document with its job."""
    document = uuid.uuid4()
    await pool.execute(
        """INSERT INTO documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path)
           VALUES ($1, $1, 'a.pdf', 'application/pdf', 1, $2, 'x')""",
        document,
        str(document),
    )
    names, values = ["document_id", "status", *columns], [document, status, *columns.values()]
    places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
    made = await pool.fetchval(f"INSERT INTO upload_jobs ({', '.join(names)}) VALUES ({places}) RETURNING job_id", *values)
    return uuid.UUID(str(made))


async def row(pool: Any, job_id: uuid.UUID) -> Any:
    """The row of a job, and in how many seconds it is due."""
    return await pool.fetchrow(
        "SELECT *, extract(epoch FROM not_before - now())::float AS due FROM upload_jobs WHERE job_id = $1", job_id
    )


def test_a_job_is_claimed_once_however_many_ask(bench: Bench) -> None:
    async def act(queue: Any, pool: Any) -> list[Any]:
        await add(pool)
        # All connections are open before they are needed, which takes longer than a lease may.
        await asyncio.gather(*(pool.execute("SELECT pg_sleep(0.1)") for _ in range(4)))
        return await asyncio.gather(*(queue.claim(STAGES, []) for _ in range(4)))

    assert len([found for found in bench.run(act) if found]) == 1


def test_a_job_is_claimed_again_after_its_lease_and_the_first_worker_is_fenced(bench: Bench) -> None:
    async def act(queue: Any, pool: Any) -> None:
        await add(pool, "chunks_stored")
        first = await queue.claim(STAGES, [])
        assert await queue.claim(STAGES, []) is None
        await asyncio.sleep(queue.leases.seconds * 1.5)
        second = await queue.claim(STAGES, [])
        assert (second["job_id"], second["claims"]) == (first["job_id"], 2)
        for late in (queue.advance(first, "complete"), queue.fail(first, ValueError()), queue.postpone(first, OSError())):
            with pytest.raises(bench.lease.LeaseLost):
                await late
        await queue.advance(second, "embeddings_stored")
        kept = await row(pool, second["job_id"])
        assert (kept["status"], kept["state"], kept["claims"], kept["claim_id"]) == ("embeddings_stored", "queued", 0, None)
        assert await pool.fetchval("SELECT count(*) FROM events") == 1

    bench.run(act)


def test_work_that_is_slow_keeps_its_lease(bench: Bench) -> None:
    async def act(queue: Any, pool: Any) -> None:
        await add(pool)
        job = await queue.claim(STAGES, [])
        async with queue.leases.kept(job):
            await asyncio.sleep(queue.leases.seconds * 4)
            assert await queue.claim(STAGES, []) is None
        await queue.advance(job, "parse_queued")

    bench.run(act)


def limited(bench: Bench, seconds: float) -> Any:
    """A rate limit."""
    return bench.calls.CallError("openai", bench.calls.Problem.RATE_LIMITED, "openai answered 429", 429, seconds)


def test_what_is_postponed_uses_up_no_retry_and_waits_as_it_is_asked_to(bench: Bench) -> None:
    async def act(queue: Any, pool: Any) -> None:
        job_id = await add(pool)
        await queue.postpone(await queue.claim(STAGES, []), limited(bench, 7.0))
        kept = await row(pool, job_id)
        assert (kept["state"], kept["retry_count"], kept["last_error"]["postponed"]) == ("retryable", 0, 1)
        assert 6 < kept["due"] <= 7
        assert await queue.claim(STAGES, []) is None

    bench.run(act)


def test_postponements_grow_to_a_longest_one(bench: Bench) -> None:
    async def act(queue: Any, pool: Any) -> list[float]:
        job_id, waits = await add(pool), []
        for _ in range(8):
            await pool.execute("UPDATE upload_jobs SET not_before = now()")
            await queue.postpone(await queue.claim(STAGES, []), OSError("lost"))
            waits.append((await row(pool, job_id))["due"] * SPEEDUP)
        return waits

    waits = bench.run(act)
    assert waits[0] <= 5 < waits[-1] <= RULE.longest_postponement_seconds


def test_a_job_that_fails_always_ends_as_a_dead_letter_and_the_next_is_served(bench: Bench) -> None:
    async def act(queue: Any, pool: Any) -> None:
        job_id, other = await add(pool), await add(pool)
        for attempt in range(1, bench.settings.max_retries + 2):
            await pool.execute("UPDATE upload_jobs SET not_before = now() WHERE job_id = $1", job_id)
            await queue.fail(await queue.claim(STAGES, []), ValueError("of the job itself"))
            assert (await row(pool, job_id))["retry_count"] == attempt
        kept = await row(pool, job_id)
        assert (kept["status"], kept["state"], kept["last_error"]["reason"]) == (
            "failed_parse",
            "deadletter",
            "of the job itself",
        )
        assert (await queue.claim(STAGES, []))["job_id"] == other

    bench.run(act)


def test_one_bad_document_does_not_fail_each_trial(bench: Bench) -> None:
    async def act(queue: Any, pool: Any) -> None:
        bad, other = await add(pool), await add(pool)
        await queue.postpone(await queue.claim(STAGES, STAGES), OSError("lost"))
        await pool.execute("UPDATE upload_jobs SET not_before = now()")
        assert (await row(pool, bad))["state"] == "retryable"
        assert (await queue.claim(STAGES, STAGES))["job_id"] == other

    bench.run(act)


class Parser:
    """LlamaParse as far as it is asked about jobs; `found` is what it knows."""

    def __init__(self, bench: Bench, status: str, text: str = "", error: Exception | None = None) -> None:
        self.calls = bench.calls.Calls(5.0)
        self.llamaparse = SimpleNamespace(parsing=self)
        self.asked: list[str] = []
        self.written: list[bytes] = []
        job = SimpleNamespace(status=status, error_message="unreadable" if status == "FAILED" else None)
        self._found, self._error = SimpleNamespace(job=job, markdown_full=text), error

    async def get(self, job_id: str, expand: list[str]) -> Any:
        """One job."""
        self.asked.append(job_id)
        if self._error:
            raise self._error
        return self._found

    async def write(self, key: str, body: bytes, mime: str) -> None:
        """As storage does."""
        self.written.append(body)


WAITS: dict[str, Any] = {"status": "parse_queued", "state": "working"}


@pytest.mark.parametrize(
    ("parse_job_id", "found", "outcome"),
    [
        ("pjb-1", ("COMPLETED", "# Text"), ("parsed", "queued")),
        ("pjb-1", ("FAILED", ""), ("failed_parse", "deadletter")),
        ("pjb-1", ("RUNNING", ""), ("parse_queued", "working")),
        (None, ("COMPLETED", "# Text"), ("uploaded", "queued")),
    ],
)
def test_a_callback_that_does_not_come_is_not_waited_for(
    bench: Bench, parse_job_id: str | None, found: tuple[str, str], outcome: tuple[str, str]
) -> None:
    parser = Parser(bench, *found)

    async def act(queue: Any, pool: Any) -> None:
        reconciler = bench.reconciliation.Reconciler(bench.settings, pool, parser, parser)
        assert reconciler.callback_seconds == RULE.callback_seconds / SPEEDUP
        job_id = await add(pool, **WAITS, parse_job_id=parse_job_id)
        assert not await reconciler._run_once()
        await asyncio.sleep(reconciler.callback_seconds)
        assert await reconciler._run_once()
        kept = await row(pool, job_id)
        assert (kept["status"], kept["state"]) == outcome
        assert not await reconciler._run_once()

    bench.run(act)
    assert parser.asked == ([parse_job_id] if parse_job_id else [])
    assert parser.written == ([b"# Text"] if outcome[0] == "parsed" else [])
