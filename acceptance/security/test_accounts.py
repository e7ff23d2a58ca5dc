"""6.1 Authentication: what signing in, registering and signing out show, accept and leave (§6; contract: Auth)."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import cycle

import pytest

from fixtures.account_tables import AccountTables
from fixtures.account_trials import Account, AccountTrials, Applicant, expect_known_only
from fixtures.alike import differences
from fixtures.api import Api
from fixtures.supabase import Supabase
from fixtures.users import Users
from gate.failures import not_applicable
from gate.fields import id_in, text_in
from gate.http import Reply, expect
from gate.selection import promised
from gate.session import Session
from spec import Specification

SIGN_INS = ("login", "auth_login")
REGISTRATIONS = ("register", "signup")
# A password that is another one for every system: one may cut spaces at the ends, count several as one, and compose letters in
# one way.
WRONG: dict[str, Callable[[str], str]] = {
    "in other letters of case": lambda password: password[:-1].swapcase() + password[-1],
    "without its spaces": lambda password: password.replace(" ", ""),
    "without its letters beyond ASCII": lambda password: password.encode("ascii", "ignore").decode(),
    "with another last character": lambda password: password[:-1] + ("x" if password[-1] != "x" else "y"),
}
SPELLINGS: dict[str, Callable[[AccountTrials, str], str]] = {
    "as it is": lambda trials, email: email,
    "in capital letters": lambda trials, email: trials.spelled(email, str.upper),
    "with spaces around": lambda trials, email: f" {email} ",
}
# Endpoint, field that is left out, and what is wrong with the password.
# Endpoint, a field that is left out, a field with a blank or another value in place of its own, and a password that is refused.
REFUSED: dict[str, tuple[str, str, dict[str, str], str]] = {
    "without a name": ("register", "name", {}, ""),
    "with a blank name": ("register", "", {"name": " "}, ""),
    "with too short a password": ("register", "", {}, "short"),
    "with too long a password": ("register", "", {}, "long"),
    "without consent": ("signup", "consent_version", {}, ""),
    "with blank consent": ("signup", "", {"consent_version": ""}, ""),
    "without a time of consent": ("signup", "consent_timestamp", {}, ""),
    "with no time as the time of consent": ("signup", "", {"consent_timestamp": "yesterday"}, ""),
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
def trials(api: Api, users: Users) -> AccountTrials:
    """Registrations and sign-ins of the run's own."""
    return AccountTrials(api, users)


@pytest.fixture(scope="module")
def account_tables(session: Session) -> AccountTables:
    """The tables with one row for an address."""
    return AccountTables(session)


@pytest.fixture(scope="module")
def account(trials: AccountTrials) -> Account:
    """An account like everybody's."""
    return trials.account("account")


@pytest.fixture(scope="module")
def guarded(trials: AccountTrials, account: Account) -> tuple[Applicant, Reply]:
    """Somebody whose password is as long as it may be, and holds all that it may hold; and how their registration went."""
    who = trials.applicant("guarded", trials.password_of(trials.rules.longest_password_bytes))
    return who, trials.register(who)


@pytest.fixture(scope="module")
def signed_out(account: Account, supabase: Supabase) -> tuple[str, str]:
    """Tokens of two sessions of one user, of which the first was signed out."""
    replies = [supabase.auth.sign_in(account.email, account.password) for _ in range(2)]
    if not all(reply.succeeded for reply in replies):
        not_applicable("the account's own password does not open it any more, which a check of its own judges")
    ended, other = (text_in(reply, "access_token") for reply in replies)
    if not supabase.auth.sign_out(ended).succeeded:
        not_applicable("this project's Auth does not sign a single session out")
    return ended, other


@pytest.mark.about("account.shown")
@pytest.mark.parametrize("endpoint", SIGN_INS)
def test_a_stranger_cannot_tell_who_has_an_account(
    trials: AccountTrials, account: Account, spec: Specification, endpoint: str
) -> None:
    """contract POST /login, /auth/login: an unknown address is refused like a wrong password: status, body and headers."""
    unknown = [trials.applicant("account") for _ in range(trials.rules.refusals)]

    def one_round() -> set[str]:
        # In turn, so that what changes with time changes for both.
        pairs = [
            (trials.refusal(account.email, who.password, endpoint), trials.refusal(who.email, who.password, endpoint))
            for who in unknown
        ]
        known, refused = [known for known, _ in pairs], [refused for _, refused in pairs]
        slower = trials.is_slower([one.seconds for one in known], [one.seconds for one in refused])
        return set(differences([one.features for one in known], [one.features for one in refused])) | slower

    found = one_round()
    # What differs by chance does not differ twice.
    found = found and found & one_round()
    what = "what tells an unknown address from a wrong password"
    expect(sorted(found), what, "the handler of the sign-in", subject=spec.endpoint(endpoint).subject).is_empty()


