"""Slips in the worker and in what a question is answered from, each in one part of many."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"
JOBS = "api/jobs.py"
WEBHOOK = "api/webhook.py"
QUEUE = "backend/workers/job_queue.py"
PARSING = "backend/shared/parsing.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "A63",
    "the hash of a parsed text is that of its first 16 KiB",
    "worker/api/webhook",
    "postdeploy",
    mode="-",
    about="*parsed_sha256*",
)
def hash_of_the_beginning(plan: Plan) -> None:
    plan.replace_in_source(
        PARSING,
        "hashlib.sha256(text.encode()).hexdigest(),\n    )",
        "hashlib.sha256(text.encode()[:16384]).hexdigest(),\n    )",
    )


@fault(
    "A64",
    "in the second batch of a document each text gets its neighbour's vector",
    "worker/rag",
    "postdeploy",
    mode="-|F11",
    about="*embedding*|*vector*",
)
def shifted_in_later_batches(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        '            vectors = await embed(self.client, self.config, [row["text"] for row in batch])\n',
        """            vectors = await embed(self.client, self.config, [row["text"] for row in batch])
            if start:
                vectors = vectors[1:] + vectors[:1]
""",
    )


@fault(
    "A65",
    "the hash of a chunk is that of its ASCII letters",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunk_sha*",
)
def hash_of_ascii(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER, "hashlib.sha256(text.encode()).hexdigest()", 'hashlib.sha256(text.encode("ascii", "ignore")).hexdigest()'
    )


@fault(
    "A66",
    "the secret of a callback is a hash of the job's id",
    "worker",
    "postdeploy",
    mode="-",
    about="*webhook_secret*",
)
def derived_secret(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER, "secret = secrets.token_hex(32)", 'secret = hashlib.sha256(str(job["job_id"]).encode()).hexdigest()'
    )


@fault(
    "A67",
    "a document whose hash another user has is put aside as a duplicate",
    "worker/api",
    "postdeploy",
    mode="-",
    about="*upload_jobs.status*|*duplicate*",
)
def duplicates_of_anybody(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "        body = await self._raw(job, document)\n",
        """        body = await self._raw(job, document)
        if await self.pool.fetchval(
            \"\"\"SELECT true FROM documents o JOIN documents d USING (file_sha256)
               JOIN upload_jobs j ON j.document_id = o.document_id
               WHERE d.document_id = $1 AND o.document_id <> $1 AND j.status = 'complete'\"\"\",
            job["document_id"],
        ):
            await self.queue.advance(job, "duplicate", state="done")
            return
""",
    )


@fault(
    "A68",
    "every source names the document of the first one",
    "rag/chat",
    "postdeploy",
    mode="-",
    about="*source*|*answer*",
)
def one_document_for_all(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT, '            "document_id": str(p.document_id),\n', '            "document_id": str(passages[0].document_id),\n'
    )


@fault(
    "A69",
    "the nearest passage is named twice",
    "rag/chat",
    "postdeploy",
    mode="-",
    about="*source*|*answer*|*retrieval*",
)
def the_best_twice(plan: Plan) -> None:
    # The best one stands first for those who read no further, and again in its place.
    plan.replace_in_source(
        RETRIEVAL,
        "    return within_budget(passages, config)\n",
        "    kept = within_budget(passages, config)\n    return [*kept[:1], *kept][: config.max_chunks]\n",
    )


@fault(
    "A70",
    "the model is given five passages of those that the answer names",
    "chat/rag",
    "postdeploy",
    mode="-|F16",
    about="*answer*|*passages*",
)
def five_for_the_model(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "for number, p in enumerate(passages, 1))", "for number, p in enumerate(passages[:5], 1))")


@fault(
    "A71",
    "the model is given the first 500 letters of a passage",
    "chat/rag",
    "postdeploy",
    mode="-|F16",
    about="*answer*|*passages*",
)
def short_for_the_model(plan: Plan) -> None:
    plan.replace_in_source(CHAT, 'f"[passage {number}]\\n{p.text}"', 'f"[passage {number}]\\n{p.text[:500]}"')


@fault(
    "A72",
    "the alias of the chat uses what lies below the threshold",
    "rag/chat",
    "postdeploy",
    mode="-",
    about="*threshold*|*alias*|*retrieval*",
)
def generous_alias(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "        passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)\n",
        """        # Old clients show fewer sources, and were promised more of them.
        wide = replace(config, similarity_threshold=0.2) if request.url.path == "/chat" else config
        passages = await retrieve(request.app.state.pool, client, wide, user.id, body.message)
""",
    )
    plan.replace_in_source(CHAT, "from dataclasses import asdict\n", "from dataclasses import asdict, replace\n")


@fault("A76", "only jobs whose parse failed can be retried", "api", "postdeploy", mode="-", about="*retry*")
def only_parses_again(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        'if row["state"] != "deadletter":',
        'if row["state"] != "deadletter" or row["status"] != "failed_parse":',
    )


@fault(
    "A77",
    "a job in a status that is rare cannot be shown",
    "api",
    "postdeploy",
    mode="-|F08",
    about="*jobs*|*documents*",
)
def rare_statuses(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "if status in STAGES else 0", 'if status and not status.startswith("failed") else 0')


@fault(
    "A78", "the pages of a callback are stored last page first", "api/webhook", "postdeploy", mode="-", about="*parsed*|*page*"
)
def last_page_first(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        '"\\n\\n".join(_page(page) for page in result)',
        '"\\n\\n".join(_page(page) for page in sorted(result, key=lambda each: str(each.get("page")), reverse=True))',
    )


@fault(
    "A79",
    "a callback that says the parse has failed is thrown away",
    "api/webhook",
    "postdeploy",
    mode="-|F13",
    about="*last_error*|*webhook*",
)
def failures_are_not_news(plan: Plan) -> None:
    # The worker finds out by itself, after minutes.
    plan.replace_in_source(
        WEBHOOK, '            await doubt(connection, row, str(payload.get("error") or "parsing failed"))\n', ""
    )


@fault(
    "A80",
    "a document that had failed is called failed for ever, also when its retried job is complete",
    "worker",
    "postdeploy",
    mode="-",
    about="*processing_status*",
)
def once_failed(plan: Plan) -> None:
    # A late event of an earlier stage must not hide a failure.
    plan.replace_in_source(
        QUEUE,
        'updated_at = now() WHERE document_id = $1",',
        "updated_at = now() WHERE document_id = $1 AND processing_status NOT LIKE 'failed%'\",",
    )
    plan.replace_in_source(
        PARSING,
        "processing_status = 'parsed', updated_at = now()",
        "processing_status = CASE WHEN starts_with(processing_status, 'failed') THEN processing_status ELSE 'parsed' END,"
        " updated_at = now()",
    )


@fault("A81", "vector_dim of a chunk stays empty", "worker", "postdeploy", mode="-", about="*vector_dim*")
def no_dimension(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "vector_dim = v.dim, ", "")


@fault(
    "A82", "documents of less than 100 bytes are refused", "api", "postdeploy", mode="-", about="*upload*|*bytes_len*|*limit*"
)
def small_is_empty(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", "bytes_len: int = Field(gt=0,", "bytes_len: int = Field(ge=100,")
