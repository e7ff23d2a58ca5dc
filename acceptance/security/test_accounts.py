"""6.1 Authentication: what signing in, registering and signing out show, accept and leave (§6; contract: Auth)."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import cycle

import pytest

from fixtures.account_tables import AccountTables
from fixtures.account_trials import REGISTRATIONS, SIGN_INS, Account, AccountTrials, expect_known_only
from fixtures.api import Api
from fixtures.claims import claims_of
from fixtures.sign_in_pace import SignInPaces
from fixtures.supabase import Supabase
from gate.failures import not_applicable
from gate.fields import id_in, text_in
from gate.http import expect
from gate.selection import promised
from gate.session import Session
from spec import Specification

SPELLINGS: dict[str, Callable[[AccountTrials, str], str]] = {
    "as it is": lambda people, email: email,
    "in capital letters": lambda people, email: people.spelled(email, str.upper),
    "with spaces around": lambda people, email: f" {email} ",
}
# Endpoint, a field that is left out, a field with a blank or another value in place of its own, and a password that is refused,
# which is tried by every way to register where Supabase Auth refuses it.
REFUSED: dict[str, tuple[str, str, dict[str, str], str]] = {
    "without a name": ("register", "name", {}, ""),
    "with a blank name": ("register", "", {"name": " "}, ""),
    "with too short a password": ("register", "", {}, "short"),
    "with too long a password": ("register", "", {}, "long"),
    "by the first form with the shortest password of Supabase Auth": ("register", "", {}, "shortest"),
    "by the second form with the shortest password of Supabase Auth": ("signup", "", {}, "shortest"),
    "without consent": ("signup", "consent_version", {}, ""),
    "with blank consent": ("signup", "", {"consent_version": ""}, ""),
    "without a time of consent": ("signup", "consent_timestamp", {}, ""),
    "with no time as the time of consent": ("signup", "", {"consent_timestamp": "yesterday"}, ""),
}
UNFIT = ("short", "long")
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("6.1"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "supabase"),
    promised("accounts"),
]


@pytest.fixture(scope="module")
def account_tables(session: Session) -> AccountTables:
    """The tables with one row for an address."""
    return AccountTables(session)


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
    people: AccountTrials, account: Account, spec: Specification, endpoint: str
) -> None:
    """contract POST /login, /auth/login: an unknown address is refused like a wrong password: status, body and headers."""

    def one_round() -> set[str]:
        # In turn, so that what changes with time changes for both; and each address as often, so that what follows from
        # guessing at one address does as well.
        owner, stranger = people.account("known"), people.applicant("account")
        wrong = [people.applicant("wrong").password for _ in range(people.rules.refusals)]
        pairs = [(people.refusal(owner.email, one, endpoint), people.refusal(stranger.email, one, endpoint)) for one in wrong]
        return people.what_tells([known for known, _ in pairs], [refused for _, refused in pairs])

    found = one_round()
    # What differs by chance does not differ twice.
    found = found and found & one_round()
    what = "what tells an unknown address from a wrong password"
    expect(sorted(found), what, "the handler of the sign-in", subject=spec.endpoint(endpoint).subject).is_empty()


@pytest.mark.about("account.holds")
@pytest.mark.parametrize("endpoint", SIGN_INS)
def test_refused_sign_ins_hold_up_nobody_else(sign_in_paces: SignInPaces, spec: Specification, endpoint: str) -> None:
    """contract GET /health, /login: whoever guesses at passwords, in a row or all at once, slows nobody else's requests."""
    found = sign_in_paces.held_up(endpoint)
    what, hint = "requests that wait while sign-ins are refused", "what the sign-in does with a wrong password"
    expect(sorted(found), what, hint, subject=spec.endpoint(endpoint).subject).is_empty()


