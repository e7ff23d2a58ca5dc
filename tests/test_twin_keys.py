"""The kinds of keys that the twin's Supabase project can have."""

import json
from pathlib import Path

import jwt
import pytest

from twin import keys
from twin.doubles.supabase.signing import Signing
from twin.plan import Plan, make


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A healthy twin that is not started."""
    return make(tmp_path, 60.0)


def test_a_new_project_trusts_no_shared_secret(plan: Plan) -> None:
    legacy = Signing(plan.config).sign({"sub": "u", "exp": 4_000_000_000})
    assert Signing(plan.config).published() == {"keys": []}
    plan.use_keys(opaque=True, algorithm="ES256")
    signing = Signing(plan.config)
    assert signing.verify(signing.sign({"sub": "u", "exp": 4_000_000_000}))["sub"] == "u"
    with pytest.raises(jwt.PyJWTError):
        signing.verify(legacy)
    assert "SUPABASE_JWT_SECRET" not in plan.config.operator_env
    for env in (plan.config.api_env, plan.config.worker_env, plan.config.operator_env):
        assert env["SUPABASE_ANON_KEY"].startswith("sb_publishable_")
        assert env["SUPABASE_SERVICE_ROLE_KEY"] == env["SERVICE_ROLE_KEY"]
        assert env["SERVICE_ROLE_KEY"].startswith("sb_secret_")


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_the_published_key_verifies_and_holds_no_secret(plan: Plan, algorithm: str) -> None:
    plan.use_keys(opaque=False, algorithm=algorithm)
    signing = Signing(plan.config)
    (key,) = signing.published()["keys"]
    token = signing.sign({"sub": "u", "exp": 4_000_000_000})
    assert jwt.decode(token, jwt.PyJWK(key), algorithms=[algorithm])["sub"] == "u"
    assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)
    # A project that is still migrating trusts both.
    shared = jwt.encode({"sub": "u", "exp": 4_000_000_000}, plan.config.jwt_secret, algorithm="HS256")
    assert signing.verify(shared)["sub"] == "u"


def test_a_private_key_is_imported_as_a_jwk(plan: Plan) -> None:
    plan.use_keys(opaque=True, algorithm="ES256")
    assert json.loads(plan.config.operator_env["SUPABASE_JWT_SIGNING_KEY"])["alg"] == "ES256"


def test_another_algorithm_has_no_private_key() -> None:
    with pytest.raises(ValueError, match="HS256"):
        keys.private_key("HS256")
