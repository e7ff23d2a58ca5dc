"""Render's double in this process, without a twin."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from proof.accounts import Account, account
from tests.conftest import ROOT
from twin.config import TwinConfig

KEY = "key-of-a-test"
TEXTS = ("database_admin_url", "jwt_secret", "anon_key", "service_role_key", "openai_key", "llamaparse_key", "anthropic_key")
FILES = ("folder", "ca_file", "cert_file", "key_file")


def configuration(
    api_env: dict[str, str] | None = None, worker_env: dict[str, str] | None = None, **behaviour: Any
) -> TwinConfig:
    """What the double of an account reads of a twin."""
    texts = dict.fromkeys(TEXTS, "x") | {"project_ref": "ref", "commit": "c" * 40, "render_key": KEY}
    values: dict[str, Any] = {name: str(ROOT) for name in FILES} | texts | {"ports": {"api": 1}, "speedup": 1}
    return TwinConfig(**values, api_env=api_env or {}, worker_env=worker_env or {}, behaviour=behaviour)


@contextmanager
def serving(config: TwinConfig) -> Iterator[str]:
    """The base URL of the double with this configuration."""
    with account(config) as one:
        yield one.url


__all__ = ["KEY", "Account", "account", "configuration", "serving"]