@pytest.mark.about("account.refused", "account address in capital letters*")
@pytest.mark.parametrize("endpoint", REGISTRATIONS)
def test_an_address_with_capital_letters_signs_in(people: AccountTrials, account: Account, endpoint: str) -> None:
    """contract POST /register, /auth/signup, /login: the address is accepted again as it was given, also with capitals."""
    applicant = people.applicant("capital")
    # A service may take no such signs; an address that it takes is nobody else's.
    spelled = [people.spelled(applicant.email, how) for how in (lambda part: f"{part.title()}.x+Note", str.title)]
    who, registered = people.first_accepted((replace(applicant, email=email) for email in spelled), endpoint)
    subject = f"account address in capital letters{' with a plus sign' if '+' in who.email else ''}"
    expect(registered, refused="account.refused", subject=subject).success()
    reply = people.sign_in(who.email, who.password)
    expect(reply, refused="account.refused", subject=subject).success()
    people.whose(reply)
    known = str(claims_of(text_in(reply, "access_token")).get("email") or who.email)
    what, hint = "address of the account that was opened", "what registration and sign-in make of an address"
    same = expect(known.casefold(), what, hint, code="account.doubled", subject=subject, of=reply)
    same.equals(who.email.casefold(), "two addresses with one account are two people in one")


@pytest.mark.about("account.outlived", "account that was removed")
def test_an_account_that_was_removed_is_opened_no_more(people: AccountTrials, account: Account, supabase: Supabase) -> None:
    """contract POST /login, /auth/login: 401, also where the address and its password were right a moment ago."""
    leaving = people.account("removed")
    removed = supabase.auth.delete(leaving.id)
    if not removed.succeeded or supabase.auth.sign_in(leaving.email, leaving.password).succeeded:
        not_applicable("this project's Auth does not remove an account, which a check of its own judges")
    replies = people.together(partial(people.sign_in, leaving.email, leaving.password, way) for way in SIGN_INS)
    for reply in replies:
        people.whose(reply)
        expect(reply).error("wrong_password", because="there is no such account any more")


@pytest.mark.about("account.refused", "account address in other letters of case")
def test_an_address_is_the_same_in_other_letters(people: AccountTrials, account: Account, supabase: Supabase) -> None:
    """contract Auth: Supabase does not tell capital letters of an address from small ones, and neither does the sign-in."""
    other = people.spelled(account.email, str.upper)
    if not supabase.auth.sign_in(other, account.password).succeeded:
        not_applicable("this project's Auth tells capital letters of an address from small ones")
    replies = {endpoint: people.sign_in(other, account.password, endpoint) for endpoint in SIGN_INS}
    found = {endpoint: people.whose(reply) for endpoint, reply in replies.items()}
    for reply in replies.values():
        expect(reply, refused="account.refused").success()
    what = "people that an address in capital letters opens"
    expect(found, what, code="account.doubled").equals(dict.fromkeys(SIGN_INS, account.id))


@pytest.mark.about("account.taken")
@pytest.mark.parametrize("endpoint", REGISTRATIONS)
def test_registering_again_changes_and_shows_nothing(
    people: AccountTrials, account: Account, spec: Specification, endpoint: str
) -> None:
    """contract POST /register, /auth/signup: an address that has an account keeps it, with its password, and has no second."""
    subject = spec.endpoint(endpoint).subject
    again = {how: replace(people.applicant("again"), email=spell(people, account.email)) for how, spell in SPELLINGS.items()}
    replies = people.together(partial(people.register, who, endpoint) for who in again.values())
    for reply in replies:
        expect_known_only(reply, account)
    opened = people.together(partial(people.sign_in, who.email, who.password) for who in again.values())
    owners = {how: people.whose(reply) for how, reply in zip(again, opened, strict=True)}
    taken = [how for how, owner in owners.items() if owner == account.id]
    expect(taken, "addresses with which a stranger's password opens the account", subject=subject).is_empty()
    doubled = [how for how, owner in owners.items() if owner]
    expect(doubled, "spellings of one address with an account of their own", code="account.doubled", subject=subject).is_empty()
    kept = people.whose(people.sign_in(account.email, account.password))
    expect(kept, "the account that its own password opens afterwards", subject=subject).equals(account.id)


