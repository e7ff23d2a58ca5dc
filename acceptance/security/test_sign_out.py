"""6.1 Authentication: a sign-out is known everywhere or nowhere, also where the token was served (contract: HTTP API, Auth)."""

import pytest

from fixtures.api import Api
from fixtures.signed_out import SignedOut
from fixtures.supabase import Supabase
from fixtures.users import User
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from spec import access_entries

# One row of the contract.
OWN_ACCOUNT = ("me", "auth_user")
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("6.1"),
    pytest.mark.component("auth"),
    pytest.mark.needs("api", "supabase"),
    promised("pipeline", "accounts"),
]


@pytest.mark.about("session.kept")
def test_both_ways_to_the_own_account_know_of_a_sign_out(api: Api, new_user: User, supabase: Supabase) -> None:
    """contract GET /me, GET /auth/user: 401 for a token that is refused: what one refuses after a sign-out, both refuse."""
    caller = api.as_(new_user)
    for name in OWN_ACCOUNT:
        expect(caller.call(name)).success("nobody has signed out yet")
    if not supabase.auth.sign_out(new_user.token).succeeded:
        not_applicable("this project's Auth does not sign a single session out")
    replies = [caller.call(name) for name in OWN_ACCOUNT]
    # An access token may be good until it ends; then it is so in both ways.
    accepted = [reply for reply in replies if reply.succeeded]
    if len(accepted) < len(replies):
        for reply in accepted:
            what, facts = "whether a token is accepted that the other way refuses", {"accepted": len(accepted)}
            expect(reply.succeeded, what, subject=reply.subject, facts=facts, of=reply).equals(False)


@each("what", access_entries.shown)
@pytest.mark.about("session.kept")
@promised("access")
def test_a_sign_out_ends_what_the_token_was_served(signed_out_everywhere: SignedOut, what: str) -> None:
    """contract HTTP API: 401 for a token that is refused, also right after it was used for the very same request (F25)."""
    signed_out_everywhere.require_ended(what)
