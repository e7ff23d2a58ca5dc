"""Webhooks of parse jobs; the package's documentation describes their form."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
import time
import uuid
from typing import Any

import httpx

from twin.doubles.llamaparse.jobs import COMPLETED, FAILED, Job

ATTEMPTS = 3
PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 20.0
EVENTS = {
    "PENDING": "parse.pending",
    "RUNNING": "parse.running",
    "COMPLETED": "parse.success",
    "FAILED": "parse.error",
    "CANCELLED": "parse.cancelled",
}


def outcome(job: Job, style: str) -> dict[str, Any]:
    """What the contract's callback says of a finished job; `style` is the form of its result."""
    if job.status != COMPLETED:
        return {"jobId": job.id, "status": job.status.lower(), "error": job.error or job.status.lower()}
    text = job.markdown()
    results: dict[str, Any] = {
        "md": {"md": text},
        "txt": {"txt": text},
        "json": {"md": text, "json": [{"page": number, "md": page, "text": page} for number, page in job.pages or []]},
        "pages": [{"page": number, "md": page} for number, page in job.pages or []],
    }
    return {"jobId": job.id, "status": "completed", "result": results.get(style, {"md": text, "txt": text})}


def event(job: Job, style: str) -> dict[str, Any]:
    """An event of the second version; a final one has the outcome beside it."""
    sent = {
        "event_id": f"evt_{uuid.uuid4().hex}",
        "event_type": EVENTS[job.status],
        "timestamp": time.time(),
        "data": {"job_id": job.id, "status": job.status, "project_id": job.project_id, "error_message": job.error or None},
    }
    return sent | (outcome(job, style) if job.status in (COMPLETED, FAILED) else {})


def request_of(job: Job, hook: dict[str, Any], style: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers of one delivery."""
    headers = {"Content-Type": "application/json", "User-Agent": "llamaindex-webhook-service/1.0"}
    headers |= {str(name): str(value) for name, value in (hook.get("webhook_headers") or {}).items()}
    if hook.get("first_version"):
        payload: Any = outcome(job, style)
    else:
        payload = event(job, style)
        headers |= {"X-Webhook-Event-ID": payload["event_id"], "X-Webhook-Event-Type": payload["event_type"]}
        if hook.get("webhook_output_format") != "json":
            payload = json.dumps(payload)
    body = json.dumps(payload).encode()
    if secret := hook.get("webhook_signing_secret"):
        signature = hmac.new(str(secret).encode(), body, hashlib.sha256).hexdigest()
        headers |= {"LC-Signature": f"sha256={signature}", "X-Webhook-Signature": signature}
    return body, headers


def wants(hook: dict[str, Any], job: Job) -> bool:
    """Whether the state that the job has is an event of this webhook."""
    if hook.get("first_version"):
        return job.status in (COMPLETED, FAILED)
    events = hook.get("webhook_events")
    return events is None or EVENTS[job.status] in events


async def deliver(job: Job, trust: ssl.SSLContext, style: str = "", patience: float = PATIENCE_SECONDS) -> list[int]:
    """Tell every webhook of the job's state; one that answers slowly or with 5xx is told again, a few times.

    Returns the status of each one's last response, 0 where there was none.
    """
    prepared = [(str(hook["webhook_url"]), *request_of(job, hook, style)) for hook in job.hooks if wants(hook, job)]
    if not prepared:
        return []
    async with httpx.AsyncClient(verify=trust, timeout=patience) as client:
        return list(await asyncio.gather(*(_send(client, *each) for each in prepared)))


async def _send(client: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str]) -> int:
    status = 0
    for attempt in range(1, ATTEMPTS + 1):
        try:
            reply = await client.post(url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            reply = None
        status = 0 if reply is None else reply.status_code
        if 0 < status < 500:
            break
        await asyncio.sleep(PAUSE_SECONDS * attempt)
    return status
