"""Options of a response: sampling, lengths, tools, and the form of the text."""

from __future__ import annotations

from twin.doubles.openai.errors import RefusedError, missing
from twin.doubles.openai.models import reasons
from twin.doubles.openai.options import check_schema
from twin.doubles.openai.parameters import Parameters, sized, unsupported

WORDS = """
    background context_management conversation include input instructions max_output_tokens max_tool_calls metadata
    model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options
    prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options temperature text
    tool_choice tools top_logprobs top_p truncation user
"""
KNOWN = frozenset(WORDS.split())
FORMATS = ("json_object", "json_schema", "text")
LEAST_TOKENS = 16


def check(given: Parameters, model: str) -> None:
    """Raise RefusedError for the first option that OpenAI refuses."""
    given.only(KNOWN)
    given.number("temperature", 0, 2)
    given.number("top_p", 0, 1)
    given.integer("max_output_tokens", LEAST_TOKENS)
    given.integer("top_logprobs", 0, 20)
    given.typed("instructions", str, list)
    given.one_of("truncation", ("auto", "disabled"))
    given.metadata()
    if reasons(model) and given.get("temperature", 1) != 1:
        message = "Unsupported parameter: 'temperature' is not supported with this model."
        raise RefusedError(message, "temperature", "unsupported_parameter")
    _check_tools(given)
    wanted = (given.typed("text", dict) or {}).get("format") or {}
    if wanted and wanted.get("type") not in FORMATS:
        raise unsupported("text.format.type", wanted.get("type"), FORMATS)
    if wanted.get("type") == "json_schema":
        check_schema(wanted, "text.format", "text.format.schema")


def _check_tools(given: Parameters) -> None:
    tools = given.array("tools", 128) or []
    sized("tools", tools, 0, 128)
    for number, tool in enumerate(tools):
        if not isinstance(tool, dict) or "type" not in tool:
            raise missing(f"tools[{number}].type")
        if tool["type"] == "function" and not tool.get("name"):
            raise missing(f"tools[{number}].name")
    choice = given.typed("tool_choice", str, dict)
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        raise unsupported("tool_choice", choice, ("none", "auto", "required"))
    if isinstance(choice, dict) and choice.get("type") == "function":
        if choice.get("name") not in {tool.get("name") for tool in tools}:
            raise RefusedError(f"Tool choice '{choice.get('name')}' not found in 'tools' parameter.", "tool_choice")
    elif choice == "required" and not tools:
        raise RefusedError("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
