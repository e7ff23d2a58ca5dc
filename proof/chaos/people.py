"""The users of a run as their programs behave: what fails is repeated, jobs are polled, and questions asked now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from fixtures.accounts import sign_in
from fixtures.api import Api, job_ids
from fixtures.documents import Document, load_library, make
from fixtures.drills.undisturbed import undisturbed
from fixtures.stored import object_key
from fixtures.uploads import Accepted
from fixtures.users import User, Users
from gate.failures import Blocked, Failure
from gate.fields import text_in, uuid_in
from gate.http import Reply, expect
from gate.session import Session
from proof.chaos.happened import ASK, FIND, POLL, SEND, SIGN_IN, UPLOAD, Asked, Happened, Sent
from proof.chaos.story import Question, Story, Upload
from spec.model import Chaos

NO_FACT = "What do my documents say?"
PREPARING = 4
LONGEST_WAIT = 1.0


@dataclass
class Mine:
    """A document of a user, as the user's program knows it; `outcome` is the job's last status, as it was shown."""

    plan: Upload
    document: Document
    job_id: str = ""
    document_id: str = ""
    signed_url: str = field(default="", repr=False)
    through_api: bool = False
    sent: bool = False
    outcome: str = ""
    state: str = ""
    # When something is due for it, and how often in a row it failed.
    due: float = 0.0
    failed: int = 0

    @property
    def number(self) -> int:
        """Its number in the story."""
        return self.plan.number


class Person:
    """One user; `live` returns when everything planned is done and each document has ended, or when `stop` is set."""

    def __init__(self, session: Session, user: User, number: int, mine: list[Mine], questions: list[Question]) -> None:
        self._session = session
        self._spec, self._rule = session.spec, session.spec.chaos.clients
        self.user, self.number, self.mine = user, number, mine
        self._questions = list(questions)
        self._token = user.token
        for one in mine:
            one.due, one.through_api = one.plan.at, one.plan.by == "proxy"

    def live(self, happened: Happened, stop: threading.Event) -> None:
        """Do what is planned, and what follows from it."""
        self._happened = happened
        self._api = Api(undisturbed(self._session, self._rule.request_seconds)).silent()
        while not stop.is_set():
            now = happened.now
            if self._questions and self._questions[0].at <= now:
                self._questions.pop(0)
                self.ask()
            for one in self._active():
                if one.due <= now and not stop.is_set():
                    self._go_on(one)
            if not self._questions and not self.open:
                return
            dues = [one.due for one in self._active()] + [question.at for question in self._questions[:1]]
            stop.wait(min(LONGEST_WAIT, max(0.01, min(dues) - happened.now)))

    @property
    def open(self) -> list[Mine]:
        """Documents that have not ended, as far as the user was shown."""
        states = self._spec.pipeline.states
        return [one for one in self.mine if one.state not in (states.done, states.dead)]

    def _active(self) -> list[Mine]:
        """Those that something may be done for: they are accepted one by one, so that no job is taken for another's."""
        waiting = [one for one in self.open if not one.job_id]
        return [one for one in self.open if one.job_id or one is waiting[0]]

    @property
    def complete(self) -> frozenset[int]:
        """Documents that were shown as complete."""
        return frozenset(one.number for one in self.mine if one.state == self._spec.pipeline.final_state)

    def ask(self, afterwards: bool = False) -> Asked:
        """Ask a question about the user's own documents, once."""
        known = self.complete
        facts = [one.document.facts[0] for one in self.mine if one.document.facts]
        question = facts[0][0] if facts else NO_FACT
        reply, sent = self._request(ASK, lambda api: api.ask(question))
        asked = Asked(self.number, sent.at, sent.seconds, known, reply, afterwards)
        self._happened.note(asked)
        return asked

    # ── one document ─────────────────────────────────────────────────────────────────────────────────────

    def _go_on(self, one: Mine) -> None:
        if not one.job_id:
            step = self._upload
        elif not one.sent:
            step = self._send
        else:
            step = self._poll
        try:
            is_done = step(one)
        except Failure as error:
            # A response of success that cannot be read: asked again, as after any error.
            self._happened.problem(f"document {one.number}: {error}")
            is_done = False
        one.failed = 0 if is_done else one.failed + 1
        pause = self._rule.poll_seconds if one.sent else 0.0
        if not is_done:
            pause = min(self._rule.first_pause * 2 ** (one.failed - 1), self._rule.longest_pause)
        one.due = self._happened.now + pause

    def _upload(self, one: Mine) -> bool:
        reply, _ = self._request(UPLOAD, lambda api: api.request_upload(one.document), one)
        if reply is None:
            return False
        if reply.status in self._rule.there_already:
            return self._find(one)
        if not reply.succeeded:
            return False
        accepted = Accepted(reply)
        one.job_id, one.document_id = accepted.job_id, accepted.document_id
        one.signed_url = self._api.absolute(accepted.signed_url)
        return True

    def _find(self, one: Mine) -> bool:
        """A document that was accepted although no response said so: it is the one that the user's jobs show, and no other."""
        reply, _ = self._request(FIND, lambda api: api.call("jobs"), one)
        if reply is None or not reply.succeeded:
            return False
        known = {other.job_id for other in self.mine}
        new = [job for job in job_ids(reply) if job not in known]
        if len(new) != 1:
            return False
        found, _ = self._request(FIND, lambda api: api.call("job", at={"job_id": new[0]}), one)
        if found is None or not found.succeeded:
            return False
        one.job_id, one.document_id = new[0], uuid_in(found, "document_id")
        # Its signed URL was in the response that was lost.
        one.through_api = True
        return True

    def _send(self, one: Mine) -> bool:
        body = one.document.body
        send: Callable[[Api], Reply] = lambda api: api.send(one.signed_url, body)  # noqa: E731
        if one.through_api:
            rule = self._spec.pipeline
            at = {"bucket": rule.bucket, "key": object_key(rule.raw_path, self.user.id, one.document_id)}
            headers = {"Content-Type": self._spec.limits.supported_mime_types[0]}
            send = partial(_through_the_api, at=at, body=body, headers=headers)
        reply, _ = self._request(SEND, send, one)
        if reply is None:
            return False
        one.sent = reply.succeeded or reply.status in self._rule.there_already
        one.through_api = one.through_api or (not one.sent and reply.status in self._rule.url_is_over)
        return one.sent

    def _poll(self, one: Mine) -> bool:
        reply, _ = self._request(POLL, lambda api: api.call("job", at={"job_id": one.job_id}), one)
        if reply is None or not reply.succeeded:
            return False
        body = reply.object_with("status", "state")
        one.outcome, one.state = str(body["status"]), str(body["state"])
        return True

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────

    def _request(self, what: str, send: Callable[[Api], Reply], one: Mine | None = None) -> tuple[Reply | None, Sent]:
        """One request as this user, and what came of it; a token that is refused is renewed for the next one."""
        at, reply, error = self._happened.now, None, ""
        try:
            reply = send(self._api.as_(self._token))
        except (Failure, Blocked) as failure:
            error = failure.code if isinstance(failure, Failure) else failure.reason
        status = reply.status if reply is not None else 0
        seconds = round(self._happened.now - at, 2)
        sent = Sent(self.number, what, at, seconds, status, error, one.number if one else -1)
        self._happened.note(sent)
        if status in self._rule.sign_in_again and what not in (SEND, SIGN_IN):
            self._sign_in()
        return reply, sent

    def _sign_in(self) -> None:
        body = sign_in(self.user.email, self.user.password)
        reply, _ = self._request(SIGN_IN, lambda api: api.call("login", json=body))
        if reply is not None and reply.succeeded:
            self._token = text_in(expect(reply).success(), "access_token")
            self._session.masking.learn("TOKEN_OF_A_TEST_USER", self._token)


def _through_the_api(api: Api, at: dict[str, str], body: bytes, headers: dict[str, str]) -> Reply:
    return api.call("upload_proxy", at=at, content=body, headers=headers)


def gather(session: Session, rule: Chaos, story: Story) -> list[Person]:
    """The users with their documents, made before anything is disturbed; raises Failure, Blocked, NotConfigured."""
    load_library()
    users = Users.of(session)

    def person(number: int) -> Person:
        uploads = [one for one in story.uploads if one.user == number]
        questions = [one for one in story.questions if one.user == number]
        mine = [Mine(one, _document(session, rule, one)) for one in uploads]
        return Person(session, users.new("chaos"), number, mine, questions)

    with ThreadPoolExecutor(PREPARING) as pool:
        return list(pool.map(person, range(story.options.users)))


def _document(session: Session, rule: Chaos, upload: Upload) -> Document:
    kind = rule.sent[upload.kind].document
    return make(f"chaos-{upload.number:04d}", kind, session.tag, session.spec.facts)
