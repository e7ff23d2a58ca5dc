"""Supabase Auth: accounts, sessions, codes, second factors, and the admin's view of users."""

from __future__ import annotations

import functools

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from twin.doubles.supabase.auth.accounts import Accounts
from twin.doubles.supabase.auth.admin import Admin
from twin.doubles.supabase.auth.context import Context
from twin.doubles.supabase.auth.errors import Handler, with_auth_errors
from twin.doubles.supabase.auth.factors import Factors
from twin.doubles.supabase.auth.mail import Mail
from twin.doubles.supabase.auth.public import Public
from twin.doubles.supabase.project import Project


def _keyed(project: Project, handler: Handler) -> Handler:
    """A handler that is reached with one of the project's keys only."""

    @functools.wraps(handler)
    async def wrapped(request: Request) -> Response:
        project.require_key(request)
        return await handler(request)

    return wrapped


def _open(context: Context) -> list[tuple[str, Handler, str]]:
    """What a browser visits, which sends no key."""
    mail, public = Mail(context), Public(context)
    return [
        ("/verify", mail.follow, "GET"),
        ("/authorize", public.authorize, "GET"),
        ("/.well-known/jwks.json", public.key_set, "GET"),
    ]


def _of_users(context: Context) -> list[tuple[str, Handler, str]]:
    accounts, mail, factors, public = Accounts(context), Mail(context), Factors(context), Public(context)
    return [
        ("/health", public.health, "GET"),
        ("/settings", public.settings, "GET"),
        ("/signup", accounts.signup, "POST"),
        ("/token", accounts.token, "POST"),
        ("/logout", accounts.logout, "POST"),
        ("/user", accounts.user, "GET"),
        ("/user", accounts.change, "PUT"),
        ("/user/identities/authorize", accounts.manual_linking, "GET"),
        ("/user/identities/{identity_id}", accounts.manual_linking, "DELETE"),
        ("/reauthenticate", accounts.reauthenticate, "GET"),
        ("/reauthenticate", accounts.reauthenticate, "POST"),
        ("/recover", mail.recover, "POST"),
        ("/otp", mail.otp, "POST"),
        ("/magiclink", mail.otp, "POST"),
        ("/resend", mail.resend, "POST"),
        ("/verify", mail.verify, "POST"),
        ("/sso", public.sso, "POST"),
        ("/factors", factors.enroll, "POST"),
        ("/factors/{factor_id}", factors.unenroll, "DELETE"),
        ("/factors/{factor_id}/challenge", factors.challenge, "POST"),
        ("/factors/{factor_id}/verify", factors.verify, "POST"),
    ]


def _of_admins(context: Context) -> list[tuple[str, Handler, str]]:
    admin, mail, factors = Admin(context), Mail(context), Factors(context)
    return [
        ("/invite", mail.invite, "POST"),
        ("/admin/generate_link", mail.link, "POST"),
        ("/admin/users", admin.create, "POST"),
        ("/admin/users", admin.listing, "GET"),
        ("/admin/users/{user_id}", admin.read, "GET"),
        ("/admin/users/{user_id}", admin.change, "PUT"),
        ("/admin/users/{user_id}", admin.delete, "DELETE"),
        ("/admin/users/{user_id}/factors", factors.listing, "GET"),
        ("/admin/users/{user_id}/factors/{factor_id}", factors.remove, "DELETE"),
    ]


def routes(project: Project) -> list[Route]:
    """Routes below /auth/v1."""
    context = Context(project)
    table = [(path, _keyed(project, handler), method) for path, handler, method in _of_users(context) + _of_admins(context)]
    return [
        Route(f"/auth/v1{path}", with_auth_errors(handler), methods=[method])
        for path, handler, method in [*_open(context), *table]
    ]
