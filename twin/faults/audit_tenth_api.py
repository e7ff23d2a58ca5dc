"""What callbacks bring beside what is asked for: texts of a failed parse, and of a finished one."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WEBHOOK = "api/webhook.py"
FAILED = 'str(payload.get("error") or "parsing failed")'
SAID = f"            await doubt(connection, row, {FAILED})\n"


@fault("M41", "a callback of a failed parse is logged whole", "api", "postdeploy", mode="F21|-", about="*log*")
def failed_callbacks_are_logged(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, SAID, '            log.warning("parsing failed: %s", payload)\n' + SAID)


@fault("M42", "the reason of a failed parse is the whole callback", "api", "postdeploy", mode="-", about="*last_error*")
def reason_is_the_callback(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, FAILED, "json.dumps(payload, ensure_ascii=False)")


@fault("M43", "a callback of a failed parse without a reason breaks", "api", "postdeploy", mode="-", about="*webhook*")
def no_reason_no_callback(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, FAILED, 'str(payload["error"])')


@fault("M44", "the text of a parse is logged, where it came in pages", "api", "postdeploy", mode="F21|-", about="*log*")
def pages_are_logged(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        "    if isinstance(result, list):\n",
        '    if isinstance(result, list):\n        log.info("pages: %s", result)\n',
    )
