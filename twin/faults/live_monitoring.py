"""Faults that show in the figures of the platform: memory, processor, instances, errors, what happened to services."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

API = "api/application.py"
WORKER = "backend/workers/enhanced_base_worker.py"
REQUEST_BEGINS = "        started = time.perf_counter()\n"
POLL_BEGINS = '        """Claim and process one job; False when none is due."""\n'
API_IS_UP = "        app.state.pool = await open_pool(config)\n        yield\n"
WORKER_IS_UP = '        log.info("worker started, polling every %s s", self.config.poll_interval)\n'
API_ID, WORKER_ID = "srv-twinapi", "srv-twinworker"
# Bytes that are kept; written, because memory that nothing was written to is not used.
OF_A_REQUEST, OF_A_POLL, OF_A_FAST_LEAK, OF_THE_START = 700_000, 2_000_000, 30_000_000, 415_000_000


def _keep_of_each_poll(plan: Plan, count: int) -> None:
    plan.replace_in_source(WORKER, "BATCH = 256\n", "BATCH = 256\nKEPT = []\n")
    plan.replace_in_source(WORKER, POLL_BEGINS, POLL_BEGINS + f'        KEPT.append(b"x" * {count})\n')


def day_of(plan: Plan, service: str, **figures: float) -> None:
    """What the platform shows of the time before the twin began."""
    plan.behaviour.setdefault("render_figures", {}).update(
        {f"{service} {name.replace('_', '-')}": value for name, value in figures.items()}
    )


def fill_disk(plan: Plan, service: str) -> None:
    """A disk of a gigabyte at a service, which was nearly full all day."""
    disk = {"id": "dsk-twin", "name": "scratch", "sizeGB": 1, "mountPath": "/scratch"}
    plan.behaviour.setdefault("render", {})[f"{service}.serviceDetails.disk"] = disk
    day_of(plan, service, disk_usage=9.6e8)


@fault("LC01", "the API keeps something of each request", "api", "maintenance", mode="-", about="*memory of api*")
def leak_in_the_api(plan: Plan) -> None:
    plan.restarts = False
    plan.replace_in_source(API, "VENDOR_SECONDS = 30.0\n", "VENDOR_SECONDS = 30.0\nKEPT = []\n")
    plan.replace_in_source(API, REQUEST_BEGINS, f'        KEPT.append(b"x" * {OF_A_REQUEST})\n' + REQUEST_BEGINS)


@fault("LC02", "the worker keeps something of each poll", "worker", "maintenance", mode="-", about="*memory of worker*")
def leak_in_the_worker(plan: Plan) -> None:
    plan.restarts = False
    _keep_of_each_poll(plan, OF_A_POLL)


@fault(
    "LC03",
    "the worker ends two seconds after each start",
    "worker",
    "maintenance",
    "postdeploy",
    mode="-",
    about="*worker keeps ending by itself*",
)
def worker_in_a_loop(plan: Plan) -> None:
    ends = "        asyncio.get_running_loop().call_later(2, __import__('os')._exit, 1)\n"
    plan.replace_in_source(WORKER, WORKER_IS_UP, WORKER_IS_UP + ends)


@fault(
    "LC04",
    "the API ends five seconds after each start",
    "api",
    "maintenance",
    "postdeploy",
    mode="-",
    about="*api keeps ending by itself*",
)
def api_in_a_loop(plan: Plan) -> None:
    ends = "        __import__('asyncio').get_running_loop().call_later(5, __import__('os')._exit, 3)\n"
    plan.replace_in_source(API, API_IS_UP, API_IS_UP.replace("        yield\n", f"{ends}        yield\n"))


@fault(
    "LC05",
    "the worker needs more memory than it has, and is ended for it",
    "worker",
    "maintenance",
    "postdeploy",
    mode="-",
    about="*worker was killed*memory*",
)
def out_of_memory(plan: Plan) -> None:
    _keep_of_each_poll(plan, OF_A_FAST_LEAK)


@fault(
    "LC06",
    "the worker loads almost as much as its memory holds",
    "worker",
    "maintenance",
    mode="-",
    about="*memory of worker*",
)
def memory_is_nearly_full(plan: Plan) -> None:
    plan.restarts = False
    plan.replace_in_source(WORKER, "BATCH = 256\n", f'BATCH = 256\nKEPT = b"x" * {OF_THE_START}\n')


@fault("LC07", "the worker polls without a pause, all day", "worker", "maintenance", mode="-", about="*worker uses*")
def no_pause(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "self.poll_seconds = config.poll_interval / config.speedup", "self.poll_seconds = 0.0")
    day_of(plan, WORKER_ID, cpu=0.47)


@fault(
    "LC08",
    "two workers run where one is agreed",
    "worker",
    "maintenance",
    mode="-",
    about="*worker does not run the agreed number*",
)
def two_workers(plan: Plan) -> None:
    plan.processes.append("worker-2")


@fault(
    "LC09",
    "other people cannot register",
    "api",
    "maintenance",
    mode="-",
    about="*api returns 5xx*",
)
def errors_of_others(plan: Plan) -> None:
    plan.company = "meanwhile"
    log = "api/request_log.py"
    plan.replace_in_source(log, "import time\n", "import time\n\nfrom starlette.responses import JSONResponse\n")
    fails = (
        '        fails = scope["path"] == "/register" and b"python-httpx" in dict(scope["headers"]).get(b"user-agent", b"")\n'
        '        app = JSONResponse({"detail": "internal error"}, status_code=500) if fails else self.app\n'
    )
    plan.replace_in_source(log, "        try:\n            await self.app(", f"{fails}        try:\n            await app(")


@fault(
    "LC10",
    "a deploy of the worker began and has not ended",
    "worker",
    "postdeploy",
    mode="-",
    about="*deploy of worker*",
)
def deploy_under_way(plan: Plan) -> None:
    details = {"deployId": "dep-twin2worker", "trigger": {"manual": True}}
    plan.behaviour["render_events"] = [{"service": WORKER_ID, "type": "deploy_started", "details": details}]


@fault("LC11", "the worker's disk is nearly full", "worker", "maintenance", mode="-", about="*disk of worker*")
def full_disk(plan: Plan) -> None:
    fill_disk(plan, WORKER_ID)


@fault(
    "LC12",
    "the API had much traffic all day",
    "api",
    "maintenance",
    mode="-",
    about="*traffic of api*",
)
def much_traffic(plan: Plan) -> None:
    day_of(plan, API_ID, bandwidth=500.0)


@fault("LC13", "responses of the API took six seconds all day", "api", "maintenance", mode="-", about="*api is slow*")
def slow_all_day(plan: Plan) -> None:
    day_of(plan, API_ID, http_latency=6000.0)
