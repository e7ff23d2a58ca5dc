"""Variants of the Supabase project's keys: opaque keys, and users' tokens signed with a key that the project publishes."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant


@variant("V04", "new-style keys and ES256 tokens")
def new_keys(plan: Plan) -> None:
    plan.use_keys(opaque=True, algorithm="ES256")


@variant("V05", "new-style keys, RS256 tokens")
def new_keys_with_rsa(plan: Plan) -> None:
    plan.use_keys(opaque=True, algorithm="RS256")


@variant("V06", "legacy keys, user tokens signed with ES256 (during migration)")
def migrating_keys(plan: Plan) -> None:
    plan.use_keys(opaque=False, algorithm="ES256")
