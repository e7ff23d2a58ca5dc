"""Forged tokens of projects that publish their keys, and the roles of opaque keys."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fixtures.claims import claims_of
from fixtures.project_keys import is_opaque, role_of_kind
from fixtures.tokens import SigningKeys, Tokens, header_of
from fixtures.users import User
from gate.failures import NotConfigured
from spec import load

SPEC = load()
SECRET = "a-signing-key-that-is-long-enough-to-sign"
CLAIMS = {"sub": "u", "role": "authenticated", "aud": "authenticated", "exp": 4_000_000_000}
KEYS: dict[str, Any] = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "RS256": rsa.generate_private_key(65537, 2048),
}
SHARED = User("u", "e@example.com", "n", "p", jwt.encode(CLAIMS, SECRET, algorithm="HS256"))


def published(algorithm: str) -> dict[str, Any]:
    """The public key of this algorithm, as it is published."""
    public = jwt.get_algorithm_by_name(algorithm).to_jwk(KEYS[algorithm].public_key(), as_dict=True)
    return {**public, "kid": "one", "alg": algorithm}


def user_of(algorithm: str) -> User:
    """A user whose token is signed with the project's private key."""
    token = jwt.encode(CLAIMS, KEYS[algorithm], algorithm=algorithm, headers={"kid": "one"})
    return User("u", "e@example.com", "n", "p", token)


def tokens_of(algorithm: str, private: str = "", secret: str = "") -> Tokens:
    """The forger of a project that publishes its key."""
    return Tokens(SPEC, SigningKeys(secret, private, lambda: [published(algorithm)]))


def private_jwk(algorithm: str) -> str:
    """The project's private key, as a JWK."""
    return json.dumps(jwt.get_algorithm_by_name(algorithm).to_jwk(KEYS[algorithm], as_dict=True))


def verified(token: str, algorithm: str) -> dict[str, Any]:
    """The claims of a token by the published key, as a careful verifier reads them."""
    key = jwt.PyJWK(published(algorithm))
    return dict(jwt.decode(token, key, algorithms=[algorithm], audience="authenticated"))


@pytest.mark.parametrize("algorithm", KEYS)
def test_forged_tokens_do_not_verify_by_the_published_key(algorithm: str) -> None:
    tokens, user = tokens_of(algorithm), user_of(algorithm)
    assert tokens.problem_of(user) == ""
    forged = [tokens.foreign(user), tokens.of_the_other_kind(user), tokens.unsigned(user), tokens.altered(user)]
    assert [header_of(token)["kid"] for token in forged] == ["one"] * 4
    assert [claims_of(token)["role"] for token in forged] == ["authenticated"] * 4
    assert header_of(forged[0])["alg"] == algorithm
    assert header_of(forged[1])["alg"] == "HS256"
    for token in forged:
        with pytest.raises(jwt.PyJWTError):
            verified(token, algorithm)


@pytest.mark.parametrize("algorithm", KEYS)
def test_the_imported_private_key_signs(algorithm: str) -> None:
    private = KEYS[algorithm].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for known in (private, private_jwk(algorithm)):
        tokens = tokens_of(algorithm, known)
        token = tokens.signed(user_of(algorithm), email="other@example.com")
        assert verified(token, algorithm)["email"] == "other@example.com"
        tokens.require_signing(user_of(algorithm), lambda token: bool(verified(token, algorithm)))


def test_a_token_of_the_other_kind_brings_its_own_key() -> None:
    token = Tokens(SPEC, SigningKeys(SECRET)).of_the_other_kind(SHARED)
    header = header_of(token)
    assert header["alg"] == "ES256"
    assert jwt.decode(token, jwt.PyJWK(header["jwk"]), algorithms=["ES256"], audience="authenticated")["sub"] == "u"


def test_wrong_claims_are_not_judged_without_a_key_that_signs() -> None:
    for tokens, user, setting in (
        (Tokens(SPEC, SigningKeys()), SHARED, "SUPABASE_JWT_SECRET"),
        (Tokens(SPEC, SigningKeys(private=private_jwk("ES256"))), SHARED, "SUPABASE_JWT_SECRET"),
        (tokens_of("ES256"), user_of("ES256"), "SUPABASE_JWT_SIGNING_KEY"),
    ):
        with pytest.raises(NotConfigured) as missing:
            tokens.require_signing(user, lambda _: True)
        assert missing.value.setting == setting


def test_wrong_claims_are_not_judged_with_a_key_that_the_project_refuses() -> None:
    for tokens, user in (
        (Tokens(SPEC, SigningKeys(SECRET)), SHARED),
        (tokens_of("ES256", secret=SECRET), user_of("ES256")),
    ):
        with pytest.raises(NotConfigured):
            tokens.require_signing(user, lambda _: False)


def test_a_key_that_is_not_published() -> None:
    tokens = Tokens(SPEC, SigningKeys())
    assert "not published" in tokens.problem_of(user_of("ES256"))
    with pytest.raises(NotConfigured):
        tokens.of_the_other_kind(user_of("ES256"))


def test_opaque_keys_have_the_role_of_their_kind() -> None:
    assert is_opaque("sb_secret_x", SPEC)
    assert not is_opaque(SHARED.token, SPEC)
    assert role_of_kind("sb_publishable_x", SPEC) == SPEC.roles.anonymous
    assert role_of_kind("sb_secret_x", SPEC) == SPEC.roles.service
