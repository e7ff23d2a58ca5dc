"""The vendors' own clients for one target, and the users that the cases act as."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import httpx2
from anthropic import Anthropic, AsyncAnthropic
from llama_cloud import AsyncLlamaCloud, LlamaCloud
from openai import AsyncOpenAI, OpenAI
from render.public_api import AuthenticatedClient
from supabase import AsyncClient, AsyncClientOptions, Client, ClientOptions, create_async_client, create_client

from proof.conformance.recorded import Recorder

SECONDS = 20.0
DEFAULTS = {
    "OPENAI_BASE_URL": "https://api.openai.com/v1",
    "ANTHROPIC_BASE_URL": "https://api.anthropic.com",
    "LLAMAPARSE_BASE_URL": "https://api.cloud.llamaindex.ai",
    "RENDER_BASE_URL": "https://api.render.com",
}


@dataclass(frozen=True)
class Keys:
    """The target's keys; empty where the environment holds none."""

    publishable: str
    secret: str
    openai: str
    anthropic: str
    llamaparse: str
    render: str


@dataclass(frozen=True)
class Urls:
    """The target's base URLs, without a slash at the end."""

    supabase: str
    openai: str
    anthropic: str
    llamaparse: str
    render: str
    api: str


@dataclass(frozen=True)
class Member:
    """A confirmed user that one case has for itself."""

    id: str
    email: str
    password: str
    name: str


@dataclass
class Clients:
    """Makes clients; each call makes a new one, without retries unless it asks for them."""

    keys: Keys
    urls: Urls
    is_live: bool
    recorder: Recorder = field(default_factory=Recorder)
    tag: str = field(default_factory=lambda: f"conformance-{secrets.token_hex(6)}")

    @classmethod
    def of(cls, values: Mapping[str, str], is_live: bool) -> Clients:
        """From the settings of a target, in the specification's variable names."""

        def url(name: str) -> str:
            return (values.get(name) or DEFAULTS.get(name, "")).rstrip("/")

        keys = Keys(
            values.get("SUPABASE_ANON_KEY", ""),
            values.get("SUPABASE_SERVICE_ROLE_KEY", ""),
            values.get("OPENAI_API_KEY", ""),
            values.get("ANTHROPIC_API_KEY", ""),
            values.get("LLAMAPARSE_API_KEY", ""),
            values.get("RENDER_API_KEY", ""),
        )
        urls = Urls(
            supabase=url("SUPABASE_URL"),
            openai=url("OPENAI_BASE_URL"),
            anthropic=url("ANTHROPIC_BASE_URL"),
            llamaparse=url("LLAMAPARSE_BASE_URL"),
            render=url("RENDER_BASE_URL"),
            api=url("API_BASE_URL"),
        )
        return cls(keys, urls, is_live)

    def supabase(self, key: str, schema: str = "public", **options: Any) -> Client:
        """Supabase's client with this key."""
        http = httpx.Client(timeout=SECONDS, event_hooks={"response": [self.recorder.record]}, follow_redirects=True)
        chosen = ClientOptions(schema=schema, httpx_client=http, **options)
        return create_client(self.urls.supabase, key, chosen)

    async def supabase_async(self, key: str, schema: str = "public", **options: Any) -> AsyncClient:
        """Supabase's asynchronous client with this key."""
        chosen = AsyncClientOptions(schema=schema, **options)
        return await create_async_client(self.urls.supabase, key, chosen)

    def openai(self, api_key: str | None = None, **options: Any) -> OpenAI:
        """OpenAI's client."""
        http = httpx2.Client(timeout=SECONDS, event_hooks={"response": [self.recorder.record]})
        given: dict[str, Any] = {"max_retries": 0, "http_client": http} | options
        return OpenAI(api_key=api_key or self.keys.openai, base_url=self.urls.openai, **given)

    def openai_async(self, api_key: str | None = None, **options: Any) -> AsyncOpenAI:
        """OpenAI's asynchronous client."""
        given: dict[str, Any] = {"max_retries": 0, "timeout": SECONDS} | options
        return AsyncOpenAI(api_key=api_key or self.keys.openai, base_url=self.urls.openai, **given)

    def anthropic(self, api_key: str | None = None, **options: Any) -> Anthropic:
        """Anthropic's client."""
        given: dict[str, Any] = {"max_retries": 0, "timeout": SECONDS} | options
        return Anthropic(api_key=api_key or self.keys.anthropic, base_url=self.urls.anthropic, **given)

    def anthropic_async(self, api_key: str | None = None, **options: Any) -> AsyncAnthropic:
        """Anthropic's asynchronous client."""
        given: dict[str, Any] = {"max_retries": 0, "timeout": SECONDS} | options
        return AsyncAnthropic(api_key=api_key or self.keys.anthropic, base_url=self.urls.anthropic, **given)

    def llama_cloud(self, api_key: str | None = None, **options: Any) -> LlamaCloud:
        """LlamaCloud's client."""
        given: dict[str, Any] = {"max_retries": 0, "timeout": SECONDS} | options
        return LlamaCloud(api_key=api_key or self.keys.llamaparse, base_url=self.urls.llamaparse, **given)

    def llama_cloud_async(self, api_key: str | None = None, **options: Any) -> AsyncLlamaCloud:
        """LlamaCloud's asynchronous client."""
        given: dict[str, Any] = {"max_retries": 0, "timeout": SECONDS} | options
        return AsyncLlamaCloud(api_key=api_key or self.keys.llamaparse, base_url=self.urls.llamaparse, **given)

    def render(self, api_key: str | None = None) -> AuthenticatedClient:
        """Render's typed client of its public API."""
        return AuthenticatedClient(
            base_url=f"{self.urls.render}/v1", token=api_key or self.keys.render, timeout=httpx.Timeout(SECONDS)
        )
