"""Those who use one target: their accounts, documents, jobs and questions."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from itertools import count

import httpx

from fixtures.answers import Answer
from fixtures.api import Api, upload_body
from fixtures.document_runs import DocumentRuns
from fixtures.documents import Document, make
from fixtures.uploads import Accepted
from fixtures.users import User, Users
from gate.exchange import exchange
from gate.http import Reply
from gate.session import Session
from load.policy import NAME as POLICY
from spec.model import DocumentKind

# Documents of the load carry this label in their name; the observer follows them by it.
LABEL = "load"
NO_DOCUMENT = "Which documents do you have of mine?"
PAGE = DocumentKind(kind="policy", outcome="complete")
SPARE = 2.0


@dataclass(frozen=True)
class Upload:
    """A document that may be uploaded, its owner, and the body of the request."""

    owner: User
    document: Document
    body: dict[str, object]


class People:
    """Everybody who arrives at one generator."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._users = Users.of(session)
        self._client = httpx.Client(transport=session.transport, follow_redirects=False, trust_env=False)
        self._accounts: list[User] = []
        self._uploads: list[Upload] = []
        self._jobs: list[tuple[User, str]] = []
        self._account_turn = count()
        self._job_turn = count()

    def prepare(self, requests: int, weights: dict[str, int]) -> None:
        """Create the accounts before the first request, so that no measurement waits for one."""
        share = weights.get("upload", 0) / sum(weights.values())
        each = self.session.spec.limits.max_concurrent_jobs_per_user
        for _ in range(self.session.spec.load.users):
            self.account()
        if "status" in weights:
            self._first_job()
        for _ in range(math.ceil(SPARE * share * requests / each) + 1 if share else 0):
            self._make_uploads()

    def _make_uploads(self) -> None:
        """Another user with as many documents as may be on their way at once; a PDF takes time that no request may wait."""
        owner = self._users.new("load")
        for _ in range(self.session.spec.limits.max_concurrent_jobs_per_user):
            document = self._page()
            self._uploads.append(Upload(owner, document, upload_body(self.session, document)))

    def _page(self) -> Document:
        return make(f"{LABEL}-{secrets.token_hex(3)}", PAGE, self.session.tag, [])

    def _first_job(self) -> None:
        """A job to ask about from the first second on; without one the listing is asked."""
        owner = self._users.new("load")
        document = self._page()
        api = Api(self.session).silent().as_(owner)
        reply = api.request_upload(document)
        if reply.status == self.session.spec.endpoint("upload").success:
            accepted = Accepted(reply)
            self.remember_job(owner, accepted.job_id)
            api.send(api.absolute(accepted.signed_url), document.body)

    def account(self) -> User:
        """Somebody who is signed in, in turns."""
        if len(self._accounts) < self.session.spec.load.users:
            self._accounts.append(self._users.new("load"))
            return self._accounts[-1]
        return self._accounts[next(self._account_turn) % len(self._accounts)]

    def upload(self) -> Upload:
        """A new document of somebody who may still upload one."""
        if not self._uploads:
            self._make_uploads()
        return self._uploads.pop()

    def remember_job(self, owner: User, job_id: str) -> None:
        """A job that may be asked about from now on."""
        self._jobs.append((owner, job_id))

    def job(self) -> tuple[User, str] | None:
        """A job and its owner, in turns, as people check their uploads; None before the first upload."""
        return self._jobs[next(self._job_turn) % len(self._jobs)] if self._jobs else None

    def question(self) -> tuple[str, str]:
        """The token of somebody whose document answers a question, where there is one, and the question."""
        policy = DocumentRuns(self.session).state(POLICY)
        if policy is not None and policy.outcome == "complete":
            return policy.owner.token, policy.facts[0][0]
        return self.account().token, NO_DOCUMENT

    def send(self, signed_url: str, body: bytes) -> None:
        """Send a document's bytes to storage; storage's time is not the API's. Raises httpx.HTTPError."""
        url = signed_url if signed_url.startswith("http") else self.session.api_url + signed_url
        headers = {"Content-Type": self.session.spec.limits.supported_mime_types[0]}
        exchange(self._client, "PUT", url, self.session.spec.safety.request_seconds, content=body, headers=headers)

    def problem(self, endpoint: str, status: int, text: str) -> str | None:
        """Why an answer is a failure, or None; a chat answer may be one behind its 200."""
        wanted = self.session.spec.endpoint(endpoint).success
        if status == 0:
            return "no answer"
        if status != wanted:
            return f"{status} instead of {wanted}"
        if endpoint != "chat":
            return None
        reply = Reply("POST", "", status, httpx.Headers(), text.encode(), 0.0, "chat")
        return Answer(reply).failure(self.session.spec.chat)
