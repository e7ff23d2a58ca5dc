"""6.1, 6.3 The access matrix: who asks for what of whose (§6 Authentication, Data Security; spec/navigator/access.toml)."""

import pytest

from fixtures.access.matrix import AccessMatrix
from fixtures.database import Database
from fixtures.document_run import DocumentRun
from fixtures.private_topics import PrivateTopics
from fixtures.supabase import Supabase
from fixtures.users import User
from fixtures.worn_token import WornToken
from gate.http import expect
from gate.selection import each, promised
from spec import access_entries

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.needs("api", "users"),
    promised("access", "pipeline", "row_security"),
]


@pytest.mark.checklist("6.1")
@pytest.mark.component("auth")
@pytest.mark.about("auth.accepted")
@each("what", access_entries.at_the_api)
def test_only_a_token_of_a_user_opens(access: AccessMatrix, what: str) -> None:
    """§6 JWT Tokens: no forged token, no key and no request without one opens what needs a user's token (F22, F25)."""
    access.hold(what)


@pytest.mark.checklist("6.3")
@pytest.mark.component("api")
@pytest.mark.about("isolation.read")
@each("what", access_entries.of_people)
def test_a_user_gets_their_own_only(access: AccessMatrix, what: str) -> None:
    """contract HTTP API: 404 for another user's job or document, no file in another folder, nothing for who was removed."""
    access.hold(what, people=True)


@pytest.mark.checklist("6.1")
@pytest.mark.component("auth")
@pytest.mark.about("auth.accepted")
@each("what", access_entries.with_a_token)
def test_a_token_with_wrong_claims_opens_nothing(access: AccessMatrix, what: str) -> None:
    """§6 JWT Tokens: a rightly signed token that has ended, is not valid yet, or is for something else, opens nothing (F25)."""
    access.hold(what, signed=True)


@pytest.mark.checklist("6.1")
@pytest.mark.component("auth")
@pytest.mark.about("auth.accepted", "token one that has ended")
@each("what", access_entries.used)
def test_a_token_that_was_used_opens_nothing_after_its_end(worn_token: WornToken, what: str) -> None:
    """§6 JWT Tokens: a token that has ended is refused, also by what has verified it before (F25)."""
    worn_token.require_forgotten(what)


@pytest.mark.checklist("6.1")
@pytest.mark.component("api")
@pytest.mark.about("webhook.unsigned")
@each("what", access_entries.callbacks)
def test_a_callback_wants_the_signature_of_its_own_job(access: AccessMatrix, what: str) -> None:
    """contract HTTP API: 401 for every callback that its own job's secret has not signed."""
    access.hold(what)


@pytest.mark.checklist("6.3")
@pytest.mark.component("storage")
@pytest.mark.about("storage.open")
@each("what", access_entries.objects)
def test_a_file_in_storage_is_its_users_own(access: AccessMatrix, what: str) -> None:
    """contract Storage: no operation on a user's file is open without a key, to the anon key, or to another user (F23, F24)."""
    access.hold(what)


@pytest.mark.checklist("6.1")
@pytest.mark.component("auth")
@pytest.mark.about("session.kept")
@each("what", access_entries.sessions)
def test_a_sign_out_ends_the_session(access: AccessMatrix, what: str) -> None:
    """§6 JWT Tokens: after a sign-out the refresh token is refused; access tokens are good until they end."""
    access.hold(what)


@pytest.mark.checklist("6.3")
@pytest.mark.component("realtime")
@pytest.mark.needs("database")
@pytest.mark.about("isolation.read")
@each("what", access_entries.topics)
def test_a_change_is_sent_to_its_user_only(access: AccessMatrix, what: str) -> None:
    """§6 Data Security: realtime sends changes of a user's job to no other user (F24)."""
    access.hold(what)


@pytest.mark.checklist("6.3")
@pytest.mark.component("realtime")
@pytest.mark.needs("database")
@pytest.mark.about("isolation.read", "channel realtime topic*")
@promised("roles")
def test_a_private_topic_is_its_users_own(database: Database, policy: DocumentRun, supabase: Supabase, user: User) -> None:
    """§6 Data Security: nobody else listens to a user's private topic or sends to it, whatever the release names it (F24)."""
    ids = {"user": policy.owner.id, "document": policy.document_id, "job": policy.job_id}
    topics = PrivateTopics(database)
    found = topics.opened(ids)
    if not found:
        found = topics.joined(supabase.realtime, user.token)
    for code, command in (("isolation.write", "INSERT"), ("isolation.read", "")):
        opened = [one for one in found if (one.command == "INSERT") == bool(command)]
        topic = next((one.topic for one in opened), "of a user")
        who = [str(one) for one in opened if one.topic == topic]
        what, hint = f"others at the private realtime topic {topic}", "the policies of realtime.messages"
        expect(who, what, hint, code=code, subject=f"channel realtime topic {topic}").is_empty()


@pytest.mark.checklist("6.3")
@pytest.mark.component("storage")
@pytest.mark.about("link.accepted")
@each("what", access_entries.links)
def test_a_link_is_for_one_object_and_one_time(access: AccessMatrix, policy: DocumentRun, what: str) -> None:
    """contract Storage: a signed link opens one object, for a while; changed, it opens nothing."""
    # A link was given long before: the run's own document has been through the pipeline since.
    assert policy.name
    access.hold(what)