@pytest.mark.about("account.doubled", "account registered several times at once")
def test_registrations_at_the_same_time_make_one_account(
    people: AccountTrials, account: Account, account_tables: AccountTables, supabase: Supabase
) -> None:
    """contract POST /register, /auth/signup: 400 or 409 for a known address, also where several register it at one moment."""
    first = people.applicant("at-once")
    all_of_them = [replace(people.applicant("at-once"), email=first.email) for _ in range(people.rules.registrations_at_once)]
    replies = people.together(
        partial(people.register, who, endpoint) for who, endpoint in zip(all_of_them, cycle(REGISTRATIONS), strict=False)
    )
    opened = people.together(partial(people.sign_in, first.email, who.password) for who in all_of_them)
    signed_in = [people.whose(reply) for reply in opened]
    accepted = [index for index, reply in enumerate(replies) if reply.succeeded]
    if not accepted:
        not_applicable(f"none of the registrations was accepted: {sorted({reply.status for reply in replies})}")
    what, hint = "registrations of one address that were accepted", "a unique index on the address"
    rows = account_tables.holding(first.email)
    doubled = [name for name in set(rows) if rows.count(name) > 1]
    if len(accepted) > 1 and [one.email for one in supabase.auth.all_users()].count(first.email) == 1:
        expect(replies[accepted[-1]], code="http.accepted").refusal("the account is somebody else's")
    expect(len(accepted), what, hint).equals(1, "the others were promised an account that is not theirs")
    opens = [index for index, owner in enumerate(signed_in) if owner]
    code = "account.taken" if opens else "account.refused"
    expect(opens, "registrations whose password opens the account", code=code).equals(accepted)
    expect(doubled, "tables with several rows of the address", hint).is_empty()


@pytest.mark.about("account.left", "account {refused}")
@pytest.mark.parametrize("refused", REFUSED)
def test_a_refused_registration_leaves_nothing(
    people: AccountTrials, account: Account, account_tables: AccountTables, refused: str
) -> None:
    """contract POST /register, /auth/signup: what was refused has no account and no row, and its address is still free."""
    endpoint, without, changed, password = REFUSED[refused]
    right = people.applicant("refused")
    wrong = replace(right, password=people.unfit(password) if password else right.password)
    ways = REGISTRATIONS if password in UNFIT else (endpoint,)
    answers = [people.register(wrong, each, without, **changed) for each in ways]
    if any(answer.succeeded for answer in answers):
        not_applicable(f"a registration {refused} is accepted, which checks of its own judge")
    for answer in answers:
        expect(answer).refusal("something is wrong with what was sent, and not with the service")
    expect(account_tables.holding(right.email), "tables with a row of the address", "the handler, before it refuses").is_empty()
    opened = people.whose(people.sign_in(wrong.email, wrong.password))
    expect(opened, "the account that the refused registration opens").equals("")
    reply = people.register(right, endpoint)
    people.with_a_free_address(reply).success("the address has no account yet")
    opened_by = people.sign_in(right.email, right.password)
    people.whose(opened_by)
    expect(opened_by, refused="account.refused", subject="account of the right registration that followed").success()


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
    api: Api, people: AccountTrials, account: Account, signed_out: tuple[str, str], supabase: Supabase
) -> None:
    """contract Auth: signing out of a session ends none of the user's others, and they sign in again (F08)."""
    ended, other = signed_out
    # Also where it is refused, what is known of it afterwards must not reach the others.
    api.as_(ended).call("me")
    expect(api.as_(other).call("me")).success("another session of the same user was signed out, not this one")
    for way in SIGN_INS:
        # A page may go on sending what it has.
        again, subject = people.sign_in(account.email, account.password, way, ended), "account whose token has ended"
        expect(again, refused="account.refused", subject=subject).success("a sign-in needs no token")
        token = text_in(again, "access_token")
        reply, subject = api.as_(token).call("me"), "token of a sign-in after a sign-out"
        expect(reply, refused="auth.refused", subject=subject).success("it is a new session")
        supabase.auth.sign_out(token)
