"""Options of a chat completion: sampling, lengths, tools, and the form of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twin.doubles import words
from twin.doubles.openai.errors import RefusedError, missing
from twin.doubles.openai.models import reasons
from twin.doubles.openai.parameters import Parameters, sized, unsupported

WORDS = """
    messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
    metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key
    prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier
    stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options
"""
KNOWN = frozenset(WORDS.split())
MAX_TOKENS = {"gpt-3.5-turbo": 4096, "gpt-4": 8192, "gpt-4o": 16_384, "gpt-4o-mini": 16_384, "gpt-4.1": 32_768}
MOST_TOKENS = 128_000
FORMATS = ("json_object", "json_schema", "text")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")


def check(given: Parameters, model: str, messages: Sequence[Mapping[str, Any]]) -> None:
    """Raise RefusedError for the first option that OpenAI refuses."""
    given.only(KNOWN)
    _check_sampling(given, model)
    _check_lengths(given, model)
    if given.get("top_logprobs") is not None and not given.get("logprobs"):
        raise RefusedError("'logprobs' must be true when 'top_logprobs' is given.", "top_logprobs")
    if given.get("stream_options") is not None and not given.typed("stream", bool):
        raise RefusedError("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    check_tools(given)
    _check_format(given.typed("response_format", dict), messages)
    given.metadata()


def _check_sampling(given: Parameters, model: str) -> None:
    given.number("temperature", 0, 2)
    given.number("top_p", 0, 1)
    given.number("frequency_penalty", -2, 2)
    given.number("presence_penalty", -2, 2)
    given.integer("n", 1, 128)
    given.integer("seed", -(2**63), 2**63 - 1)
    given.integer("top_logprobs", 0, 20)
    given.typed("logprobs", bool)
    given.typed("logit_bias", dict)
    given.typed("user", str)
    given.one_of("reasoning_effort", EFFORTS)
    given.stops()
    if reasons(model):
        if given.get("max_tokens") is not None:
            message = "Unsupported parameter: 'max_tokens' is not supported with this model."
            raise RefusedError(f"{message} Use 'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter")
        if given.get("temperature", 1) != 1:
            message = "Unsupported value: 'temperature' only supports the default (1) with this model."
            raise RefusedError(message, "temperature", "unsupported_value")
    elif given.get("reasoning_effort") is not None:
        raise RefusedError("Unrecognized request argument supplied: reasoning_effort")


def _check_lengths(given: Parameters, model: str) -> None:
    both = [name for name in ("max_tokens", "max_completion_tokens") if given.integer(name, 1) is not None]
    if len(both) == 2:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise RefusedError(message, "max_tokens", "invalid_parameter_combination")
    most = next((MAX_TOKENS[name] for name in sorted(MAX_TOKENS, key=len, reverse=True) if model.startswith(name)), MOST_TOKENS)
    for name in both:
        if given.get(name) > most:
            message = f"{name} is too large: {given.get(name)}. This model supports at most {most} completion tokens."
            raise RefusedError(message, name, "invalid_value")


def check_tools(given: Parameters) -> None:
    """Raise RefusedError for tools that do not exist or a choice among none."""
    tools = given.array("tools", 128)
    if tools is not None:
        sized("tools", tools, 1, 128)
    for number, tool in enumerate(tools or ()):
        at = f"tools[{number}]"
        if not isinstance(tool, dict) or "type" not in tool:
            raise missing(f"{at}.type")
        if tool["type"] not in ("function", "custom"):
            raise unsupported(f"{at}.type", tool["type"], ("function", "custom"))
        if tool["type"] not in tool:
            raise missing(f"{at}.{tool['type']}")
        if not tool[tool["type"]].get("name"):
            raise missing(f"{at}.{tool['type']}.name")
    choice = given.typed("tool_choice", str, dict)
    if choice is None:
        return
    if not tools:
        raise RefusedError("'tool_choice' is only allowed when 'tools' are specified.", "tool_choice")
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        raise unsupported("tool_choice", choice, ("none", "auto", "required"))
    if isinstance(choice, dict) and choice.get("type") == "function":
        name = (choice.get("function") or {}).get("name")
        if name not in {tool[tool["type"]]["name"] for tool in tools}:
            raise RefusedError(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")


def _check_format(wanted: Mapping[str, Any] | None, messages: Sequence[Mapping[str, Any]]) -> None:
    if wanted is None:
        return
    kind = wanted.get("type")
    if kind is None:
        raise missing("response_format.type")
    if kind not in FORMATS:
        raise unsupported("response_format.type", kind, FORMATS)
    if kind == "json_object" and not any("json" in words.text_of(m.get("content")).lower() for m in messages):
        message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        raise RefusedError(message, "messages")
    if kind == "json_schema":
        check_schema(wanted.get("json_schema"), "response_format.json_schema", "response_format")


def check_schema(described: Any, at: str, param: str) -> None:
    """Raise RefusedError for a schema that structured outputs do not accept."""
    if not isinstance(described, dict):
        raise missing(at)
    if not described.get("name"):
        raise missing(f"{at}.name")
    if described.get("strict") and (place := _loose(described.get("schema") or {}, ())) is not None:
        message = (
            f"Invalid schema for response_format '{described['name']}': In context={place}, "
            "'additionalProperties' is required to be supplied and to be false."
        )
        raise RefusedError(message, param, "invalid_json_schema")


def _loose(schema: Any, at: tuple[str, ...]) -> tuple[str, ...] | None:
    if not isinstance(schema, dict):
        return None
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return at
    inner: dict[tuple[str, ...], Any] = {("properties", key): one for key, one in (schema.get("properties") or {}).items()}
    inner |= {("$defs", key): one for key, one in (schema.get("$defs") or {}).items()}
    inner["items",] = schema.get("items")
    return next((place for key, one in inner.items() if (place := _loose(one, (*at, *key))) is not None), None)
