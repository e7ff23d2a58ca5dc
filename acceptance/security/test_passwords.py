"""6.1 Authentication: passwords are kept, compared and refused to the letter (§6; contract: Auth)."""

from collections.abc import Callable

import pytest

from fixtures.account_trials import REGISTRATIONS, SIGN_INS, Account, AccountTrials, Applicant, as_registered
from fixtures.near_misses import code_of
from fixtures.password_trials import OWN, Form, has_own_sign_in
from gate.failures import not_applicable
from gate.http import Reply, expect
from gate.selection import each, promised
from spec.account_entries import password_forms

# A password that is another one for every system: one may cut spaces at the ends, count several as one, and compose letters in
# one way.
WRONG: dict[str, Callable[[str], str]] = {
    "in other letters of case": lambda password: password[:-1].swapcase() + password[-1],
    "without its spaces": lambda password: password.replace(" ", ""),
    "without its letters beyond ASCII": lambda password: password.encode("ascii", "ignore").decode(),
    "with another last character": lambda password: password[:-1] + ("x" if password[-1] != "x" else "y"),
}
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("6.1"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "supabase"),
    promised("accounts"),
]


@pytest.fixture(scope="module")
def guarded(people: AccountTrials, account: Account) -> tuple[Applicant, Reply]:
    """Somebody whose password is as long as it may be, and holds all that it may hold; and how their registration went."""
    who = people.applicant("guarded", people.password_of(people.rules.longest_password_bytes))
    return who, people.register(who)


@pytest.mark.about("account.refused", "account password")
@pytest.mark.parametrize("endpoint", SIGN_INS)
def test_a_password_signs_in_as_it_was_registered(
    people: AccountTrials, guarded: tuple[Applicant, Reply], endpoint: str
) -> None:
    """contract POST /register, /login: an account that was created is signed in to, with each character that is allowed."""
    who, registered = guarded
    if registered.is_refusal:
        not_applicable(f"a registration with such a password is refused ({registered.status}), which nothing forbids")
    expect(registered).success()
    reply = people.sign_in(who.email, who.password, endpoint)
    as_registered(reply, "account password").success()


@pytest.mark.about("account.refused", "account password with spaces at its ends")
@pytest.mark.parametrize("endpoint", REGISTRATIONS)
def test_whoever_registers_signs_in_with_the_same_password(people: AccountTrials, account: Account, endpoint: str) -> None:
    """contract POST /register, /auth/signup, /login: each way to register takes a password as each way to sign in does."""
    who = people.applicant("padded", people.padded_password())
    registered = people.register(who, endpoint)
    if registered.is_refusal:
        not_applicable(f"a registration with such a password is refused ({registered.status}), which nothing forbids")
    expect(registered).success()
    for way in SIGN_INS:
        reply = people.sign_in(who.email, who.password, way)
        as_registered(reply, f"account password of {endpoint}").success()


@pytest.mark.about("account.opened", "account password {changed}")
@pytest.mark.parametrize("changed", WRONG)
def test_only_the_whole_password_signs_in(people: AccountTrials, guarded: tuple[Applicant, Reply], changed: str) -> None:
    """contract POST /login: 401 for a wrong password, and a password is right to its last byte, its case and its spaces."""
    who, registered = guarded
    if not registered.succeeded:
        not_applicable(f"no account with such a password could be registered ({registered.status})")
    expect(people.sign_in(who.email, WRONG[changed](who.password))).refusal("the password is another one")


@pytest.mark.about("account.opened", "account password beyond its longest")
def test_a_longer_password_is_refused_or_compared_whole(people: AccountTrials, account: Account) -> None:
    """contract Auth: Supabase takes no password beyond 72 bytes; an account that has one is not opened by its beginning."""
    who = people.applicant("longer", people.password_of(people.rules.too_many_bytes))
    registered = people.register(who)
    expect(registered).handled()
    reply = people.sign_in(who.email, WRONG["with another last character"](who.password))
    expect(reply).refusal("no account has this password")


@each("form", password_forms)
@pytest.mark.about("account.refused", "account password: {form}")
def test_a_password_of_any_form_is_refused_or_kept(tried_passwords: dict[str, Form], form: str) -> None:
    """contract POST /register, /auth/signup, /login, /auth/login: an account opens with the password that it was given."""
    accounts, judges_own = tried_passwords[form].accounts(), has_own_sign_in(tried_passwords)
    for one in accounts:
        if not one.registered.is_refusal:
            expect(one.registered).success()
        for way, reply in one.opened.items():
            if way != OWN or judges_own:
                as_registered(reply, f"account password: {form}").success("it was registered so")


@each("form", password_forms)
@pytest.mark.about("account.opened", "account password: {form}")
def test_what_is_nearly_the_password_is_refused(tried_passwords: dict[str, Form], form: str) -> None:
    """contract POST /login, /auth/login: 401 for a wrong password, also for one that differs only in how it is written."""
    for one in tried_passwords[form].accounts():
        for (changed, _), reply in one.missed.items():
            subject = f"account password {changed}"
            expect(reply, code=code_of(reply), subject=subject).refusal("it is another password")
