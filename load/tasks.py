"""What people do, task by task: health, sign-in, profile, jobs, status, upload and chat. How often is data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from load.people import People


@dataclass(frozen=True)
class Request:
    """One request of a task to an endpoint of the specification; `path` where it is not the endpoint's own."""

    task: str
    endpoint: str
    token: str = ""
    path: str = ""
    json: dict[str, object] | None = None


class Answered(Protocol):
    """The part of Locust's response that the tasks read."""

    @property
    def status_code(self) -> int: ...

    def json(self) -> Any: ...


Send = Callable[[Request], Answered]
Task = Callable[[People, Send], None]


def health(people: People, send: Send) -> None:
    """GET /health."""
    send(Request("health", "health"))


def sign_in(people: People, send: Send) -> None:
    """POST /login."""
    account = people.account()
    send(Request("sign_in", "login", json={"email": account.email, "password": account.password}))


def profile(people: People, send: Send) -> None:
    """GET /me."""
    send(Request("profile", "me", people.account().token))


def jobs(people: People, send: Send) -> None:
    """GET the caller's jobs."""
    send(Request("jobs", "jobs", people.account().token))


def status(people: People, send: Send) -> None:
    """GET the state of a job that was uploaded, as a page does that waits for it."""
    found = people.job()
    if found is None:
        jobs(people, send)
        return
    owner, job_id = found
    path = people.session.spec.endpoint("job").path.replace("{job_id}", job_id)
    send(Request("status", "job", owner.token, path))


def upload(people: People, send: Send) -> None:
    """POST an upload request and send the document, within the limits of each user."""
    new = people.upload()
    reply = send(Request("upload", "upload", new.owner.token, json=new.body))
    if reply.status_code == people.session.spec.endpoint("upload").success:
        answer = reply.json()
        people.remember_job(new.owner, str(answer["job_id"]))
        people.send(str(answer["signed_url"]), new.document.body)


def chat(people: People, send: Send) -> None:
    """POST a question about an own document."""
    token, question = people.question()
    send(Request("chat", "chat", token, json={"message": question}))


TASKS: Mapping[str, Task] = {
    "health": health,
    "sign_in": sign_in,
    "profile": profile,
    "jobs": jobs,
    "status": status,
    "upload": upload,
    "chat": chat,
}
