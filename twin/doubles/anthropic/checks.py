"""Requests for messages, checked in the order in which Anthropic checks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twin.doubles import words
from twin.doubles.anthropic.errors import RefusedError, missing
from twin.doubles.anthropic.models import Model

WORDS = """
    model messages max_tokens cache_control container context_management diagnostics inference_geo mcp_servers metadata
    output_config output_format service_tier speed stop_sequences stream system thinking tool_choice tools user_profile_id betas
"""
KNOWN = frozenset(WORDS.split())
# Removed with the version of 2026-10-21; older clients may still send them.
SAMPLING = {"temperature": 1.0, "top_p": 1.0, "top_k": 500.0}
NEW_VERSION = "2026-10-21"
LEAST_THINKING = 1024
NOT_COUNTED = ("max_tokens", "stream", "stop_sequences", "metadata", "service_tier", *SAMPLING)
ROLES = ("user", "assistant", "system")
Body = Mapping[str, Any]


def check(body: Body, version: str, *, counts_only: bool = False) -> None:
    """Raise RefusedError for the first field that Anthropic refuses."""
    for name in ("model", "messages") if counts_only else ("model", "max_tokens", "messages"):
        if body.get(name) is None:
            raise missing(name)
    allowed = KNOWN if version == NEW_VERSION else KNOWN | SAMPLING.keys()
    for name in body:
        if name not in allowed or (counts_only and name in NOT_COUNTED):
            raise RefusedError(f"{name}: Extra inputs are not permitted")
    if not isinstance(body["model"], str) or not body["model"]:
        raise RefusedError("model: String should have at least 1 character")
    if not counts_only:
        _check_numbers(body)
    _check_tools(body)
    _check_messages(body["messages"], version)
    _check_system(body.get("system"))


def _check_numbers(body: Body) -> None:
    most = body["max_tokens"]
    if isinstance(most, bool) or not isinstance(most, int):
        raise RefusedError("max_tokens: Input should be a valid integer")
    if most < 0:
        raise RefusedError("max_tokens: Input should be greater than or equal to 0")
    for name, bound in SAMPLING.items():
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise RefusedError(f"{name}: Input should be a valid number")
        if not 0 <= value <= bound:
            raise RefusedError(f"{name}: range: 0..{bound:g}")
    if not isinstance(body.get("stream", False), bool):
        raise RefusedError("stream: Input should be a valid boolean")
    stops = body.get("stop_sequences") or []
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise RefusedError("stop_sequences: Input should be a valid list of strings")
    if any(not stop.strip() for stop in stops):
        raise RefusedError("stop_sequences: each stop sequence must contain non-whitespace")


def check_for(model: Model, body: Body) -> None:
    """Raise RefusedError for what this model does not support."""
    if body["max_tokens"] > model.most:
        bound = "which is the maximum allowed number of output tokens for"
        raise RefusedError(f"max_tokens: {body['max_tokens']} > {model.most}, {bound} {model.id}")
    if body["messages"][-1]["role"] == "assistant":
        if not model.takes_prefill:
            message = "This model does not support assistant message prefill."
            raise RefusedError(f"{message} The conversation must end with a user message.")
        if words.text_of(body["messages"][-1]["content"]) != words.text_of(body["messages"][-1]["content"]).rstrip():
            raise RefusedError("messages: final assistant content cannot end with trailing whitespace")
    thinking = body.get("thinking") or {"type": "disabled"}
    if thinking.get("type") not in ("enabled", "disabled", "adaptive", "between_tools"):
        raise RefusedError("thinking.type: Input should be 'enabled', 'disabled', 'adaptive' or 'between_tools'")
    if thinking["type"] == "enabled":
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int):
            raise missing("thinking.enabled.budget_tokens")
        if budget < LEAST_THINKING:
            raise RefusedError(f"thinking.enabled.budget_tokens: Input should be greater than or equal to {LEAST_THINKING}")
        if budget >= body["max_tokens"]:
            raise RefusedError("`max_tokens` must be greater than `thinking.budget_tokens`.")


def _check_tools(body: Body) -> None:
    tools = body.get("tools") or []
    if not isinstance(tools, list):
        raise RefusedError("tools: Input should be a valid list")
    for number, tool in enumerate(tools):
        if tool.get("type", "custom") not in (None, "custom"):
            continue
        for name in ("name", "input_schema"):
            if name not in tool:
                raise missing(f"tools.{number}.custom.{name}")
        if tool["input_schema"].get("type") != "object":
            raise RefusedError(f"tools.{number}.custom.input_schema.type: Input should be 'object'")
        if not 1 <= len(tool["name"]) <= 128 or not tool["name"].replace("_", "").replace("-", "").isalnum():
            raise RefusedError(f"tools.{number}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    names = [tool.get("name") for tool in tools]
    if len(set(names)) < len(names):
        raise RefusedError("tools: Tool names must be unique.", code="tool_name_conflict")
    choice = body.get("tool_choice")
    if not choice:
        return
    if choice.get("type") not in ("auto", "any", "tool", "none"):
        raise RefusedError("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
    if not tools:
        raise RefusedError("tool_choice may only be specified while providing tools")
    if choice["type"] == "tool" and choice.get("name") not in names:
        raise RefusedError(f"Tool '{choice.get('name')}' not found in provided tools")


def _check_system(system: Any) -> None:
    if system is None or isinstance(system, str):
        return
    if not isinstance(system, list):
        raise RefusedError("system: Input should be a valid string or a list of text blocks")
    for number, block in enumerate(system):
        if not isinstance(block, dict) or block.get("type") != "text":
            raise RefusedError(f"system.{number}.type: Input should be 'text'")


def _check_messages(messages: Any, version: str) -> None:
    if not isinstance(messages, list):
        raise RefusedError("messages: Input should be a valid list")
    if not messages:
        raise RefusedError("messages: at least one message is required")
    for number, message in enumerate(messages):
        at = f"messages.{number}"
        if not isinstance(message, dict):
            raise RefusedError(f"{at}: Input should be an object")
        for name in ("role", "content"):
            if message.get(name) is None:
                raise missing(f"{at}.{name}")
        if message["role"] not in ROLES:
            raise RefusedError(f"{at}.role: Input should be 'user' or 'assistant'")
        if not message["content"] and not (message["role"] == "assistant" and number == len(messages) - 1):
            raise RefusedError(f"{at}: {message['role']} messages must have non-empty content")
        if isinstance(message["content"], list):
            for place, block in enumerate(message["content"]):
                _check_block(f"{at}.content.{place}", block, message["role"], version)
        elif not isinstance(message["content"], str):
            raise RefusedError(f"{at}.content: Input should be a valid string or a list of blocks")
    _check_results(messages)


FIELDS = {
    "text": ("text",),
    "image": ("source",),
    "document": ("source",),
    "search_result": ("source", "title", "content"),
    "tool_use": ("id", "name", "input"),
    "tool_result": ("tool_use_id",),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
}
# Blocks of the vendor's own tools, which come back as they were sent.
OWN_TOOLS = ("server_tool_use", "container_upload", "mcp_tool_use", "mcp_tool_result", "compaction")


def _check_block(at: str, block: Any, role: str, version: str) -> None:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind is None:
        raise missing(f"{at}.type")
    if kind not in FIELDS:
        if kind in OWN_TOOLS or str(kind).endswith("_tool_result"):
            return
        raise RefusedError(f"{at}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    for name in FIELDS[kind]:
        if name not in block:
            raise missing(f"{at}.{kind}.{name}")
    if kind == "text" and not str(block["text"]).strip():
        raise RefusedError("messages: text content blocks must be non-empty")
    if kind in ("image", "document") and block["source"].get("type") not in ("base64", "url", "file", "text", "content"):
        raise RefusedError(f"{at}.{kind}.source.type: Input should be 'base64', 'url' or 'file'")
    if version == NEW_VERSION and kind == "document" and role == "assistant":
        raise RefusedError(f"{at}: `document` blocks are not permitted in assistant messages")
    if version == NEW_VERSION and kind == "text" and role == "user" and block.get("citations"):
        raise RefusedError(f"{at}.text.citations: citations are not permitted in user messages")


def _check_results(messages: Sequence[Body]) -> None:
    before: set[str] = set()
    for number, message in enumerate(messages):
        blocks = message["content"] if isinstance(message["content"], list) else []
        results = {block["tool_use_id"]: place for place, block in enumerate(blocks) if block["type"] == "tool_result"}
        for name, place in results.items():
            if name not in before:
                must = "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
                found = f"messages.{number}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: {name}."
                raise RefusedError(f"{found} {must}")
        if lost := before - results.keys():
            found = f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after"
            raise RefusedError(f"{found}: {', '.join(sorted(lost))}.")
        before = {block["id"] for block in blocks if block["type"] == "tool_use"}
