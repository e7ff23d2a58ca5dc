"""8.2.2 Test API endpoints functionality: chat (contract: HTTP API)."""

import uuid
from functools import partial
from itertools import cycle, islice

import pytest

from fixtures.answers import Answer
from fixtures.api import Api
from fixtures.at_once import in_parallel
from fixtures.clock import TimeField
from fixtures.document_run import DocumentRun
from fixtures.users import User
from gate.failures import not_applicable
from gate.fields import id_in, subject_of_field
from gate.http import Reply, expect
from gate.selection import each, promised
from spec import Specification, entries

CHATS = ("chat", "chat_alias")
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    pytest.mark.about("http.value"),
    promised("pipeline", "chat"),
]


@pytest.mark.parametrize("endpoint", CHATS)
def test_chat_answers(api: Api, policy: DocumentRun, spec: Specification, endpoint: str) -> None:
    """contract POST /api/chat, /chat: 200 with text, sources and metadata."""
    reply = expect(api.as_page().as_(policy.owner).ask(policy.facts[0][0], endpoint)).success()
    expect(reply).fields(*spec.endpoint("chat").fields)
    time = TimeField(reply, "timestamp")
    expect(
        abs(time.from_now),
        "seconds between now and the timestamp of the answer",
        code="time.wrong",
        subject=time.subject,
        facts=time.facts,
        of=reply,
    ).is_at_most(spec.health.clock_skew_seconds + reply.seconds)


def test_chat_keeps_the_conversation(api: Api, policy: DocumentRun, spec: Specification) -> None:
    """contract POST /api/chat: the conversation id is kept."""

    def conversation_of(**sent: str) -> tuple[str, Reply]:
        reply = expect(api.as_(policy.owner).ask(policy.facts[0][0], **sent)).success()
        return id_in(reply, "conversation_id"), reply

    wanted = str(uuid.uuid4())
    kept, reply = conversation_of(conversation_id=wanted)
    if kept != wanted and spec.readings.own_conversations:
        # The service makes the ids: it keeps one that it has made, which is no constant either.
        wanted, (kept, reply) = kept, conversation_of(conversation_id=kept)
        other, fresh = conversation_of()
        expect(other, "conversation_id of a new conversation", subject=fresh.subject, of=fresh).differs_from(wanted)
    expect(kept, "conversation_id", subject=reply.subject, of=reply).equals(wanted)


def test_chat_keeps_a_long_id_whole(api: Api, policy: DocumentRun) -> None:
    """contract POST /api/chat: the id of a conversation is kept whole, however long it is, where such an id is taken."""
    wanted = f"{uuid.uuid4()}-{uuid.uuid4()}"
    reply = api.as_(policy.owner).ask(policy.facts[0][0], conversation_id=wanted)
    if reply.is_refusal:
        not_applicable("ids of conversations have a form of their own")
    kept = id_in(expect(reply).success(), "conversation_id")
    found = expect(kept, "conversation_id", subject=subject_of_field(reply, "conversation_id"), of=reply)
    found.satisfies(lambda id: id == wanted or id not in wanted, f"{wanted}, whole, or one of the service's own")


@each("field", entries.optional_chat_fields)
@pytest.mark.component("chat")
@pytest.mark.about("chat.failed", "field {field} of POST /api/chat")
def test_chat_takes_every_field_of_the_contract(api: Api, policy: DocumentRun, spec: Specification, field: str) -> None:
    """contract POST /api/chat: a question may carry each of the optional fields (F02)."""
    sent = {field: spec.endpoint("chat").optional[field]}
    answer = Answer(expect(api.as_(policy.owner).ask(policy.facts[0][0], **sent)).success())
    answer.require_no_fault(spec.chat)


@pytest.mark.parametrize("message", ["", " \n\t "], ids=["empty", "blank"])
def test_chat_refuses_an_empty_message(api: Api, user: User, message: str) -> None:
    """contract POST /api/chat: 400 for an empty message."""
    expect(api.as_(user).ask(message)).error("malformed")


@pytest.mark.component("chat")
@pytest.mark.about("chat.failed", "endpoint POST /api/chat")
def test_refused_questions_take_no_place(api: Api, user: User, spec: Specification) -> None:
    """contract POST /api/chat: 400 for an empty message, and the next question is answered as if there had been none."""
    bodies: tuple[dict[str, str | None], ...] = tuple({"message": text} for text in ("", " ", "\n", None))
    refused = cycle(partial(Api.call, name=name, json=body) for body in (*bodies, {}) for name in CHATS)
    for reply in in_parallel(api.as_(user), list(islice(refused, spec.chat.refusals))):
        expect(reply).error("malformed")
    # The shortest that is not empty, in a conversation, which has to be kept where there is nothing to rest on as well.
    sent = {"message": spec.probes.short_question, "conversation_id": str(uuid.uuid4())}
    answer = Answer(expect(api.as_(user).ask(**sent)).success("no question before it was a right one"))
    answer.require_no_fault(spec.chat)