@pytest.mark.about("account.refused", "account password")
@pytest.mark.parametrize("endpoint", SIGN_INS)
def test_a_password_signs_in_as_it_was_registered(
    trials: AccountTrials, guarded: tuple[Applicant, Reply], endpoint: str
) -> None:
    """contract POST /register, /login: an account that was created is signed in to, with each character that is allowed."""
    who, registered = guarded
    if registered.is_refusal:
        not_applicable(f"a registration with such a password is refused ({registered.status}), which nothing forbids")
    expect(registered).success()
    reply = trials.sign_in(who.email, who.password, endpoint)
    expect(reply, code="account.refused" if reply.is_refusal else "", subject="account password").success()


@pytest.mark.about("account.refused", "account password with spaces at its ends")
@pytest.mark.parametrize("endpoint", REGISTRATIONS)
def test_whoever_registers_signs_in_with_the_same_password(trials: AccountTrials, account: Account, endpoint: str) -> None:
    """contract POST /register, /auth/signup, /login: each way to register takes a password as each way to sign in does."""
    who = trials.applicant("padded", trials.padded_password())
    registered = trials.register(who, endpoint)
    if registered.is_refusal:
        not_applicable(f"a registration with such a password is refused ({registered.status}), which nothing forbids")
    expect(registered).success()
    for way in SIGN_INS:
        reply = trials.sign_in(who.email, who.password, way)
        expect(reply, code="account.refused" if reply.is_refusal else "", subject=f"account password of {endpoint}").success()


@pytest.mark.about("account.opened", "account password {changed}")
@pytest.mark.parametrize("changed", WRONG)
def test_only_the_whole_password_signs_in(trials: AccountTrials, guarded: tuple[Applicant, Reply], changed: str) -> None:
    """contract POST /login: 401 for a wrong password, and a password is right to its last byte, its case and its spaces."""
    who, registered = guarded
    if not registered.succeeded:
        not_applicable(f"no account with such a password could be registered ({registered.status})")
    expect(trials.sign_in(who.email, WRONG[changed](who.password))).refusal("the password is another one")


@pytest.mark.about("account.opened", "account password beyond its longest")
def test_a_longer_password_is_refused_or_compared_whole(trials: AccountTrials, account: Account) -> None:
    """contract Auth: Supabase takes no password beyond 72 bytes; an account that has one is not opened by its beginning."""
    who = trials.applicant("longer", trials.password_of(trials.rules.too_many_bytes))
    registered = trials.register(who)
    expect(registered).handled()
    reply = trials.sign_in(who.email, WRONG["with another last character"](who.password))
    expect(reply).refusal("no account has this password")


@pytest.mark.about("account.refused", "account address in capital letters")
def test_an_address_with_capital_letters_signs_in(trials: AccountTrials, account: Account) -> None:
    """contract POST /register, /login: the address is accepted again as it was registered, also with capital letters."""
    who = trials.applicant("capital")
    who = replace(who, email=trials.spelled(who.email, str.title))
    registered = trials.register(who)
    subject = "account address in capital letters"
    expect(registered, code="account.refused" if registered.is_refusal else "", subject=subject).success()
    reply = trials.sign_in(who.email, who.password)
    expect(reply, code="account.refused" if reply.is_refusal else "", subject=subject).success()
    trials.whose(reply)


@pytest.mark.about("account.refused", "account address in other letters of case")
def test_an_address_is_the_same_in_other_letters(trials: AccountTrials, account: Account, supabase: Supabase) -> None:
    """contract Auth: Supabase does not tell capital letters of an address from small ones, and neither does the sign-in."""
    other = trials.spelled(account.email, str.upper)
    if not supabase.auth.sign_in(other, account.password).succeeded:
        not_applicable("this project's Auth tells capital letters of an address from small ones")
    found = {endpoint: trials.whose(trials.sign_in(other, account.password, endpoint)) for endpoint in SIGN_INS}
    expect(found, "accounts that an address in capital letters opens").equals(dict.fromkeys(SIGN_INS, account.id))


