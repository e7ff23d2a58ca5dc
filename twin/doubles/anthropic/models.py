"""The account's models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.anthropic.errors import RefusedError
from twin.doubles.anthropic.listing import page


@dataclass(frozen=True)
class Model:
    """One model, with the other names that it is known by."""

    id: str
    name: str
    released: str
    most: int = 64_000
    also: tuple[str, ...] = ()
    takes_prefill: bool = False
    lifecycle: str = "active"
    deprecated: str | None = None
    retires: str | None = None

    @property
    def line(self) -> str | None:
        """The line that the model belongs to."""
        return next((line for line in ("haiku", "sonnet", "opus", "fable", "mythos") if line in self.id), None)


# Newest first.
MODELS = (
    Model("claude-fable-5-2", "Claude Fable 5.2", "2026-10-21", 128_000),
    Model("claude-haiku-5-5", "Claude Haiku 5.5", "2026-10-07"),
    Model("claude-sonnet-5-5", "Claude Sonnet 5.5", "2026-09-30", 128_000),
    Model("claude-opus-5-5", "Claude Opus 5.5", "2026-09-16", 128_000),
    Model("claude-sonnet-5", "Claude Sonnet 5", "2026-06-30", 128_000),
    Model("claude-opus-5", "Claude Opus 5", "2026-06-16", 128_000),
    Model("claude-opus-4-8", "Claude Opus 4.8", "2026-05-12", 128_000),
    Model("claude-opus-4-7", "Claude Opus 4.7", "2026-04-16", 128_000),
    Model("claude-sonnet-4-6", "Claude Sonnet 4.6", "2026-02-17"),
    Model("claude-opus-4-6", "Claude Opus 4.6", "2026-02-05", 128_000),
    Model("claude-opus-4-5-20251101", "Claude Opus 4.5", "2025-11-24", 64_000, ("claude-opus-4-5",), takes_prefill=True),
    Model("claude-haiku-4-5-20251001", "Claude Haiku 4.5", "2025-10-15", 64_000, ("claude-haiku-4-5",), takes_prefill=True),
    Model("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", "2025-09-29", 64_000, ("claude-sonnet-4-5",), takes_prefill=True),
    # What the services fall back to; its retirement is overdue.
    Model(
        "claude-3-5-haiku-20241022",
        "Claude Haiku 3.5",
        "2024-10-22",
        8_192,
        ("claude-3-5-haiku-latest",),
        takes_prefill=True,
        lifecycle="deprecated",
        deprecated="2025-12-19",
        retires="2026-02-19",
    ),
    Model(
        "claude-3-opus-20240229",
        "Claude Opus 3",
        "2024-02-29",
        4_096,
        ("claude-3-opus-latest",),
        lifecycle="retired",
        deprecated="2025-06-30",
        retires="2026-01-05",
    ),
)
BY_NAME = {name: model for model in MODELS for name in (model.id, *model.also)}


def callable_by(name: str) -> Model:
    """The model of this name, when it may still be called; raises RefusedError."""
    model = BY_NAME.get(name)
    if model is None or model.lifecycle == "retired":
        raise RefusedError(f"model: {name}", 404)
    return model


def _moment(day: str | None) -> str | None:
    return f"{day}T00:00:00Z" if day else None


def _capabilities(model: Model) -> dict[str, Any]:
    yes, no = {"supported": True}, {"supported": False}
    is_new = not model.takes_prefill and model.lifecycle == "active"
    adaptive = yes if is_new else no
    return {
        "batch": yes,
        "citations": yes,
        "code_execution": yes,
        "context_management": {
            "clear_thinking_20251015": yes,
            "clear_tool_uses_20250919": yes,
            "compact_20260112": adaptive,
            "supported": True,
        },
        "effort": {**dict.fromkeys(("high", "low", "max", "medium", "xhigh"), adaptive), "supported": is_new},
        "image_input": yes,
        "pdf_input": yes,
        "server_tools": {"code_execution": yes, "supported": True, "web_search": yes},
        "structured_outputs": yes,
        "thinking": {
            "supported": True,
            "types": {"adaptive": adaptive, "between_tools": adaptive, "disabled": yes, "enabled": yes},
        },
    }


def _shown(model: Model) -> dict[str, Any]:
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.name,
        "created_at": _moment(model.released),
        "lifecycle": model.lifecycle,
        "line": model.line,
        "deprecated_at": _moment(model.deprecated),
        "retires_at": _moment(model.retires),
        "max_input_tokens": 200_000 if model.takes_prefill else 1_000_000,
        "max_tokens": model.most,
        "capabilities": _capabilities(model),
    }


async def listed(request: Request) -> Response:
    """A page of the models, newest first; retired ones only when asked for."""
    asked = request.query_params.getlist("lifecycle[]") + request.query_params.getlist("lifecycle")
    wanted = asked or ["active", "deprecated"]
    for one in wanted:
        if one not in ("active", "deprecated", "retired"):
            raise RefusedError("lifecycle: Input should be 'active', 'deprecated' or 'retired'")
    return JSONResponse(page([_shown(model) for model in MODELS if model.lifecycle in wanted], request))


async def shown(request: Request) -> Response:
    """One model, by its id or another of its names."""
    name = request.path_params["id"]
    if name not in BY_NAME:
        raise RefusedError(f"model: {name}", 404)
    return JSONResponse(_shown(BY_NAME[name]))
