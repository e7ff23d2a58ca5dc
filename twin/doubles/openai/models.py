"""The account's models, and what each is for."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.openai.errors import RefusedError, no_model
from twin.doubles.openai.parameters import mistyped

CREATED = 1_721_172_741
# fmt: off
CHAT = (
    "gpt-3.5-turbo", "gpt-3.5-turbo-0125", "gpt-4", "gpt-4-0613", "gpt-4-turbo", "gpt-4-turbo-2024-04-09",
    "gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-2024-11-20", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", "gpt-4.1",
    "gpt-4.1-2025-04-14", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "gpt-4.1-nano", "gpt-4.1-nano-2025-04-14",
    "gpt-5", "gpt-5-2025-08-07", "gpt-5-mini", "gpt-5-mini-2025-08-07", "gpt-5-nano", "gpt-5-nano-2025-08-07",
    "gpt-5.1", "gpt-5.1-2025-11-13", "gpt-5.2", "gpt-5.2-2025-12-11", "gpt-5.4", "gpt-5.4-mini",
    "gpt-5.4-mini-2026-03-17", "gpt-5.4-nano", "gpt-5.4-nano-2026-03-17", "gpt-5.5", "gpt-5.5-2026-04-23",
    "gpt-5.6-luna", "gpt-5.6-sol", "gpt-5.6-terra", "gpt-6-astra", "gpt-6-luna", "gpt-6-sol", "gpt-6.1-sol",
    "gpt-6.1-terra", "gpt-6.2-astra", "gpt-6.2-sol", "o1", "o1-2024-12-17", "o3", "o3-2025-04-16", "o3-mini",
    "o3-mini-2025-01-31", "o4-mini", "o4-mini-2025-04-16",
)
# fmt: on
COMPLETION = ("gpt-3.5-turbo-instruct", "davinci-002", "babbage-002")
# The number of dimensions, and whether it may be shortened.
EMBEDDING = {
    "text-embedding-3-small": (1536, True),
    "text-embedding-3-large": (3072, True),
    "text-embedding-ada-002": (1536, False),
}
MODERATION = ("omni-moderation-latest", "omni-moderation-2024-09-26", "text-moderation-latest", "text-moderation-stable")
ALL = (*CHAT, *COMPLETION, *EMBEDDING, *MODERATION)
# The longest prompt of a model, by the beginning of its name; the longest name counts.
WINDOWS = {"": 128_000, "gpt-3.5": 16_385, "gpt-4": 8_192, "gpt-4-turbo": 128_000, "gpt-4o": 128_000, "gpt-4.1": 1_047_576}
REASONING = re.compile(r"o\d|gpt-(5|6)(?!.*chat)")
DATED = re.compile(r"-\d{4}(-\d\d-\d\d)?$")


def known(name: Any) -> str:
    """The name of one of the account's models; raises RefusedError."""
    if name is None or name == "":
        raise RefusedError("you must provide a model parameter")
    if not isinstance(name, str):
        raise mistyped("model", "a string", name)
    if name not in ALL:
        raise no_model(name)
    return name


def talking(name: Any, path: str = "v1/chat/completions") -> str:
    """The name of a chat model; raises RefusedError."""
    name = known(name)
    if name not in CHAT:
        raise RefusedError(f"This is not a chat model and thus not supported in the {path} endpoint.", "model", status=404)
    return str(name)


def reasons(name: str) -> bool:
    """Whether the model thinks before it answers, and takes no sampling parameters."""
    return REASONING.match(name) is not None


def check_window(name: str, tokens: int, param: str) -> None:
    """Raise RefusedError for a prompt that is longer than the model's window."""
    if reasons(name):
        window = 400_000
    else:
        window = next(WINDOWS[start] for start in sorted(WINDOWS, key=len, reverse=True) if name.startswith(start))
    if tokens > window:
        message = f"This model's maximum context length is {window} tokens. However, your {param} resulted in {tokens} tokens."
        raise RefusedError(f"{message} Please reduce the length of the {param}.", param, "context_length_exceeded")


def snapshot(name: str) -> str:
    """The dated model behind an alias."""
    if DATED.search(name):
        return name
    return next((one for one in CHAT if one.startswith(name) and DATED.fullmatch(one.removeprefix(name))), name)


def _shown(name: str) -> dict[str, Any]:
    owner = "openai-internal" if name.startswith("text-") else "system"
    return {"id": name, "object": "model", "created": CREATED, "owned_by": owner}


def listed(lacking: Sequence[str]) -> Callable[[Request], Awaitable[Response]]:
    """A handler that lists all models, apart from those that the account lacks."""

    async def of_the_account(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": [_shown(name) for name in ALL if name not in lacking]})

    return of_the_account


async def shown(request: Request) -> Response:
    """One model."""
    return JSONResponse(_shown(_named(request)))


async def deleted(request: Request) -> Response:
    """Only fine-tuned models can be deleted, by their owner."""
    name = _named(request)
    message = f"You have insufficient permissions to delete the model '{name}': only own models can be deleted."
    raise RefusedError(message, status=403)


def _named(request: Request) -> str:
    name: str = request.path_params["model"]
    if name not in ALL:
        raise RefusedError(f"The model '{name}' does not exist", "model", "model_not_found", status=404)
    return name
