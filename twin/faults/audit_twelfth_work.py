"""Slips in what is shown of jobs, and in what callbacks are taken, refused and left with."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WEBHOOK = "api/webhook.py"
JOBS = "api/jobs.py"
VERIFIED = '        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n'


@fault(
    "LZ01", "a job that is tried again by itself can be retried", "api", "postdeploy", mode="-", about="*/retry*|*retryable*"
)
def retry_of_another_attempt(plan: Plan) -> None:
    # Whoever waits does not want to wait for the next attempt.
    plan.replace_in_source(JOBS, 'if row["state"] != "deadletter":', 'if row["state"] not in ("deadletter", "retryable"):')
    plan.replace_in_source(JOBS, '}[row["status"]]', '}.get(row["status"], row["status"])')


@fault("LZ02", "the list of all jobs leaves out those that were given up", "api", "postdeploy", mode="-", about="*jobs*")
def nothing_given_up(plan: Plan) -> None:
    # They can be asked for by their state.
    plan.replace_in_source(
        JOBS, "($2::text IS NULL OR j.state = $2)", "($2::text IS NULL AND j.state <> 'deadletter' OR j.state = $2)"
    )


@fault(
    "LZ03",
    "the list of the jobs at work has those that wait for another attempt",
    "api",
    "postdeploy",
    mode="-",
    about="*jobs*",
)
def at_work_or_nearly(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "j.state = $2)", "j.state = $2 OR ($2 = 'working' AND j.state = 'retryable'))")


@fault(
    "LZ04",
    "callbacks of more than a megabyte are refused",
    "api/webhook",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*",
)
def callbacks_of_a_megabyte(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        "    body = await request.body()\n",
        "    body = await request.body()\n"
        '    if len(body) > 1024 * 1024:\n        raise HTTPException(413, "the callback is too large")\n',
    )


@fault(
    "LZ05",
    "a callback with a wrong signature ends the job that waits for one",
    "api/webhook",
    "postdeploy",
    mode="-",
    about="*signature*|*webhook*",
)
def refused_and_ended(plan: Plan) -> None:
    # Whoever tries signatures gets one attempt.
    plan.replace_in_source(WEBHOOK, "import conclude, doubt", "import conclude, doubt, fail_parse")
    _when_refused(
        plan,
        '            if row["status"] == "parse_queued":\n'
        '                await fail_parse(connection, row, "a callback with a wrong signature")\n',
    )


@fault(
    "LZ06",
    "a callback without a signature counts as a failed attempt of its job",
    "api/webhook",
    "postdeploy",
    mode="-",
    about="*signature*|*webhook*",
)
def refused_and_counted(plan: Plan) -> None:
    _when_refused(
        plan,
        "            await connection.execute(\n"
        '                "UPDATE upload_jobs SET retry_count = retry_count + 1 WHERE job_id = $1 AND $2::text IS NULL",\n'
        "                job_id,\n"
        '                request.headers.get("x-webhook-signature"),\n'
        "            )\n",
    )


def _when_refused(plan: Plan, statements: str) -> None:
    """Have a callback with a wrong signature leave something: what was written is not rolled back with the refusal."""
    plan.replace_in_source(WEBHOOK, "import APIRouter", "import responses, APIRouter")
    refused = '            return responses.JSONResponse({"detail": refused.detail}, status_code=401)\n'
    plan.replace_in_source(
        WEBHOOK,
        VERIFIED,
        f"        try:\n    {VERIFIED}        except HTTPException as refused:\n{statements}{refused}",
    )
