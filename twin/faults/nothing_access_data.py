"""Faults of access beside the API's tokens: signatures, links, files, topics and sessions, each in a place of its own."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WEBHOOK = "api/webhook.py"


@fault("N41", "a signed link opens every object", "storage", "postdeploy", mode="-", about="*link for another object*|*signed*")
def links_for_all(plan: Plan) -> None:
    plan.config.behaviour.setdefault("supabase", {})["links"] = "any object"


@fault("N42", "a signed link never ends", "storage", "postdeploy", mode="-", about="*link that has ended*")
def endless_links(plan: Plan) -> None:
    plan.config.behaviour.setdefault("supabase", {})["links"] = "any time"


@fault("N46", "realtime shows every user all changes", "realtime", "postdeploy", mode="-", about="*changes of*")
def changes_for_all(plan: Plan) -> None:
    plan.config.behaviour.setdefault("supabase", {})["topics"] = "everybody"


@fault("N47", "realtime believes tokens without their signature", "realtime", "postdeploy", mode="-", about="*changes of*")
def unverified_joins(plan: Plan) -> None:
    plan.config.behaviour.setdefault("supabase", {})["topics"] = "unverified"


@fault(
    "N48",
    "a job that waits for no callback accepts one that an empty secret signed",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*empty secret*",
)
def empty_secret(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "if not secret or not signature or", "if not signature or")


@fault(
    "N49",
    "a callback may be signed with any job's secret",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*another job's secret*",
)
def any_secret(plan: Plan) -> None:
    verified = '        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n'
    plan.replace_in_source(
        WEBHOOK,
        verified,
        '        given = request.headers.get("x-webhook-signature")\n'
        '        known = await connection.fetch("SELECT webhook_secret FROM upload_jobs WHERE webhook_secret IS NOT NULL")\n'
        '        signatures = [hmac.new(one["webhook_secret"].encode(), body, hashlib.sha256).hexdigest() for one in known]\n'
        "        if given not in signatures:\n"
        '            raise HTTPException(401, "wrong or missing signature")\n',
    )


@fault(
    "N50",
    "the webhook asks whoever sends the service key for no signature",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*service key unsigned*",
)
def operators_callback(plan: Plan) -> None:
    verified = '        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n'
    plan.replace_in_source(
        WEBHOOK,
        verified,
        '        if request.headers.get("authorization") != f"Bearer {request.app.state.config.service_key}":\n    ' + verified,
    )


@fault(
    "N51",
    "a storage policy lets every user write into every folder",
    "storage",
    "postdeploy",
    mode="-",
    about="*another user*POST /object/*",
)
def writers(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY writers ON storage.objects FOR INSERT TO authenticated WITH CHECK (bucket_id = 'files');"
        "CREATE POLICY readers ON storage.objects FOR SELECT TO authenticated USING (owner_id = auth.uid()::text)"
    )


@fault("N54", "a refresh token is good after its user signed out", "auth", "postdeploy", mode="-", about="*after sign-out*")
def kept_sessions(plan: Plan) -> None:
    plan.config.behaviour.setdefault("supabase", {})["sessions"] = "kept"
