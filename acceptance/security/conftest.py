"""What the checks of accounts and of passwords share."""

import pytest

from fixtures.account_trials import Account, AccountTrials
from fixtures.api import Api
from fixtures.users import Users


@pytest.fixture(scope="module")
def people(api: Api, users: Users) -> AccountTrials:
    """Registrations and sign-ins of the run's own."""
    return AccountTrials(api, users)


@pytest.fixture(scope="module")
def account(people: AccountTrials) -> Account:
    """An account like everybody's."""
    return people.account("account")
