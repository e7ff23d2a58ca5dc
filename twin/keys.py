"""The kinds of keys that a Supabase project can have (plan.use_keys)."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

RSA_BITS = 2048


def private_key(algorithm: str) -> str:
    """A new private key for this algorithm, as PEM; raises ValueError for an algorithm that has none."""
    if algorithm not in ("ES256", "RS256"):
        raise ValueError(f"there is no private key for {algorithm!r}: expected ES256 or RS256")
    key = ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else rsa.generate_private_key(65537, RSA_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def as_jwk(pem: str, algorithm: str) -> str:
    """A private key as a JWK in one line, which is how an operator imports one into a project."""
    found = jwt.get_algorithm_by_name(algorithm).to_jwk(load_pem_private_key(pem.encode(), None), as_dict=True)
    return json.dumps(found | {"alg": algorithm}, separators=(",", ":"))


def opaque(kind: str) -> str:
    """A new `sb_publishable_…` or `sb_secret_…` key: random, then a checksum."""
    random = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    checksum = base64.urlsafe_b64encode(hashlib.sha256(f"{kind}{random}".encode()).digest()).decode()[:8]
    return f"sb_{kind}_{random}_{checksum}"


def deploy_hook_key(render_key: str, service_id: str) -> str:
    """The key of a service's deploy hook: another one for each account and service."""
    return hashlib.sha256(f"{render_key} {service_id}".encode()).hexdigest()[:12]
