"""Faults that show in the database's statistics: connections, locks, statements, dead rows, the queue."""

from __future__ import annotations

from twin.faults import fault
from twin.faults.live_monitoring import WORKER, WORKER_IS_UP
from twin.plan import Plan
from twin.statements import keep_statistics

# A stranger's documents, which no user of the twin has, and jobs of them.
DOCUMENT = """INSERT INTO upload_pipeline.documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path)
    SELECT gen_random_uuid(), gen_random_uuid(), 'again.pdf', 'application/pdf', 1, md5(random()::text), 'files/again.pdf'
    FROM generate_series(1, {count}) RETURNING document_id"""
# No stage of the worker takes jobs of this status while they wait.
# The worker's reconciliation leaves a job alone that is to be tried again later.
JOBS = f"""WITH made AS ({DOCUMENT}) INSERT INTO upload_pipeline.upload_jobs
    (document_id, status, state, not_before, created_at, updated_at)
    SELECT document_id, 'parse_queued', 'retryable', now() + interval '1 day', now() - interval '{{age}}',
        now() - interval '{{age}}' FROM made"""


def _beside_the_work(plan: Plan, *lines: str) -> None:
    """Let the worker do something beside its work, on a connection of its own."""
    body = "".join(f"            {line}\n" for line in lines)
    start = (
        "        async def beside() -> None:\n"
        "            asyncpg = __import__('asyncpg')\n"
        f"{body}"
        "        self.beside = asyncio.create_task(beside())\n"
    )
    plan.replace_in_source(WORKER, WORKER_IS_UP, WORKER_IS_UP + start)


CONNECT = "await asyncpg.connect(self.config.database_url, statement_cache_size=0)"


@fault("LC20", "each poll of the worker makes new jobs", "worker", "maintenance", mode="-", about="*queue upload_jobs*")
def jobs_make_jobs(plan: Plan) -> None:
    jobs = JOBS.format(count=2, age="0 s")
    _beside_the_work(
        plan,
        f"connection = {CONNECT}",
        "while True:",
        f'    await connection.execute("""{jobs}""")',
        "    await asyncio.sleep(0.25)",
    )


@fault("LC21", "a job has waited for an hour", "worker", "maintenance", mode="-", about="*job waits*upload_jobs*")
def old_job(plan: Plan) -> None:
    plan.sql.append(JOBS.format(count=1, age="1 hour"))


@fault("LC22", "a hundred and fifty jobs wait", "worker", "maintenance", mode="-", about="*queue upload_jobs*")
def many_jobs(plan: Plan) -> None:
    plan.sql.append(JOBS.format(count=150, age="0 s"))


@fault(
    "LC23",
    "a statement of the worker takes more than a second each time",
    "database",
    "maintenance",
    mode="-",
    about="*statement is slow*",
)
def slow_by_statistics(plan: Plan) -> None:
    keep_statistics(plan)
    statement = "SELECT count(*) FROM upload_pipeline.upload_jobs, pg_sleep(1.3)"
    _beside_the_work(plan, f"connection = {CONNECT}", "while True:", f'    await connection.execute("{statement}")')


@fault("LC24", "a statement of the worker takes 30 s", "database", "maintenance", mode="-", about="*statement is slow*")
def slow_under_way(plan: Plan) -> None:
    statement = "SELECT count(*) FROM upload_pipeline.documents, pg_sleep(30)"
    _beside_the_work(plan, f"connection = {CONNECT}", "while True:", f'    await connection.execute("{statement}")')


@fault(
    "LC25",
    "the worker leaves a transaction open and does something else",
    "database",
    "maintenance",
    mode="-",
    about="*transaction stays open*",
)
def open_transaction(plan: Plan) -> None:
    _beside_the_work(
        plan,
        f"connection = {CONNECT}",
        'await connection.execute("BEGIN; SELECT count(*) FROM upload_pipeline.documents")',
        "await asyncio.sleep(3600)",
        "await connection.close()",
    )


@fault(
    "LC26",
    "the worker holds almost all connections of its role",
    "database",
    "maintenance",
    mode="F18|-",
    about="*connections*",
)
def held_connections(plan: Plan) -> None:
    _beside_the_work(
        plan,
        "held = []",
        "while len(held) < 48:",
        "    try:",
        f"        held.append({CONNECT})",
        "    except Exception:",
        "        await asyncio.sleep(0.5)",
        "await asyncio.sleep(3600)",
    )


@fault("LC27", "a session waits for another one's lock", "database", "maintenance", mode="-", about="*sessions block*")
def lock_that_is_kept(plan: Plan) -> None:
    lock = 'execute("SELECT pg_advisory_lock(27)")'
    _beside_the_work(plan, f"first, second = {CONNECT}, {CONNECT}", f"await first.{lock}", f"await second.{lock}")


@fault("LC28", "dead rows of a table stay", "database", "maintenance", mode="-", about="*dead rows*webhook_log*")
def dead_rows(plan: Plan) -> None:
    plan.sql += [
        "ALTER TABLE upload_pipeline.webhook_log SET (autovacuum_enabled = off)",
        """INSERT INTO upload_pipeline.webhook_log (provider, accepted, payload_sha256)
           SELECT 'llamaparse', true, 'x' FROM generate_series(1, 8000)""",
        "DELETE FROM upload_pipeline.webhook_log",
    ]


@fault("LC29", "a table that fits into no memory is read whole", "database", "maintenance", mode="-", about="*blocks*memory*")
def reads_from_disk(plan: Plan) -> None:
    plan.sql += [
        "CREATE TABLE public.wide (number bigint, filler text STORAGE PLAIN)",
        "INSERT INTO public.wide SELECT n, repeat('x', 7900) FROM generate_series(1, 16000) n",
        "DO $$ BEGIN FOR n IN 1..100 LOOP PERFORM count(*) FROM public.wide; END LOOP; END $$",
    ]
