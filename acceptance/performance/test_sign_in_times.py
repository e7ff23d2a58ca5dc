"""8.3.1 Measure API response times: what the time of a refused sign-in shows (§6 Authentication; contract: HTTP API)."""

import pytest

from fixtures.account_trials import AccountTrials
from fixtures.api import Api
from fixtures.sign_in_times import SignInTimes
from fixtures.supabase import Supabase
from fixtures.users import Users
from gate.selection import promised
from spec import Specification

SIGN_INS = ("login", "auth_login")
pytestmark = [
    pytest.mark.performance,
    pytest.mark.checklist("8.3.1"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "supabase"),
    pytest.mark.about("account.shown"),
    promised("accounts"),
]


@pytest.fixture(scope="module")
def times(api: Api, users: Users, supabase: Supabase) -> SignInTimes:
    """Refused sign-ins of an account and of an unknown address, measured in turn."""
    people = AccountTrials(api, users)
    return SignInTimes(people, supabase, SIGN_INS).measure(people.account("timed"), people.applicant("timed"))


@pytest.mark.parametrize("endpoint", SIGN_INS)
def test_the_time_does_not_tell_who_has_an_account(times: SignInTimes, spec: Specification, endpoint: str) -> None:
    """contract POST /login: an unknown address is refused as late as a wrong password (Supabase's own time aside)."""
    times.require_alike(endpoint, spec.endpoint(endpoint).subject)
