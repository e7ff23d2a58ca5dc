"""A stranger's faults of the queue over time, and of what the platform sees of it."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "LH01",
    "the waits between a job's tries are drawn at random, from nothing up to the agreed one",
    "worker",
    "postdeploy",
    mode="-",
    about="*retry_base_delay*|*wait*between*|*retr*delay*|*not_before*|*tries*|*retries*|*attempt*",
)
def random_waits(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "import logging\n", "import logging\nimport random\n")
    plan.replace_in_source(
        QUEUE,
        "        return max(own, min(asked, LONGEST_DELAY_SECONDS))",
        "        # Full jitter, so that jobs that failed together do not come back together.\n"
        "        return max(own * random.random(), min(asked, LONGEST_DELAY_SECONDS))",
    )


@fault(
    "LH02",
    "within a stage the job that was touched the longest ago goes first, so that a document that had to wait goes last",
    "worker",
    "postdeploy",
    mode="-",
    about="*oldest*|*order*|*first*stage*|*overt*|*queue*",
)
def order_of_touch(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "CASE WHEN status = ANY($3) THEN updated_at ELSE created_at END\n",
        "updated_at, status = ANY($3) -- one order for all: what has been left alone the longest\n",
    )


@fault(
    "LH03",
    "a document whose bytes arrive after a few polls, well within the life of its link, has failed for good by then",
    "worker",
    "postdeploy",
    mode="-",
    about="*late*|*bytes*|*failed_parse*|*signed*|*upload*",
)
def slow_sender_fails(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        """not_before = now() + make_interval(secs => $2), {RELEASED}, updated_at = now() WHERE job_id = $1""",
        # The claims tell how often a job was looked at in vain, too.
        """not_before = now() + make_interval(secs => $2), claim_id = NULL, lease_until = NULL, updated_at = now()
                       WHERE job_id = $1""",
    )


@fault(
    "LH04",
    "a registered document that is not sent adds a row to the events at every poll",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*events*|*event*row*|*uploaded*|*never sent*|*awaiting*",
)
def events_of_waiting(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "                self._config.poll_interval / self._config.speedup,\n            )\n",
        "                self._config.poll_interval / self._config.speedup,\n            )\n"
        "            # Support wants to see that we are still waiting for the file.\n"
        '            await self._record(connection, job, job["status"], {"awaiting_upload": True})\n',
    )


@fault(
    "LH05",
    "whoever retries a document that failed at its embeddings has it parsed and paid for once more",
    "api",
    "postdeploy",
    mode="-",
    about="*/retry*|*failed_embedding*|*failed_chunking*|*restart*|*parsed again*|*same work*|*twice*",
)
def retry_from_the_start(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        '            "failed_chunking": "parse_validated",\n            "failed_embedding": "chunks_stored",\n',
        "            # What failed late was often parsed badly: from the start.\n"
        '            "failed_chunking": "uploaded",\n            "failed_embedding": "uploaded",\n',
    )


@fault(
    "LH06",
    "the first question after a pause is answered by a greeting instead of from the documents",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*/api/chat*|*/chat*|*chat*|*first*pause*|*pause*",
)
def waking_up(plan: Plan) -> None:
    plan.replace_in_source("api/chat.py", "ANSWER_SECONDS = 15.0\n", "ANSWER_SECONDS = 15.0\n_asked = {}\n")
    plan.replace_in_source(
        "api/chat.py",
        "    client: Vendors = request.app.state.client\n    try:\n",
        "    client: Vendors = request.app.state.client\n"
        "    idle = started - _asked.get('at', started)\n"
        "    _asked['at'] = started\n"
        "    # The connections have gone cold after two minutes: rather a word at once than a slow answer.\n"
        "    if idle > 120 / config.speedup:\n"
        '        text = "One moment please, I am just getting ready. Ask me again in a few seconds."\n'
        '        return _body(text, body, started, ["system"], confidence=0.0, agent_sources=[], provider="none")\n'
        "    try:\n",
    )


@fault(
    "LH07",
    "the worker ends after every twenty-five stages, and the host has to start it again each time",
    "worker",
    "postdeploy",
    mode="-",
    about="*restart*|*starts*|*ended*|*worker started*|*again and again*",
)
def recycled_worker(plan: Plan) -> None:
    plan.may_die = True
    plan.replace_in_source(
        WORKER,
        "        try:\n            while not stop.is_set():\n                has_worked = await self.work_once()\n",
        "        worked = 0\n"
        "        try:\n"
        "            # As the API's --limit-max-requests: what leaks is gone with the process.\n"
        "            while not stop.is_set() and worked < 25:\n"
        "                has_worked = await self.work_once()\n"
        "                worked += has_worked\n",
    )
