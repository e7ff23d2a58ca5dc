"""Passwords and e-mail addresses: what is accepted, and how passwords are kept."""

from __future__ import annotations

import hashlib
import hmac
import os
import re

from twin.doubles.supabase.auth.errors import AuthError

SHORTEST, LONGEST = 6, 72
LONGEST_EMAIL = 255
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*")


def hashed(password: str) -> str:
    """A password as it is stored."""
    return _hash(password, os.urandom(16))


def matches(password: str, stored: str | None) -> bool:
    """Whether a password is the stored one."""
    if not stored:
        return False
    salt = bytes.fromhex(stored.partition("$")[0])
    return hmac.compare_digest(_hash(password, salt), stored)


def _hash(password: str, salt: bytes) -> str:
    return salt.hex() + "$" + hashlib.scrypt(password.encode(), salt=salt, n=1024, r=8, p=1).hex()


def require_strong(password: str) -> None:
    """Raises AuthError for a password that is too short or too long."""
    if len(password.encode()) > LONGEST:
        raise AuthError(400, "validation_failed", f"Password cannot be longer than {LONGEST} characters")
    if len(password) < SHORTEST:
        raise AuthError(422, "weak_password", f"Password should be at least {SHORTEST} characters.", ["length"])


def address(email: str) -> str:
    """An e-mail address in the form in which it is stored; raises AuthError 400."""
    if not email:
        raise AuthError(400, "validation_failed", "An email address is required")
    if len(email) > LONGEST_EMAIL:
        raise AuthError(400, "validation_failed", "An email address is too long")
    if not EMAIL.fullmatch(email):
        raise AuthError(400, "validation_failed", "Unable to validate email address: invalid format")
    return email.lower()
