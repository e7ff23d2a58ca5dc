"""8.2.2 Test API endpoints functionality: chat (contract: HTTP API)."""

import uuid
from datetime import UTC, datetime

import pytest

from fixtures.api import Api
from fixtures.clock import moment
from fixtures.document_run import DocumentRun
from fixtures.users import User
from gate.http import expect
from gate.selection import promised
from spec import Specification

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    promised("pipeline", "chat"),
]


@pytest.mark.parametrize("endpoint", ["chat", "chat_alias"])
def test_chat_answers(api: Api, policy: DocumentRun, spec: Specification, endpoint: str) -> None:
    """contract POST /api/chat, /chat: 200 with text, sources and metadata."""
    reply = expect(api.as_(policy.owner).ask(policy.facts[0][0], endpoint)).success()
    body = expect(reply).fields(*spec.endpoint("chat").fields)
    age = abs((datetime.now(UTC) - moment(body["timestamp"])).total_seconds())
    expect(age, "age of the answer by its timestamp, in seconds").is_at_most(spec.health.clock_skew_seconds + reply.seconds)


def test_chat_keeps_the_conversation(api: Api, policy: DocumentRun) -> None:
    """contract POST /api/chat: the conversation id is kept."""
    conversation = str(uuid.uuid4())
    body = expect(api.as_(policy.owner).ask(policy.facts[0][0], conversation_id=conversation)).success().object()
    expect(body.get("conversation_id"), "conversation_id").equals(conversation)


@pytest.mark.parametrize("message", ["", "   "], ids=["empty", "blank"])
def test_chat_refuses_an_empty_message(api: Api, user: User, message: str) -> None:
    """contract POST /api/chat: 400 for an empty message."""
    expect(api.as_(user).ask(message)).error("malformed")
