"""Variants of what surrounds the services: clocks, other people, processes, vendors' pace, ways to the database."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from twin import clock
from twin.plan import PROJECT_REF, Plan
from twin.statements import keep_statistics
from twin.variants import variant
from twin.variants.network import LATE_SECONDS, MODEL_SECONDS, PARSER_SECONDS, WEBHOOK

CLOCK_SECONDS = 2.0
HARD_PASSWORD = "p%ss:w/rd?#[&] +"


def _shift(plan: Plan, seconds: float) -> None:
    """Services and vendors are on machines of their own; the database keeps the right time."""
    text = Path(clock.__file__).read_text()
    (plan.source / "sitecustomize.py").write_text(f"{text}\n\nshift({seconds})\n")
    plan.behaviour["clock"] = dict.fromkeys(("supabase", "llamaparse", "render"), seconds)


@variant("V81", "the clocks of the services and of Supabase are two seconds ahead")
def clocks_ahead(plan: Plan) -> None:
    _shift(plan, CLOCK_SECONDS)


@variant("V82", "the clocks of the services and of Supabase are two seconds behind")
def clocks_behind(plan: Plan) -> None:
    _shift(plan, -CLOCK_SECONDS)


@variant("V83", "other people sign up, send documents and chat all the time")
def other_people(plan: Plan) -> None:
    plan.company = "meanwhile"


@variant("V84", "the API runs in two processes, and so does the worker")
def two_of_each(plan: Plan) -> None:
    plan.api_arguments += ["--workers", "2"]
    plan.processes.append("worker-2")
    plan.behaviour.setdefault("render", {})["srv-twinworker.serviceDetails.numInstances"] = 2


@variant("V97", "the database keeps statistics of its statements")
def statistics(plan: Plan) -> None:
    keep_statistics(plan)


@variant("V85", "the services were restarted, and hold users, documents and files of earlier days")
def restarted(plan: Plan) -> None:
    plan.company = "before"


@variant("V86", "the vendors take their time, within their targets")
def slow_vendors(plan: Plan) -> None:
    plan.place_before("openai", latency=MODEL_SECONDS)
    plan.place_before("llamaparse", latency=PARSER_SECONDS)


@variant("V87", "each callback of LlamaParse arrives two seconds late, and twice")
def late_callbacks(plan: Plan) -> None:
    plan.place_before("api", late={WEBHOOK: LATE_SECONDS}, repeated=[WEBHOOK])


def _set_database(plan: Plan, user: str, password: str, query: str = "") -> None:
    url = plan.config.api_env["DATABASE_URL"]
    place = url.rpartition("@")[2]
    plan.set_both("DATABASE_URL", f"postgres://{quote(user, safe='')}:{quote(password, safe='')}@{place}{query}")
    plan.set_both("SUPABASE_DB_USER", user)
    plan.set_both("SUPABASE_DB_PASSWORD", password)


@variant("V88", "the pooler's user carries the project's name, and its password is written with percent signs")
def user_of_the_pooler(plan: Plan) -> None:
    user = f"staging_user.{PROJECT_REF}"
    plan.sql += [f'ALTER ROLE staging_user RENAME TO "{user}"', f"ALTER ROLE \"{user}\" PASSWORD '{HARD_PASSWORD}'"]
    _set_database(plan, user, HARD_PASSWORD)


@variant("V89", "the pooler speaks TLS, and DATABASE_URL demands it")
def database_with_tls(plan: Plan) -> None:
    plan.behaviour.setdefault("postgres", {"delay": 0}).update(tls=True)
    _set_database(plan, "staging_user", plan.database_password, "?sslmode=require")
