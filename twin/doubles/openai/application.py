"""The routes of OpenAI's double."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from twin.config import TwinConfig
from twin.doubles.openai import completions, errors, management, models, moderations
from twin.doubles.openai.account import Account, Handler, Headers
from twin.doubles.openai.batches import Batches
from twin.doubles.openai.chat import Chat
from twin.doubles.openai.conversations import Conversations
from twin.doubles.openai.embeddings import Embeddings
from twin.doubles.openai.errors import RefusedError
from twin.doubles.openai.files import Files
from twin.doubles.openai.responses import Responses

Table = dict[tuple[str, str], Handler]


def _text(account: Account) -> Table:
    chat, conversations = Chat(), Conversations()
    embeddings, responses, files = Embeddings(account), Responses(conversations), Files()
    work = {
        "/v1/chat/completions": chat.create,
        "/v1/completions": completions.create,
        "/v1/embeddings": embeddings.create,
        "/v1/moderations": moderations.create,
        "/v1/responses": responses.create,
    }
    batches = Batches(files, work)
    return {
        ("POST", "embeddings"): embeddings.created,
        ("POST", "completions"): completions.created,
        ("POST", "moderations"): moderations.created,
        ("POST", "chat/completions"): chat.created,
        ("GET", "chat/completions"): chat.listed,
        ("GET", "chat/completions/{id}"): chat.shown,
        ("POST", "chat/completions/{id}"): chat.changed,
        ("DELETE", "chat/completions/{id}"): chat.deleted,
        ("GET", "chat/completions/{id}/messages"): chat.messages,
        ("POST", "responses"): responses.created,
        ("POST", "responses/input_tokens"): responses.counted,
        ("GET", "responses/{id}"): responses.shown,
        ("DELETE", "responses/{id}"): responses.deleted,
        ("POST", "responses/{id}/cancel"): responses.cancelled,
        ("GET", "responses/{id}/input_items"): responses.inputs,
        **_of_conversations(conversations),
        **_limited(account, _of_files(files)),
        **_of_batches(batches),
        **{("GET", path): account.needing(scope, management.nothing) for path, scope in management.PATHS.items()},
    }


def _limited(account: Account, table: Table) -> Table:
    """The handlers of files, for keys with the right to them."""
    rights = {"GET": "api.files.read"}
    return {at: account.needing(rights.get(at[0], "api.files.write"), handler) for at, handler in table.items()}


def _of_conversations(conversations: Conversations) -> Table:
    return {
        ("POST", "conversations"): conversations.created,
        ("GET", "conversations/{id}"): conversations.shown,
        ("POST", "conversations/{id}"): conversations.changed,
        ("DELETE", "conversations/{id}"): conversations.deleted,
        ("GET", "conversations/{id}/items"): conversations.items,
        ("POST", "conversations/{id}/items"): conversations.added,
        ("GET", "conversations/{id}/items/{item}"): conversations.item,
        ("DELETE", "conversations/{id}/items/{item}"): conversations.removed,
    }


def _of_files(files: Files) -> Table:
    return {
        ("POST", "files"): files.created,
        ("GET", "files"): files.listed,
        ("GET", "files/{id}"): files.shown,
        ("DELETE", "files/{id}"): files.deleted,
        ("GET", "files/{id}/content"): files.read,
    }


def _of_batches(batches: Batches) -> Table:
    return {
        ("POST", "batches"): batches.created,
        ("GET", "batches"): batches.listed,
        ("GET", "batches/{id}"): batches.shown,
        ("POST", "batches/{id}/cancel"): batches.cancelled,
    }


def create_app(config: TwinConfig) -> Starlette:
    """The double; `behaviour.openai` may set what `Account` and `Headers` name, and vectors (normal | zero | short)."""
    account = Account(config)
    handlers: Table = {
        ("GET", "models"): models.listed(account.lacks),
        ("GET", "models/{model:path}"): models.shown,
        ("DELETE", "models/{model:path}"): models.deleted,
        **_text(account),
    }
    routes = [Route(f"/v1/{path}", account.guarded(handler), methods=[method]) for (method, path), handler in handlers.items()]
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
