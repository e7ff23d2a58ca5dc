"""The routes of Anthropic's double."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from twin.config import TwinConfig
from twin.doubles.anthropic import errors, messages, models
from twin.doubles.anthropic.account import Account, Handler, Headers
from twin.doubles.anthropic.batches import Batches
from twin.doubles.anthropic.errors import RefusedError
from twin.doubles.anthropic.files import Files


def _handlers() -> dict[tuple[str, str], Handler]:
    batches, files = Batches(), Files()
    return {
        ("GET", "models"): models.listed,
        ("GET", "models/{id}"): models.shown,
        ("POST", "messages"): messages.created,
        ("POST", "messages/count_tokens"): messages.counted,
        ("POST", "messages/batches"): batches.created,
        ("GET", "messages/batches"): batches.listed,
        ("GET", "messages/batches/{id}"): batches.shown,
        ("DELETE", "messages/batches/{id}"): batches.deleted,
        ("POST", "messages/batches/{id}/cancel"): batches.cancelled,
        ("GET", "messages/batches/{id}/results"): batches.results,
        ("POST", "files"): files.created,
        ("GET", "files"): files.listed,
        ("GET", "files/{id}"): files.shown,
        ("DELETE", "files/{id}"): files.deleted,
        ("GET", "files/{id}/content"): files.read,
    }


def create_app(config: TwinConfig) -> Starlette:
    """The double; `behaviour.anthropic` may set delay (s), status, retry_after, organization and used."""
    account = Account(config)
    routes = [
        Route(f"/v1/{path}", account.guarded(handler), methods=[method]) for (method, path), handler in _handlers().items()
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Headers, behaviour=account.behaviour)],
        exception_handlers={
            RefusedError: errors.on_refused,
            404: errors.on_unknown_route,
            405: errors.on_wrong_method,
            500: errors.on_failure,
        },
    )
