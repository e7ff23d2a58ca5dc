"""The configuration of a parse job in the second version: what is accepted, and what is refused with a 422."""

from __future__ import annotations

from typing import Any

from twin.doubles.llamaparse.errors import Refused, invalid, missing, unknown_value
from twin.doubles.llamaparse.jobs import CREDITS, pages_of

TIERS = list(CREDITS)
# The newest first: what `latest` stands for.
VERSIONS: dict[str, list[str]] = {
    "agentic": ["2026-10-16", "2026-10-15", "2026-09-29", "2026-09-28", "2026-09-24", "2026-09-13"],
    "agentic_plus": ["2026-09-28", "2026-09-24", "2026-09-11", "2026-08-19", "2026-07-08", "2026-06-18"],
    "cost_effective": ["2026-09-28", "2026-08-19", "2026-08-11", "2026-08-08", "2026-07-23", "2026-06-26"],
    "fast": ["2026-06-15", "2025-12-11"],
}
EVENTS = [f"parse.{name}" for name in ("success", "error", "partial_success", "pending", "running", "cancelled")]
OUTPUT_FORMATS = ["string", "json"]


def check(given: dict[str, Any], at: list[str | int]) -> None:
    """Raises Refused where a configuration is not one; `at` is its place in the request."""
    for name in ("tier", "version"):
        if given.get(name) is None:
            raise missing([*at, name], given)
    tier, version = given["tier"], given["version"]
    if tier not in TIERS:
        raise unknown_value([*at, "tier"], TIERS, tier)
    if version != "latest" and version not in VERSIONS[tier]:
        raise invalid([*at, "version"], f"Value error, version {version} is not one of tier {tier}", given=version)
    _check_pages(given.get("page_ranges"), at)
    _check_crop(given.get("crop_box"), at)
    check_hooks(given.get("webhook_configurations"), at)


def _check_pages(ranges: Any, at: list[str | int]) -> None:
    if ranges is None:
        return
    place = [*at, "page_ranges"]
    if not isinstance(ranges, dict):
        raise invalid(place, "Input should be a valid dictionary", "model_type", ranges)
    maximum, target = ranges.get("max_pages"), ranges.get("target_pages")
    if maximum is not None and (not isinstance(maximum, int) or maximum < 1):
        raise invalid([*place, "max_pages"], "Input should be greater than 0", "greater_than", maximum)
    if target is not None:
        try:
            pages_of(str(target))
        except ValueError as error:
            raise invalid([*place, "target_pages"], f"Value error, {error}", given=target) from None


def _check_crop(box: Any, at: list[str | int]) -> None:
    for side, ratio in (box or {}).items():
        if ratio is not None and not 0 <= float(ratio) <= 1:
            raise invalid([*at, "crop_box", side], "Input should be less than or equal to 1", "less_than_equal", ratio)


def check_hooks(hooks: Any, at: list[str | int]) -> None:
    """Raises Refused where one of the webhooks is not one."""
    for number, hook in enumerate(hooks or []):
        check_hook(hook, [*at, "webhook_configurations", number], EVENTS)


def check_hook(hook: dict[str, Any], at: list[str | int], events: list[str]) -> None:
    """Raises Refused where this is no webhook."""
    url = hook.get("webhook_url")
    if url is not None and not str(url).startswith(("https://", "http://")):
        raise invalid([*at, "webhook_url"], "Value error, webhook_url must be an HTTP or HTTPS URL", given=url)
    wanted = hook.get("webhook_events")
    if wanted is not None and not wanted:
        raise invalid([*at, "webhook_events"], "List should have at least 1 item after validation, not 0", "too_short", wanted)
    for number, name in enumerate(wanted or []):
        if name not in events:
            raise unknown_value([*at, "webhook_events", number], events, name)
    form = hook.get("webhook_output_format")
    if form is not None and form not in OUTPUT_FORMATS:
        raise unknown_value([*at, "webhook_output_format"], OUTPUT_FORMATS, form)


def check_tags(tags: Any) -> None:
    """Raises Refused where a job's own key/value tags are not texts, or too many or too long."""
    if tags is None:
        return
    place: list[str | int] = ["body", "user_metadata"]
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise invalid(place, "Input should be a valid string", "string_type", tags)
    if len(tags) > 50 or any(len(key) > 64 or len(value) > 512 for key, value in tags.items()):
        raise Refused(422, "user_metadata is too large")
