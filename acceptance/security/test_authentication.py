"""6.1 Authentication: JWT tokens, service-role keys and API keys (§6 Authentication)."""

from collections.abc import Callable

import pytest

from fixtures.api import Api, job_ids
from fixtures.claims import claims_of
from fixtures.controls import require_known, require_shown
from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.supabase import Supabase
from fixtures.token_cookies import TokenCookies
from fixtures.tokens import Tokens, header_of
from fixtures.users import User
from fixtures.violations import expect_no_user, of_anothers_job
from gate.http import expect
from gate.selection import each, promised
from spec import Specification, entries

Forge = Callable[[Tokens, User], str]
SIGNED: dict[str, Forge] = {
    "expired": lambda tokens, user: tokens.expired(user),
    "wrong-audience": lambda tokens, user: tokens.for_another_audience(user),
    "wrong-role": lambda tokens, user: tokens.of_no_user(user),
    "without-user": lambda tokens, user: tokens.signed(user, sub=None),
    "user-not-a-uuid": lambda tokens, user: tokens.signed(user, sub="admin"),
    "without-expiry": lambda tokens, user: tokens.signed(user, exp=None),
}
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("6.1"),
    pytest.mark.component("auth"),
    pytest.mark.needs("api"),
]


@each("endpoint", entries.own_reads)
def test_a_valid_token_is_accepted(api: Api, caller_token: str, endpoint: str) -> None:
    """§6 JWT Tokens: a valid token opens the caller's own data (F08)."""
    expect(api.as_(caller_token).as_page().call(endpoint)).success(because="the token is valid")


@pytest.mark.about("endpoint.open")
@each("endpoint", entries.own_reads)
def test_a_missing_token_is_challenged(api: Api, spec: Specification, endpoint: str) -> None:
    """contract HTTP API: 401 with WWW-Authenticate: Bearer (F08)."""
    reply = expect(api.call(endpoint)).error("unauthorized")
    expect(reply).header("WWW-Authenticate").matches(rf"(?i){spec.security.challenge}.*")


@promised("pipeline")
@pytest.mark.about("auth.accepted", "token {forged}")
@pytest.mark.parametrize("forged", SIGNED)
def test_a_token_with_wrong_claims_is_refused(api: Api, user: User, supabase: Supabase, tokens: Tokens, forged: str) -> None:
    """§6 JWT Tokens: a right signature under wrong claims is refused (F25)."""
    tokens.require_signing(user, supabase.auth.accepts)
    expect(api.as_(SIGNED[forged](tokens, user)).call("me")).error("unauthorized", because=f"the token is wrong: {forged}")


@promised("pipeline")
@pytest.mark.about("auth.accepted", "token unknown-user")
def test_a_token_of_an_unknown_user_shows_no_user(
    api: Api, user: User, supabase: Supabase, tokens: Tokens, spec: Specification
) -> None:
    """§6 JWT Tokens: a right signature for a user who does not exist is refused, or opens what that user has: nothing."""
    tokens.require_signing(user, supabase.auth.accepts)
    expect_no_user(api.as_(tokens.of_an_unknown_user(user)).call("me"), spec)


@pytest.mark.about("auth.accepted", "token of another scheme")
@each("endpoint", entries.first_own_read)
@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
def test_only_bearer_is_accepted(api: Api, caller_token: str, endpoint: str, scheme: str) -> None:
    """§6 JWT Tokens: the Bearer scheme only."""
    expect(api.call(endpoint, headers={"Authorization": f"{scheme} {caller_token}".strip()})).error("unauthorized")


@promised("pipeline")
@pytest.mark.about("auth.accepted", "token in a cookie that the service does not set")
@each("endpoint", entries.first_own_read)
def test_a_foreign_page_cannot_send_the_token(token_cookies: TokenCookies, endpoint: str) -> None:
    """§6 JWT Tokens: the token comes as a Bearer; what a browser adds by itself, for any page, opens nothing."""
    expect(token_cookies.ask(endpoint)).error("unauthorized")


@promised("pipeline")
@pytest.mark.about("auth.accepted", "token foreign-key")
def test_supabase_refuses_a_foreign_token(supabase: Supabase, user: User, tokens: Tokens) -> None:
    """§6 JWT Tokens: Supabase itself refuses a token of another key (F25)."""
    expect(supabase.auth.user_of(tokens.foreign(user))).error("unauthorized")


@promised("pipeline")
@pytest.mark.about("http.value", "token of a user")
def test_the_token_is_the_projects_own(user: User, tokens: Tokens, spec: Specification) -> None:
    """contract Auth: sub, role, aud, iss, exp and email, signed with a secret or with a key that is published (F09)."""
    claims = claims_of(user.token)
    missing = {"missing": [name for name in spec.tokens.claims if name not in claims]}
    expect(claims, "claims of an access token", code="http.fields", subject="token of a user", facts=missing).includes(
        spec.tokens.claims
    )
    expect((claims["sub"], claims["role"]), "sub and role").equals((user.id, spec.roles.user))
    algorithms = [spec.tokens.algorithm, *spec.tokens.published_algorithms]
    expect(algorithms, "algorithms of access tokens").contains(header_of(user.token).get("alg"))
    if not tokens.is_shared(user):
        expect(tokens.problem_of(user), "why the published keys do not verify a user's token").equals("")


@promised("pipeline")
@pytest.mark.component("api")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("job", marks=pytest.mark.about("isolation.read")),
        pytest.param("document_status", marks=pytest.mark.about("isolation.read")),
        pytest.param("retry", marks=pytest.mark.about("isolation.write")),
    ],
)
def test_another_users_resource_is_not_found(api: Api, policy: DocumentRun, another_user: User, name: str) -> None:
    """contract HTTP API: 404 for another user's job or document."""
    at = {"job_id": policy.job_id, "document_id": policy.document_id}
    require_known(api.as_(policy.owner).call(name, at=at))
    reply = api.as_(another_user).call(name, at=at)
    of_anothers_job(reply).error("unknown", because="another user must not even learn that it exists")


@promised("pipeline")
@pytest.mark.component("api")
@pytest.mark.about("isolation.read")
@pytest.mark.parametrize("name", ["job", "document_status"])
def test_what_became_of_another_users_document_is_not_found(
    api: Api, document_runs: DocumentRuns, another_user: User, name: str
) -> None:
    """contract HTTP API: 404 for another user's job or document, also where it has failed."""
    runs = document_runs.ended("failed")
    require_shown(bool(runs), "a document that has failed")
    for run in runs:
        at = {"job_id": run.job_id, "document_id": run.document_id}
        require_known(api.as_(run.owner).call(name, at=at))
        of_anothers_job(api.as_(another_user).call(name, at=at)).error("unknown")


@promised("pipeline")
@pytest.mark.component("api")
@pytest.mark.about("isolation.read")
def test_another_users_jobs_are_not_listed(api: Api, policy: DocumentRun, another_user: User) -> None:
    """contract GET …/jobs: the caller's jobs only."""
    require_shown(policy.job_id in job_ids(expect(api.as_(policy.owner).call("jobs")).success()), "the job in their listing")
    caller, claimed = api.as_(another_user), {"user_id": policy.owner.id}
    reply = caller.call("jobs", params=claimed)
    # A service may refuse what it does not know, or let it be.
    reply = expect(caller.call("jobs") if reply.is_refusal else reply).success()
    expect(job_ids(reply), "jobs of a user without uploads", subject=reply.subject, of=reply).is_empty()
