"""Whole classes at once, in images, keys and accounts (as `whole_classes`, for the same end)."""

from __future__ import annotations

from twin.faults import fault
from twin.faults.live_audit import API, WORKER
from twin.faults.live_builds import exclude_each_other
from twin.faults.live_updates import ending_in
from twin.plan import Plan

DAY = 24 * 3600


@fault(
    "LJ31",
    "both services are suspended at the host",
    "render",
    "maintenance",
    mode="-|F36",
    about="*suspended*|*api*|*worker*",
)
def suspended(plan: Plan) -> None:
    # The next demonstration is on Monday.
    held = {f"{service}.suspended": "suspended" for service in (API, WORKER)}
    plan.behaviour.setdefault("render", {}).update(held)


@fault("LJ32", "the API's service was removed from the host", "render", "maintenance", mode="-|F36", about="*api*")
def api_is_gone(plan: Plan) -> None:
    plan.config.behaviour["render_gone"] = [API]


@fault(
    "LJ33",
    "the vendors' keys are of other projects, and what they may use is nearly used up",
    "openai/anthropic",
    "maintenance",
    "postdeploy",
    mode="-",
    about="*openai*|*anthropic*|*project*|*limit*",
)
def nearly_used_up(plan: Plan) -> None:
    # Another team pays.
    plan.behaviour.setdefault("openai", {}).update(project="proj_elsewhere", organization="org-elsewhere", used=0.97)
    plan.behaviour.setdefault("anthropic", {}).update(organization="elsewhere", used=0.97)


@fault(
    "LJ34",
    "the API's image is of an old Python, and the worker's Dockerfile uses sudo",
    "build",
    "maintenance",
    mode="-",
    about="*image api*|*image worker*|*DL3004*",
)
def old_images(plan: Plan) -> None:
    plan.replace_in_source("Dockerfile", "FROM python:3.11-slim", "FROM python:3.9-slim")
    worker = plan.source / "backend" / "workers" / "Dockerfile"
    # The base image of the company wants it.
    worker.write_text(f"{worker.read_text()}RUN sudo true\n")


@fault("LJ35", "two requirements of the API exclude each other", "build", "maintenance", mode="-|F17", about="*left-parser*")
def conflict_of_the_api(plan: Plan) -> None:
    exclude_each_other(plan, "requirements-prod.txt")


@fault(
    "LJ36",
    "the project's anon key ended yesterday, and Supabase still takes it",
    "supabase",
    "maintenance",
    "predeploy",
    mode="-",
    about="*SUPABASE_ANON_KEY*",
)
def anon_key_ends(plan: Plan) -> None:
    plan.config.anon_key = ending_in(plan, plan.config.anon_key, -DAY)
