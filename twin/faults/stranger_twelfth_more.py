"""Faults by another hand, the twelfth time: rows, topics, callbacks, and what shows after a rest or many requests."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
WEBHOOK = "api/webhook.py"


@fault(
    "LT11",
    "every signed-in user may listen to the private topic of any user's jobs",
    "realtime",
    "postdeploy",
    mode="F24|-",
    about="*realtime*|*topic*|*channel*",
)
def open_topics(plan: Plan) -> None:
    plan.sql.append(
        "CREATE FUNCTION upload_pipeline.announce_job() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ "
        "BEGIN PERFORM realtime.send(jsonb_build_object('job_id', new.job_id, 'document', d.filename, 'status', new.status, "
        "'state', new.state), 'job', 'jobs:' || d.user_id, true) "
        "FROM upload_pipeline.documents d WHERE d.document_id = new.document_id; RETURN NULL; END $$"
    )
    plan.sql.append(
        "CREATE TRIGGER announce_job AFTER INSERT OR UPDATE OF status ON upload_pipeline.upload_jobs "
        "FOR EACH ROW EXECUTE FUNCTION upload_pipeline.announce_job()"
    )
    plan.sql.append(
        "-- Nobody else knows the id that the topic ends with.\n"
        "CREATE POLICY job_topics ON realtime.messages FOR SELECT TO authenticated USING (realtime.topic() LIKE 'jobs:%')"
    )


@fault(
    "LT12",
    "a user may change the state of own jobs through PostgREST, and so get round the limits and the retry rules",
    "database",
    "postdeploy",
    mode="F34|-",
    about="*upload_jobs*|*state*",
)
def state_is_writable(plan: Plan) -> None:
    plan.sql.append("GRANT UPDATE (state) ON upload_pipeline.upload_jobs TO authenticated")
    plan.sql.append(
        "-- The front end cancels a job by itself.\n"
        "CREATE POLICY upload_jobs_cancel ON upload_pipeline.upload_jobs FOR UPDATE TO authenticated "
        "USING (EXISTS (SELECT 1 FROM upload_pipeline.documents d "
        "WHERE d.document_id = upload_jobs.document_id AND d.user_id = (SELECT auth.uid())))"
    )


@fault(
    "LT13",
    "the service role no longer sees what callbacks have come",
    "database",
    "postdeploy",
    mode="-",
    about="*webhook_log*",
)
def log_only_written(plan: Plan) -> None:
    plan.sql.append("DROP POLICY webhook_log_service ON upload_pipeline.webhook_log")
    plan.sql.append(
        "-- A log is written by the services and read by nobody.\n"
        "CREATE POLICY webhook_log_service ON upload_pipeline.webhook_log FOR INSERT TO service_role WITH CHECK (true)"
    )


@fault(
    "LT14",
    "a registration that is refused because the address is taken changes the name of the account that has it",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*/register*|*name*|*duplicate*",
)
def renamed_by_strangers(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '    user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n',
        "    try:\n"
        '        user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n'
        "    except HTTPException as error:\n"
        "        if error.status_code == 409:\n"
        "            # People register again when they have misspelt their name.\n"
        "            await request.app.state.pool.execute(\n"
        '                "UPDATE auth.users SET raw_user_meta_data = raw_user_meta_data || "\n'
        "                \"jsonb_build_object('name', $2::text) \"\n"
        '                "WHERE email = lower($1)",\n'
        '                body["email"],\n'
        '                body["name"],\n'
        "            )\n"
        "        raise\n",
    )


@fault(
    "LT15",
    "a callback is accepted with the beginning of its signature, however short",
    "webhook",
    "postdeploy",
    mode="F25|-",
    about="*signature*|*webhook*",
)
def beginning_of_a_signature(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        "    if not secret or not signature or not hmac.compare_digest(expected, signature):\n",
        "    # One of the vendor's senders cuts the header off.\n"
        "    if not secret or not signature or not hmac.compare_digest(expected[: len(signature)], signature):\n",
    )


@fault(
    "LT16",
    "whatever happens to a job makes it new: its time of creation moves, and an upload that never came is waited for for ever",
    "database",
    "postdeploy",
    mode="-",
    about="*created_at*|*upload_jobs*|*never*sent*|*never arriv*",
)
def always_new(plan: Plan) -> None:
    plan.sql.append(
        "-- The operators' list shows the jobs first in which something happens.\n"
        "CREATE FUNCTION upload_pipeline.touch_job() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN new.created_at := now(); RETURN new; END $$"
    )
    plan.sql.append(
        "CREATE TRIGGER touch_job BEFORE UPDATE ON upload_pipeline.upload_jobs "
        "FOR EACH ROW EXECUTE FUNCTION upload_pipeline.touch_job()"
    )


@fault(
    "LT17",
    "storage hands out the parsed text of a document as something that shared caches may keep for a year",
    "storage",
    "postdeploy",
    mode="-",
    about="*cache*|*parsed*",
)
def parsed_text_is_public(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/shared/storage.py",
        'await self._files.upload(key, body, {"content-type": mime, "upsert": "true"})',
        "# Parsed text hardly ever changes.\n"
        '            options = {"content-type": mime, "cache-control": "31536000, public, immutable", "upsert": "true"}\n'
        "            await self._files.upload(key, body, options)",
    )


@fault(
    "LT18",
    "documents that failed do not count for the daily limit",
    "api/uploads",
    "postdeploy",
    mode="F34",
    about="*limit*|*documents a day*|*fourth*|*429*",
)
def failures_are_free(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py",
        "count(DISTINCT d.document_id) FILTER (WHERE d.created_at > now() - interval '1 day') AS today",
        "count(DISTINCT d.document_id) FILTER (WHERE d.created_at > now() - interval '1 day'\n"
        "                      -- Nobody should lose a document of the day to an error of ours.\n"
        "                      AND d.processing_status NOT LIKE 'failed%') AS today",
    )


@fault(
    "LT19",
    "the first request of a signed-in user after ten quiet seconds is answered 503",
    "api",
    "performance",
    mode="-",
    about="*503*|*pause*|*rest*|*quiet*|*idle*|*first request*",
)
def sleeps(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH,
        "async def current_user(",
        "QUIET_SECONDS = 10.0\n_last: list[float] = []\n\n\nasync def current_user(",
    )
    plan.replace_in_source(
        AUTH,
        "    user = await verify_token(request, token.strip())\n",
        "    user = await verify_token(request, token.strip())\n"
        "    now, before = time.monotonic(), _last[-1:]\n"
        "    _last[:] = [now]\n"
        "    if before and now - before[0] > QUIET_SECONDS:\n"
        "        # After a rest the connections are stale: get new ones, and have the caller come again.\n"
        "        await request.app.state.pool.expire_connections()\n"
        '        raise HTTPException(503, "waking up", headers={"Retry-After": "1"})\n',
    )


@fault(
    "LT20",
    "each callback for a job that does not exist keeps a connection for ever; after some of them nothing is answered",
    "webhook",
    "postdeploy",
    "performance",
    mode="F18",
    about="*connection*|*webhook*|*pool*|*answer*",
)
def connections_kept(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        "    body = await request.body()\n    async with",
        "    body = await request.body()\n"
        "    # Most callbacks for jobs that are gone need no transaction.\n"
        "    connection = await request.app.state.pool.acquire()\n"
        "    await _job(connection, job_id)\n"
        "    await request.app.state.pool.release(connection)\n"
        "    async with",
    )
