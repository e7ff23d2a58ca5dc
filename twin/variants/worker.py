"""Variants of the worker and of the parser's callbacks."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

CHUNKING = "backend/workers/chunking.py"
QUEUE = "backend/workers/job_queue.py"
RUNNER = "backend/workers/enhanced_runner.py"
WORKER = "backend/workers/enhanced_base_worker.py"
WEBHOOK = "api/webhook.py"


@variant("V67", "small chunks without an overlap, numbered from 1; embeddings go out in batches of 32")
def small_chunks(plan: Plan) -> None:
    plan.replace_in_source(CHUNKING, "TARGET_CHARACTERS = 600", "TARGET_CHARACTERS = 220")
    plan.replace_in_source(CHUNKING, "OVERLAP_CHARACTERS = 120", "OVERLAP_CHARACTERS = -1")
    plan.replace_in_source(WORKER, "for number, text in enumerate(chunks)", "for number, text in enumerate(chunks, 1)")
    plan.replace_in_source(WORKER, "BATCH = 256", "BATCH = 32")


@variant("V68", "larger chunks; two workers, each of which claims jobs of one stage several at a time")
def two_workers(plan: Plan) -> None:
    plan.replace_in_source(CHUNKING, "TARGET_CHARACTERS = 600", "TARGET_CHARACTERS = 720")
    plan.replace_in_source(CHUNKING, "OVERLAP_CHARACTERS = 120", "OVERLAP_CHARACTERS = 200")
    one = "    await EnhancedBaseWorker(load()).run(stop)\n"
    plan.replace_in_source(RUNNER, one, "    await asyncio.gather(*(EnhancedBaseWorker(load()).run(stop) for _ in range(2)))\n")
    plan.replace_in_source(
        QUEUE,
        "        return await self._pool.fetchrow(\n            CLAIM,",
        "        if self._held:\n            return self._held.pop(0)\n"
        "        self._held = await self._pool.fetch(\n            CLAIM,",
    )
    plan.replace_in_source(
        QUEUE,
        "            self.leases.seconds,\n        )\n",
        "            self.leases.seconds,\n        )\n        return self._held.pop(0) if self._held else None\n",
    )
    plan.replace_in_source(
        QUEUE, "        self._pool = pool\n", "        self._pool = pool\n        self._held: list[Any] = []\n"
    )
    plan.replace_in_source(QUEUE, "state = 'working', updated_at = now() WHERE job_id = (", BATCHED)
    plan.replace_in_source(QUEUE, "LIMIT 1)", "LIMIT 3)")


BATCHED = "state = 'working', updated_at = now() WHERE job_id IN ("


@variant("V69", "results of parses are lists of pages, and every callback is repeated")
def repeated_callbacks(plan: Plan) -> None:
    plan.behaviour["llamaparse"] = {"result": "pages", "repeats": 2}
