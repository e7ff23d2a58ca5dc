"""The vendors' own clients, one set for each service."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import httpx
from openai import AsyncOpenAI
from storage3 import AsyncStorageClient
from supabase_auth import AsyncGoTrueClient

from backend.shared.calls import Calls
from backend.shared.config import Config

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from llama_cloud import AsyncLlamaCloud

# The clients refuse to be made without a key; the vendors refuse this one.
NO_KEY = "not-configured"


class Vendors:
    """Clients with the service's keys; none of them retries, because a job or a caller does.

    Every call is made inside `calls.to(...)`; `seconds` is a call's deadline.
    """

    def __init__(self, config: Config, seconds: float) -> None:
        self._config = config
        self._seconds = seconds
        self.calls = Calls(seconds, config.speedup, config.patience_speedup)
        self.http = httpx.AsyncClient(timeout=httpx.Timeout(seconds, connect=5))
        self.openai = AsyncOpenAI(
            api_key=config.openai_key or NO_KEY, base_url=config.openai_url, max_retries=0, timeout=seconds
        )
        headers = {"Authorization": f"Bearer {config.service_key}", "apikey": config.service_key}
        self.storage = AsyncStorageClient(config.storage_url, headers, http_client=self.http)

    @property
    def auth(self) -> AsyncGoTrueClient:
        """A client without a session of its own, so that the callers' sessions do not mix."""
        return AsyncGoTrueClient(
            url=f"{self._config.supabase_url}/auth/v1",
            headers={"apikey": self._config.anon_key},
            auto_refresh_token=False,
            persist_session=False,
            http_client=self.http,
        )

    @cached_property
    def anthropic(self) -> AsyncAnthropic:
        """Anthropic's client, loaded when it is needed: it is only asked when OpenAI fails."""
        from anthropic import AsyncAnthropic

        return AsyncAnthropic(
            api_key=self._config.anthropic_key, base_url=self._config.anthropic_url, max_retries=0, timeout=self._seconds
        )

    @cached_property
    def llamaparse(self) -> AsyncLlamaCloud:
        """LlamaParse's client, which only the worker needs."""
        from llama_cloud import AsyncLlamaCloud

        return AsyncLlamaCloud(
            api_key=self._config.llamaparse_key or NO_KEY,
            base_url=self._config.llamaparse_url,
            max_retries=0,
            timeout=self._seconds,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()
        await self.openai.close()
