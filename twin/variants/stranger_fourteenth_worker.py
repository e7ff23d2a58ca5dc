"""Variants by a stranger, the fourteenth set: a worker with lanes, and vectors that appear all at once."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

WORKER = "backend/workers/enhanced_base_worker.py"
LOOP = """            while not stop.is_set():
                has_worked = await self.work_once()
                await self.reconcile()
                if has_worked:
                    continue
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), timeout=self.poll_seconds)
"""
LANES = """            async with asyncio.TaskGroup() as group:
                for number in range(len(LANES)):
                    group.create_task(self._follow(number, stop))
                group.create_task(self._look_after(stop))
                await stop.wait()
                for bell in self.bells:
                    bell.set()
"""
FOLLOWED = '''    async def _follow(self, number: int, stop: asyncio.Event) -> None:
        """One lane: all of its jobs that are due, then one poll interval, or until another lane has passed a job on."""
        bell = self.bells[number]
        while not stop.is_set():
            bell.clear()
            if await self.work_once(LANES[number]):
                for other in self.bells:
                    if other is not bell:
                        other.set()
                continue
            if not stop.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), timeout=self.poll_seconds)

    async def _look_after(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.reconcile()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=self.poll_seconds)

    async def work_once(self, lane: tuple[str, ...] = ()) -> bool:
        """Claim and process one job of a lane (of any stage without one); False when none is due."""
'''
BEFORE = '''    async def work_once(self) -> bool:
        """Claim and process one job; False when none is due."""
'''
CLAIMED = "            job = await self.queue.claim(*self._served_stages())\n"
CLAIMED_OF_LANE = """            served, on_trial = self._served_stages()
            mine = [stage for stage in served if not lane or stage in lane]
            job = await self.queue.claim(mine, on_trial) if mine else None
"""
STAGES = """# Jobs of one lane do not wait for the service that another lane waits for.
LANES = (("embeddings_stored", "chunks_stored"), ("parse_validated", "parsed"), ("uploaded",))
"""


@variant("M87", "the worker has three lanes, one for each service that it waits for; each claims one job and wakes the others")
def lanes(plan: Plan) -> None:
    plan.replace_in_source(WORKER, LOOP, LANES)
    plan.replace_in_source(WORKER, BEFORE, FOLLOWED)
    plan.replace_in_source(WORKER, CLAIMED, CLAIMED_OF_LANE)
    plan.replace_in_source(WORKER, "BATCH = 256\n", f"BATCH = 256\n{STAGES}")
    pool = "        self.pool: Any = None\n"
    plan.replace_in_source(WORKER, pool, f"        self.bells = [asyncio.Event() for _ in LANES]\n{pool}")
    plan.replace_in_source(WORKER, "open_pool(self.config, size=4)", "open_pool(self.config, size=9)")


EMBEDDED = """            async with self.queue.leases.holding(job) as connection:
                await self._store_vectors(connection, batch, vectors)
        await self.queue.advance(job, "embeddings_stored", progress={**job["progress"], "embedded": len(rows)})
"""
AT_ONCE = """            # Single precision is what the database keeps, and a tenth of what Python's own numbers take.
            found.extend((row["chunk_id"], array("f", vector)) for row, vector in zip(batch, vectors, strict=True))
        async with self.queue.leases.holding(job) as connection:
            await self._store_vectors(connection, found)
            progress = {**job["progress"], "embedded": len(rows)}
            await self.queue.advance_in(connection, job, "embeddings_stored", progress=progress)
"""
STORED = '''    async def _store_vectors(self, connection: Any, found: list[tuple[UUID, array[float]]]) -> None:
        """Copy the vectors into a table that ends with the transaction, then give each to its chunk."""
        await connection.execute("CREATE TEMPORARY TABLE found_vectors (chunk_id uuid, vector text) ON COMMIT DROP")
        await connection.copy_records_to_table(
            "found_vectors",
            records=((chunk_id, vector_literal(vector.tolist())) for chunk_id, vector in found),
            columns=("chunk_id", "vector"),
        )
        await connection.execute(
            """UPDATE document_chunks c SET embedding = f.vector::vector, vector_dim = $1, embed_model = $2,
                   embed_version = '1', updated_at = now()
               FROM found_vectors f WHERE c.chunk_id = f.chunk_id""",
            self.config.vector_dimension,
            self.config.embedding_model,
        )

'''


@variant("M88", "a document's vectors are copied in and appear all at once, in the transaction that moves the job on")
def vectors_at_once(plan: Plan) -> None:
    text = (plan.source / WORKER).read_text()
    stored = text[text.index("    async def _store_vectors") : text.index("    async def finish")]
    plan.replace_in_source(WORKER, stored, STORED)
    plan.replace_in_source(WORKER, EMBEDDED, AT_ONCE)
    batches = "        for start in range(0, len(rows), BATCH):\n"
    plan.replace_in_source(WORKER, batches, f"        found: list[tuple[UUID, array[float]]] = []\n{batches}")
    plan.replace_in_source(WORKER, "import secrets\n", "import secrets\nfrom array import array\n")
