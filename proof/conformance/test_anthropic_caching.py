"""Anthropic: prompt caching."""

from __future__ import annotations

from anthropic.types import TextBlockParam

from proof.conformance.clients import Clients
from proof.conformance.marks import operation, writes

MODEL = "claude-haiku-4-5"


@operation("Anthropic", "read a prompt from the cache")
@writes
def test_a_marked_prompt_is_read_from_the_cache(clients: Clients) -> None:
    text = f"Policy of {clients.tag}. " + "The plan covers two visits each year. " * 1000
    system: TextBlockParam = {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}
    client = clients.anthropic()
    first, second = (
        client.messages.create(
            model=MODEL, max_tokens=16, system=[system], messages=[{"role": "user", "content": "Say hello"}]
        ).usage
        for _ in range(2)
    )
    assert (first.cache_creation_input_tokens or 0) > 4096
    assert first.cache_read_input_tokens == 0
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert second.cache_creation_input_tokens == 0
