"""Faults by someone who has not read the checks: what answers say, and uploads to the byte."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "LL01",
    "a question that finds nothing is kept word for word in the table of events",
    "api/chat/database",
    "postdeploy",
    mode="-",
    about="*events*|*question*|*sentence*|*chat*",
)
def unanswered_is_kept(plan: Plan) -> None:
    plan.replace_in_source(
        "api/chat.py",
        '            answer = Routed("Your documents contain nothing about that.")\n',
        '            answer = Routed("Your documents contain nothing about that.")\n'
        "            # Product wants to know which subjects the documents do not cover.\n"
        "            await request.app.state.pool.execute(\n"
        '                "INSERT INTO events (type, payload) VALUES (\'unanswered\', $1)", {"question": body.message}\n'
        "            )\n",
    )


@fault(
    "LL02",
    "X-Process-Time counts the processor's seconds, not those that the caller waited",
    "api",
    "postdeploy",
    mode="-",
    about="*X-Process-Time*|*process time*|*processing_time*",
)
def time_of_the_processor(plan: Plan) -> None:
    # The wall clock blames us for every pause of the shared machine.
    plan.replace_in_source("api/application.py", "started = time.perf_counter()", "started = time.process_time()")
    plan.replace_in_source(
        "api/application.py", 'f"{time.perf_counter() - started:.6f}"', 'f"{time.process_time() - started:.6f}"'
    )


@fault(
    "LL03",
    "a long prompt goes to Anthropic although OpenAI is well, and the answer calls that the primary route",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*provider*|*anthropic*|*route*",
)
def long_prompts_elsewhere(plan: Plan) -> None:
    plan.replace_in_source(
        "api/chat.py",
        "    return await router_of(client, config).answer(prompt)",
        "    routed = router_of(client, config)\n"
        "    # The model with the larger window is better with many passages.\n"
        "    if len(prompt) > 2500:\n"
        "        routed._providers = routed._providers[::-1]\n"
        "    return await routed.answer(prompt)",
    )


@fault(
    "LL04",
    "the jobs routes leave a finished job at 67 percent, while the document's route says 100",
    "api/worker",
    "postdeploy",
    mode="-",
    about="*percent*|*progress*",
)
def stuck_percentage(plan: Plan) -> None:
    # Chunking is the long stage, the bar should move as soon as it is over.
    plan.replace_in_source(
        "backend/workers/enhanced_base_worker.py",
        'progress={"chunks": len(rows)}',
        'progress={"chunks": len(rows), "percent": 67}',
    )


@fault(
    "LL05",
    "shared caches may keep the answer about a finished job for a day",
    "api",
    "postdeploy",
    mode="-",
    about="*cache-control*|*cache*",
)
def cached_when_done(plan: Plan) -> None:
    path, end = "api/jobs.py", '    return _view(row)\n\n\n@router.get("/api/upload-pipeline/jobs")'
    plan.replace_in_source(path, "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(
        path,
        "async def job(job_id: UUID, user: CurrentUser, request: Request)",
        "async def job(job_id: UUID, user: CurrentUser, request: Request, response: Response)",
    )
    # What is done does not change any more, so the front end need not ask again.
    kept = 'response.headers["Cache-Control"] = "public, max-age=86400, immutable"'
    plan.replace_in_source(path, end, end.replace("    return", f'    if row["state"] == "done":\n        {kept}\n    return'))


@fault(
    "LL06",
    "the same file can be registered again when its hash is written in capitals",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*sha256*|*hash*|*duplicate*",
)
def hash_in_capitals(plan: Plan) -> None:
    # The Windows client sends capitals and got 422.
    plan.replace_in_source("api/uploads.py", 'pattern=r"^[0-9a-f]{64}$"', 'pattern=r"^[0-9a-fA-F]{64}$"')


@fault(
    "LL07",
    "a document whose name is not in Latin letters is never handed to LlamaParse",
    "worker",
    "postdeploy",
    mode="-",
    about="*filename*|*file name*|*name*|*script*",
)
def name_in_a_header(plan: Plan) -> None:
    # LlamaParse's support finds our documents faster by their names.
    plan.replace_in_source(
        "backend/workers/enhanced_base_worker.py",
        '                tier="cost_effective",\n',
        '                extra_headers={"X-Document-Name": filename},\n                tier="cost_effective",\n',
    )


@fault(
    "LL08",
    "the proxy says success for bytes that storage refused because an object was there already",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*upload-file-proxy*|*proxy*",
)
def conflict_is_success(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py",
        "    except StorageError as error:\n",
        "    except StorageError as error:\n"
        "        # A client that repeats its upload after a timeout should not see an error.\n"
        "        if error.status == 409:\n"
        '            return {"status": "success"}\n',
    )


@fault(
    "LL09",
    "jobs that are at LlamaParse do not count among the two that a user may have running",
    "api/uploads",
    "postdeploy",
    mode="F34",
    about="*concurrent*|*running jobs*|*max_concurrent_jobs_per_user*|*429*",
)
def parsing_does_not_count(plan: Plan) -> None:
    # While LlamaParse has a document it costs us nothing.
    plan.replace_in_source(
        "api/uploads.py",
        "j.state IN ('queued', 'working', 'retryable')) AS running",
        "j.state IN ('queued', 'working', 'retryable')\n                      AND j.status <> 'parse_queued') AS running",
    )


@fault(
    "LL10",
    "who registers the hash of another user's document gets that user's text, whatever was sent",
    "worker",
    "postdeploy",
    mode="-",
    about="*another user*|*same content*|*sha256*|*hash*|*parsed*",
)
def text_by_declared_hash(plan: Plan) -> None:
    path, before = "backend/workers/enhanced_base_worker.py", "from backend.shared.storage"
    plan.replace_in_source(path, before, f"from backend.shared.parsing import store_parsed\n{before}")
    plan.replace_in_source(
        path,
        "        secret = secrets.token_hex(32)\n",
        "        # The same file need not be parsed, and paid for, twice.\n"
        "        known = await self.pool.fetchval(\n"
        '            """SELECT o.parsed_path FROM documents o JOIN documents d USING (file_sha256)\n'
        '               WHERE d.document_id = $1 AND o.document_id <> $1 AND o.parsed_path IS NOT NULL LIMIT 1""",\n'
        '            job["document_id"],\n'
        "        )\n"
        "        if known:\n"
        '            text = (await self.storage.read(known.partition("/")[2])).decode()\n'
        '            row = {**dict(job.items()), "user_id": document["user_id"]}\n'
        "            async with self.queue.leases.holding(job) as connection:\n"
        "                await store_parsed(connection, self.storage, row, text)\n"
        "            return\n"
        "        secret = secrets.token_hex(32)\n",
    )
