"""Slips in callbacks and in what is shown and stored of jobs: each in one state, one form, or when two come together."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

PARSING = "backend/shared/parsing.py"
WEBHOOK = "api/webhook.py"
JOBS = "api/jobs.py"


@fault(
    "LW03",
    "a callback for a job without a secret is accepted when its key is empty",
    "api/webhook",
    "postdeploy",
    mode="-",
    about="*signature*|*webhook*",
)
def empty_key(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "if not secret or not signature", "if not signature")


@fault("LW04", "the job of a parse that failed is done", "worker/api", "postdeploy", mode="-", about="*upload_jobs.stat*|*job*")
def failed_parse_is_done(plan: Plan) -> None:
    # Nothing is left to be done for it.
    plan.replace_in_source(PARSING, "status = 'failed_parse', state = 'deadletter'", "status = 'failed_parse', state = 'done'")


@fault(
    "LW06",
    "a job that is retried is said to have been made just now",
    "api/database",
    "postdeploy",
    mode="-",
    about="*created_at*",
)
def made_anew(plan: Plan) -> None:
    # So that it does not pass by others that wait.
    plan.replace_in_source(JOBS, "{RELEASED}, updated_at = now()", "{RELEASED}, created_at = now(), updated_at = now()")


@fault(
    "LW11",
    "the event of a parse that failed says that the cutting has failed",
    "worker/api",
    "postdeploy",
    mode="-",
    about="*events*|*recorded*",
)
def event_of_another_step(plan: Plan) -> None:
    plan.replace_in_source(
        PARSING, '_event(connection, row, "failed_parse", error)', '_event(connection, row, "failed_chunking", error)'
    )


@fault(
    "LW12",
    "a callback that comes twice at the same moment takes effect twice",
    "api/webhook",
    "postdeploy",
    mode="-",
    about="*more than once*|*twice*|*upload_jobs.status*",
)
def without_a_lock(plan: Plan) -> None:
    # A lock holds up the worker.
    plan.replace_in_source(WEBHOOK, " WHERE j.job_id = $1 FOR UPDATE OF j", " WHERE j.job_id = $1")


@fault("LW13", "a job of more than a month is not shown", "api", "postdeploy", mode="-|F08", about="*jobs*")
def job_of_a_month(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        'WHERE j.job_id = $1 AND d.user_id = $2",\n',
        "WHERE j.job_id = $1 AND d.user_id = $2 AND j.created_at > now() - interval '30 days'\",\n",
    )


@fault("LW14", "a document of more than a month has no status", "api", "postdeploy", mode="-|F08", about="*documents*")
def document_of_a_month(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        "WHERE d.document_id = $1 AND d.user_id = $2 ORDER",
        "WHERE d.document_id = $1 AND d.user_id = $2 AND d.created_at > now() - interval '30 days' ORDER",
    )


@fault("LW15", "jobs of more than a month are not listed", "api", "postdeploy", mode="-", about="*jobs*")
def listing_of_a_month(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS, "WHERE d.user_id = $1 AND ($2", "WHERE d.user_id = $1 AND j.created_at > now() - interval '30 days' AND ($2"
    )


@fault("LW17", "a job of more than a month cannot be retried", "api", "postdeploy", mode="-", about="*retry*")
def retry_of_a_month(plan: Plan) -> None:
    # What was parsed then is not kept for ever.
    plan.replace_in_source(
        JOBS,
        'if row["state"] != "deadletter":',
        'if row["state"] != "deadletter" or (row["updated_at"] - row["created_at"]).days > 30:',
    )
