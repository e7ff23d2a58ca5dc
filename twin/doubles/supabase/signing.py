"""How a project signs its users' tokens: with a shared secret, or with a private key whose public half is published."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from twin.config import TwinConfig

SHARED = "HS256"
OPTIONS: Any = {"verify_aud": False, "require": ["exp"]}


@dataclass(frozen=True)
class Signing:
    """The keys of one project. A shared secret is trusted as long as the project has legacy keys."""

    config: TwinConfig

    @property
    def algorithm(self) -> str:
        """The algorithm of new tokens."""
        return self.config.signing_algorithm

    @cached_property
    def _private(self) -> Any:
        return load_pem_private_key(self.config.signing_key.encode(), None)

    @cached_property
    def kid(self) -> str:
        """The id of the private key."""
        return str(uuid.UUID(hashlib.sha256(self.config.signing_key.encode()).hexdigest()[:32], version=4))

    def sign(self, claims: dict[str, Any]) -> str:
        """A token with these claims."""
        if self.algorithm == SHARED:
            return jwt.encode(claims, self.config.jwt_secret, algorithm=SHARED)
        return jwt.encode(claims, self._private, algorithm=self.algorithm, headers={"kid": self.kid})

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token; raises jwt.PyJWTError for one that no key of the project has signed."""
        header = jwt.get_unverified_header(token)
        if header.get("alg") == SHARED:
            if self.config.key_style != "legacy":
                raise jwt.InvalidAlgorithmError("the shared secret is not trusted")
            return dict(jwt.decode(token, self.config.jwt_secret, algorithms=[SHARED], options=OPTIONS))
        if self.algorithm == SHARED or header.get("kid") != self.kid:
            raise jwt.InvalidKeyError("no key of the project has this id")
        return dict(jwt.decode(token, self._private.public_key(), algorithms=[self.algorithm], options=OPTIONS))

    def published(self) -> dict[str, list[dict[str, Any]]]:
        """The key set: empty for a shared secret, which is nobody else's business."""
        if self.algorithm == SHARED:
            return {"keys": []}
        public: dict[str, Any] = json.loads(jwt.get_algorithm_by_name(self.algorithm).to_jwk(self._private.public_key()))
        return {"keys": [public | {"alg": self.algorithm, "kid": self.kid, "key_ops": ["verify"], "use": "sig", "ext": True}]}
