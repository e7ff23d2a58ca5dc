"""Fixtures of the conformance cases: clients of the target, users, and the vendors' descriptions."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import supabase
from supabase_auth import SyncGoTrueAdminAPI
from supabase_auth.errors import AuthApiError
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from gate.settings import read_env_file
from proof.conformance.clients import Clients, Member
from proof.conformance.recorded import problems
from proof.conformance.results import note_operation

# The doubles that a module is about stand in its name; the others are about Supabase and PostgREST, which share a database.
DOUBLES, REST = ("openai", "anthropic", "llamaparse", "render"), "supabase"
NEEDED = {
    "Supabase Auth": "secret",
    "Supabase Storage": "secret",
    "Supabase Realtime": "secret",
    "PostgREST": "secret",
    "OpenAI": "openai",
    "Anthropic": "anthropic",
    "LlamaParse": "llamaparse",
    "Render": "render",
}


class ByDoubles(LoadScopeScheduling):  # type: ignore[misc]  # without types
    """Gives all modules of the same doubles to one process."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return next((name for name in DOUBLES if name in module), REST)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The target, as `python -m proof.conformance` names it."""
    parser.addoption("--settings", type=Path, help="env file of the target")
    parser.addoption("--live", action="store_true", help="the target is the vendors themselves")
    parser.addoption("--allow-writes", action="store_true", help="run cases that create, change or cost something there")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every case names its operation; those that a target cannot take are skipped with the reason."""
    clients = _clients(config)
    for item in items:
        mark = item.get_closest_marker("operation")
        if mark is None:
            raise pytest.UsageError(f"{item.nodeid}: a case without operation(vendor, text)")
        note_operation(item)
        if not getattr(clients.keys, NEEDED[mark.args[0]]):
            item.add_marker(pytest.mark.skip(reason=f"no key of {mark.args[0]}"))
        elif clients.is_live and item.get_closest_marker("writes") and not config.getoption("--allow-writes"):
            item.add_marker(pytest.mark.skip(reason="writes; --allow-writes runs it"))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Cases of the same doubles run in one process: one may change what another sees."""
    return ByDoubles(config, log)


CLIENTS = pytest.StashKey[Clients]()


def _clients(config: pytest.Config) -> Clients:
    if CLIENTS not in config.stash:
        path = config.getoption("--settings")
        values = dict(os.environ) if path is None else read_env_file(path) | dict(os.environ)
        if ca_file := values.get("HARNESS_CA_FILE"):
            # Every one of the clients takes its trust from here.
            os.environ["SSL_CERT_FILE"] = ca_file
        made = Clients.of(values, bool(config.getoption("--live")))
        made.recorder.knows(f"{made.urls.supabase}/auth/v1", "supabase-auth")
        made.recorder.knows(made.urls.openai, "openai")
        config.stash[CLIENTS] = made
    return config.stash[CLIENTS]


@pytest.fixture(scope="session")
def clients(request: pytest.FixtureRequest) -> Clients:
    """The vendors' clients for the target."""
    return _clients(request.config)


@pytest.fixture(autouse=True)
def as_described(clients: Clients) -> Iterator[None]:
    """Every answer that a case receives is one that the vendor's description allows."""
    clients.recorder.answers.clear()
    yield
    found = [problem for answer in clients.recorder.answers for problem in problems(answer)]
    assert not found, "\n".join(found)


@pytest.fixture
def new_member(clients: Clients) -> Iterator[Callable[[], Member]]:
    """Makes confirmed users, who are removed afterwards."""
    admin = clients.supabase(clients.keys.secret).auth.admin
    made: list[Member] = []

    def make() -> Member:
        # Of one use, and made of nothing that could be guessed.
        password, name = secrets.token_urlsafe(18), f"{clients.tag}-{len(made)}"
        email = f"{clients.tag}-{secrets.token_hex(4)}@example.com"
        created = admin.create_user(
            {"email": email, "password": password, "email_confirm": True, "user_metadata": {"name": name}}
        )
        made.append(Member(created.user.id, email, password, name))
        return made[-1]

    yield make
    for member in made:
        _remove(admin, member)


def _remove(admin: SyncGoTrueAdminAPI, member: Member) -> None:
    try:
        admin.delete_user(member.id)
    except AuthApiError as error:
        if error.status != 404:
            raise


@pytest.fixture
def member(new_member: Callable[[], Member]) -> Member:
    """A confirmed user of this case alone."""
    return new_member()


@pytest.fixture
def signed_in(clients: Clients, member: Member) -> tuple[supabase.Client, Member]:
    """Supabase's client, signed in as a user of this case alone."""
    client = clients.supabase(clients.keys.publishable)
    client.auth.sign_in_with_password({"email": member.email, "password": member.password})
    return client, member