@pytest.mark.about("account.taken")
@pytest.mark.parametrize("endpoint", REGISTRATIONS)
def test_registering_again_changes_and_shows_nothing(
    trials: AccountTrials, account: Account, spec: Specification, endpoint: str
) -> None:
    """contract POST /register, /auth/signup: an address that has an account keeps it, with its password, and has no second."""
    subject = spec.endpoint(endpoint).subject
    again = {how: replace(trials.applicant("again"), email=spell(trials, account.email)) for how, spell in SPELLINGS.items()}
    replies = trials.together(partial(trials.register, who, endpoint) for who in again.values())
    for reply in replies:
        expect_known_only(reply, account)
    opened = trials.together(partial(trials.sign_in, who.email, who.password) for who in again.values())
    owners = {how: trials.whose(reply) for how, reply in zip(again, opened, strict=True)}
    taken = [how for how, owner in owners.items() if owner == account.id]
    expect(taken, "addresses with which a stranger's password opens the account", subject=subject).is_empty()
    doubled = [how for how, owner in owners.items() if owner]
    expect(doubled, "spellings of one address with an account of their own", code="account.doubled", subject=subject).is_empty()
    kept = trials.whose(trials.sign_in(account.email, account.password))
    expect(kept, "the account that its own password opens afterwards", subject=subject).equals(account.id)


@pytest.mark.about("account.doubled", "account registered several times at once")
def test_registrations_at_the_same_time_make_one_account(
    trials: AccountTrials, account: Account, account_tables: AccountTables
) -> None:
    """contract POST /register, /auth/signup: 400 or 409 for a known address, also where several register it at one moment."""
    first = trials.applicant("at-once")
    all_of_them = [replace(trials.applicant("at-once"), email=first.email) for _ in range(trials.rules.registrations_at_once)]
    replies = trials.together(
        partial(trials.register, who, endpoint) for who, endpoint in zip(all_of_them, cycle(REGISTRATIONS), strict=False)
    )
    opened = trials.together(partial(trials.sign_in, first.email, who.password) for who in all_of_them)
    signed_in = [trials.whose(reply) for reply in opened]
    accepted = [index for index, reply in enumerate(replies) if reply.succeeded]
    if not accepted:
        not_applicable(f"none of the registrations was accepted: {sorted({reply.status for reply in replies})}")
    what, hint = "registrations of one address that were accepted", "a unique index on the address"
    expect(len(accepted), what, hint).equals(1, "the others were promised an account that is not theirs")
    opens = [index for index, owner in enumerate(signed_in) if owner]
    expect(opens, "registrations whose password opens the account", code="account.taken").equals(accepted)
    rows = account_tables.holding(first.email)
    expect([name for name in set(rows) if rows.count(name) > 1], "tables with several rows of the address", hint).is_empty()


@pytest.mark.about("account.left", "account {refused}")
@pytest.mark.parametrize("refused", REFUSED)
def test_a_refused_registration_leaves_nothing(
    trials: AccountTrials, account: Account, account_tables: AccountTables, refused: str
) -> None:
    """contract POST /register, /auth/signup: what was refused has no account and no row, and its address is still free."""
    endpoint, without, changed, password = REFUSED[refused]
    right = trials.applicant("refused")
    wrong = replace(right, password=trials.unfit(password) if password else right.password)
    if trials.register(wrong, endpoint, without, **changed).succeeded:
        not_applicable(f"a registration {refused} is accepted, which checks of its own judge")
    expect(account_tables.holding(right.email), "tables with a row of the address", "the handler, before it refuses").is_empty()
    opened = trials.whose(trials.sign_in(wrong.email, wrong.password))
    expect(opened, "the account that the refused registration opens").equals("")
    reply = trials.register(right, endpoint)
    expect(reply, code="account.left" if reply.is_refusal else "").success("the address has no account yet")
    found = trials.whose(trials.sign_in(right.email, right.password))
    expect(found, "the account of the right registration that followed").differs_from("")


@pytest.mark.component("auth")
@pytest.mark.about("auth.accepted", "token of a session that was signed out")
def test_the_token_of_a_session_that_was_signed_out(api: Api, account: Account, signed_out: tuple[str, str]) -> None:
    """contract HTTP API: 401 where a token is refused, and the user's own account where it is valid until it expires (F08)."""
    reply = api.as_(signed_out[0]).call("me")
    if reply.succeeded:
        expect(id_in(reply, "id"), "id of the caller", code="isolation.read", of=reply).equals(account.id)
    else:
        expect(reply).error("unauthorized", because="its session was signed out")


@pytest.mark.component("auth")
@pytest.mark.about("auth.refused", "token beside one that was signed out")
def test_signing_out_ends_one_session_only(
    api: Api, trials: AccountTrials, account: Account, signed_out: tuple[str, str]
) -> None:
    """contract Auth: signing out of a session ends none of the user's others, and they sign in again (F08)."""
    ended, other = signed_out
    # Also where it is refused, what is known of it afterwards must not reach the others.
    api.as_(ended).call("me")
    expect(api.as_(other).call("me")).success("another session of the same user was signed out, not this one")
    again = expect(trials.sign_in(account.email, account.password)).success("whoever signed out may sign in again")
    expect(api.as_(text_in(again, "access_token")).call("me")).success("it is a new session")
