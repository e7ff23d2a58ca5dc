"""Whether the answers of a run were honest: from the user's own documents, or an apology that says so, and never made up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fixtures.answers import Answer
from fixtures.drills.judging_answers import DEGRADED
from gate.failures import Failure
from proof.chaos.happened import Asked
from proof.chaos.judging import failure
from proof.chaos.story import Story
from spec.model import Chat

GROUNDED, NOTHING, APOLOGY = "from documents", "nothing known yet", "apologies"
REFUSED, SILENCE = "refused", "without a response"
CHAT = "chat"


@dataclass(frozen=True)
class Known:
    """A document as answers may hold it: whose it is, what names it, and what the answer to the question about it must hold."""

    number: int
    user: int
    document_id: str
    name: str
    fact: str


@dataclass(frozen=True)
class Seen:
    """How an answer was: its kind, and what is wrong with it as a code with the case; both are empty where nothing is."""

    kind: str
    code: str = ""
    wrong: str = ""


class Answers:
    """Judges the answers of one run; `named` finds the numbers of documents in a text."""

    def __init__(self, story: Story, chat: Chat, documents: Sequence[Known], named: re.Pattern[str]) -> None:
        self._story, self._chat, self._named = story, chat, named
        self._by_id: Mapping[str, Known] = {one.document_id: one for one in documents if one.document_id}
        self._by_number = {one.number: one for one in documents}

    def judge(self, asked: Sequence[Asked]) -> tuple[Counter[str], list[Failure]]:
        """How many answers of each kind there were, and what was wrong."""
        seen = [(one, self.look(one)) for one in asked]
        return Counter(found.kind for _, found in seen), list(self._failures(seen))

    def _failures(self, seen: Sequence[tuple[Asked, Seen]]) -> Iterator[Failure]:
        expected = {
            "isolation.read": "nothing of another user's documents in an answer",
            "drill.dishonest": "answers from the user's own documents, or apologies that say so",
            "drill.response": "a body of JSON",
            "drill.unanswered": "an answer from the user's document when all is normal again",
        }
        for code, wanted in expected.items():
            cases = [f"user {one.user} at {one.at:.1f} s: {found.wrong}" for one, found in seen if found.code == code]
            if cases:
                yield failure(self._story, code, wanted, cases, CHAT)

    def look(self, asked: Asked) -> Seen:
        """One answer."""
        seen = self._look(asked)
        # A question that is asked when all is normal again, about a document that is complete, has an answer.
        is_due = asked.afterwards and bool(self._facts(asked, asked.complete))
        if is_due and not seen.code and seen.kind != GROUNDED:
            return Seen(seen.kind, "drill.unanswered", f"{seen.kind}, status {asked.reply.status if asked.reply else 0}")
        return seen

    def _look(self, asked: Asked) -> Seen:
        reply = asked.reply
        if reply is None:
            return Seen(SILENCE)
        if foreign := self._foreign_in(reply.text, asked.user):
            return Seen(GROUNDED, "isolation.read", f"the answer holds {foreign}")
        if not reply.succeeded:
            # A service that is ended while it works on a request may not even find the form of an error.
            return Seen(REFUSED)
        try:
            return self._answer(asked, Answer(reply))
        except Failure as error:
            return Seen(REFUSED, "drill.response", str(error))

    def _answer(self, asked: Asked, answer: Answer) -> Seen:
        if fault := answer.fault(self._chat):
            says_so = answer.body.get("success") is False and answer.metadata.get(self._chat.error_type_key)
            if says_so and answer.metadata.get(DEGRADED):
                return Seen(APOLOGY)
            return Seen(APOLOGY, "drill.dishonest", f"an apology that does not say that it is one: {fault.detail}")
        ids = answer.document_ids()
        if unknown := [one for one in ids if one not in self._by_id or self._by_id[one].user != asked.user]:
            return Seen(GROUNDED, "isolation.read", f"passages of document {', '.join(sorted(unknown))}")
        numbers = frozenset(self._by_id[one].number for one in ids)
        if any(answer.mentions(fact) for fact in self._facts(asked, numbers)):
            return Seen(GROUNDED)
        if answer.sources:
            return Seen(GROUNDED, "drill.dishonest", f"an answer that rests on nothing: {answer.describe()}")
        if known := self._facts(asked, asked.complete):
            wrong = f"{answer.describe()}, although {len(known)} documents that hold it were complete"
            return Seen(NOTHING, "drill.dishonest", wrong)
        return Seen(NOTHING)

    def _facts(self, asked: Asked, numbers: frozenset[int]) -> list[str]:
        """What the user's documents with these numbers say about the question."""
        own = (self._by_number[number] for number in sorted(numbers) if number in self._by_number)
        return [one.fact for one in own if one.user == asked.user and one.fact]

    def _foreign_in(self, text: str, user: int) -> str:
        """The name of a document of somebody else that a text holds."""
        for found in self._named.finditer(text):
            known = self._by_number.get(int(found[1]))
            if known is None or known.user != user:
                return found[0]
        return ""
