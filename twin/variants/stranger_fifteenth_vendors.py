"""Variants by somebody who has not read the checks, fifteenth time: other ways to call the vendors."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_fifteenth import RECONCILIATION, WORKER
from twin.variants.stranger_twelfth import rewrite

CHAT = "api/chat.py"
AUTH = "api/auth.py"
STORAGE, EMBEDDINGS = "backend/shared/storage.py", "backend/shared/embeddings.py"

STREAMED_OPENAI = """async def _openai(client: Vendors, prompt: str) -> str:
    async with client.calls.to("openai.chat", ANSWER_SECONDS):
        pieces: list[str] = []
        stream = await client.openai.responses.create(
            model=CHAT_MODEL, instructions=INSTRUCTION, input=prompt, max_output_tokens=MAX_TOKENS, store=False, stream=True
        )
        ended = ""
        try:
            async for event in stream:
                if event.type == "response.output_text.delta":
                    pieces.append(event.delta)
                elif event.type in ("response.completed", "response.incomplete", "response.failed", "error"):
                    ended = event.type
        except (APIConnectionError, APIStatusError):
            raise
        except APIError as error:
            raise ValueError("the stream reports an error") from error
        if ended not in ("response.completed", "response.incomplete") or not pieces:
            # Half an answer is none.
            raise ValueError(f"the stream ended with {ended or 'nothing'}")
        return "".join(pieces)


"""
STREAMED_ANTHROPIC = """        async with loaded.messages.stream(
            model=FALLBACK_MODEL,
            max_tokens=MAX_TOKENS,
            system=INSTRUCTION,
            messages=[{"role": "user", "content": prompt}],
        ) as stream:
            return str(await stream.get_final_text())


"""


@variant("M101", "answers are streamed from OpenAI's Responses API and from Anthropic; embeddings name their dimension")
def streamed_answers(plan: Plan) -> None:
    rewrite(plan, CHAT, "async def _openai(", "async def _anthropic(", STREAMED_OPENAI)
    rewrite(plan, CHAT, "        reply = await loaded.messages.create(", "async def load_fallback", STREAMED_ANTHROPIC)
    plan.replace_in_source(
        CHAT, "from pydantic import", "from openai import APIConnectionError, APIError, APIStatusError\nfrom pydantic import"
    )
    plan.replace_in_source(
        EMBEDDINGS,
        "        reply = await client.openai.embeddings.create(model=config.embedding_model, input=texts)\n"
        "        vectors = [item.embedding for item in reply.data]\n",
        "        reply = await client.openai.embeddings.create(\n"
        "            model=config.embedding_model,\n"
        "            input=texts,\n"
        "            dimensions=config.vector_dimension,\n"
        '            encoding_format="float",\n'
        "        )\n"
        "        # By their own numbers, whatever the order in which they came.\n"
        "        vectors = [item.embedding for item in sorted(reply.data, key=lambda item: item.index)]\n",
    )


HAND_OVER = '''    async def _hand_over(self, job: Any, filename: str, body: bytes, secret: str) -> str:
        """Send a document to LlamaParse; returns the id that it has there."""
        base = self.config.api_base_url.rstrip("/")
        async with self.client.calls.to("llamaparse"):
            reply = await self.client.http.post(
                f"{self.config.llamaparse_url}/api/parsing/upload",
                headers={"Authorization": f"Bearer {self.config.llamaparse_key}"},
                files={"file": (filename, body, "application/pdf")},
                data={
                    "result_type": "markdown",
                    "webhook_url": f"{base}/api/upload-pipeline/webhook/llamaparse/{job['job_id']}",
                    "webhook_secret": secret,
                },
            )
            reply.raise_for_status()
            return str(reply.json()["id"])

'''
LOOK_UP = """            async with self._client.calls.to("llamaparse.jobs"):
                found = await self._get(row["parse_job_id"])
                status = found["status"]
                error = ENDED.get(status, "") and (found.get("error_message") or ENDED[status])
                text = ""
                if status == "SUCCESS":
                    text = (await self._get(f"{row['parse_job_id']}/result/markdown"))["markdown"] or ""
"""
GET = """    async def _get(self, path: str) -> Any:
        reply = await self._client.http.get(f"{self._jobs_url}/{path}", headers=self._headers)
        reply.raise_for_status()
        return reply.json()

    async def _conclude("""


@variant("M102", "LlamaParse is called by its first interface, in multipart, as the contract writes it; lost results likewise")
def first_interface(plan: Plan) -> None:
    rewrite(plan, WORKER, "    async def _hand_over", "    async def validate", HAND_OVER)
    rewrite(
        plan,
        RECONCILIATION,
        '            async with self._client.calls.to("llamaparse.jobs"):',
        "        except CallError as failed:",
        LOOK_UP,
    )
    plan.replace_in_source(RECONCILIATION, "    async def _conclude(", GET)
    plan.replace_in_source(RECONCILIATION, 'if status == "COMPLETED" or error:', 'if status == "SUCCESS" or error:')
    plan.replace_in_source(
        RECONCILIATION,
        'ENDED = {"FAILED": "parsing failed", "CANCELLED": "parsing was cancelled"}',
        'ENDED = {"ERROR": "parsing failed", "CANCELED": "parsing was cancelled"}',
    )
    plan.replace_in_source(
        RECONCILIATION,
        "        self._next = 0.0\n",
        "        self._next = 0.0\n"
        '        self._jobs_url = f"{config.llamaparse_url}/api/parsing/job"\n'
        '        self._headers = {"Authorization": f"Bearer {config.llamaparse_key}"}\n',
    )


SIGNED = '''    async def read(self, key: str) -> bytes:
        """The object's bytes; raises CallError."""
        async with self._call("read"):
            link = (await self._files.create_signed_url(key, LINK_SECONDS))["signedURL"]
            pieces: list[bytes] = []
            async with self._http.stream("GET", link) as reply:
                reply.raise_for_status()
                async for piece in reply.aiter_bytes(PIECE):
                    pieces.append(piece)
            return b"".join(pieces)

    async def write(self, key: str, body: bytes, mime: str) -> None:
        """Store or replace an object; raises CallError."""
        async with self._call("write"):
            made = await self._files.create_signed_upload_url(key, CreateSignedUploadUrlOptions(upsert="true"))
            await self._files.upload_to_signed_url(key, made["token"], body, {"content-type": mime})

'''


@variant("M103", "the services read objects in pieces by signed links, and write the parsed text by a signed upload")
def signed_links(plan: Plan) -> None:
    rewrite(plan, STORAGE, "    async def read(", "    async def create(", SIGNED)
    plan.replace_in_source(
        STORAGE,
        "        self._calls = client.calls\n",
        "        self._calls = client.calls\n        self._http = client.http\n",
    )
    plan.replace_in_source(
        STORAGE,
        'BUCKET = "files"\n',
        'BUCKET = "files"\n# A link is used at once, and never shown.\nLINK_SECONDS = 60\nPIECE = 65536\n',
    )
    plan.replace_in_source(
        STORAGE,
        "from storage3.exceptions import StorageApiError\n",
        "from storage3.exceptions import StorageApiError\nfrom storage3.types import CreateSignedUploadUrlOptions\n",
    )


KEY_SET = '''"""The project's published keys: what they prove wrong is refused, everything else Auth decides."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import time
from typing import Any

import httpx
from backend.shared.config import Config
from backend.shared.vendors import Vendors

log = logging.getLogger("api")
KEEP_SECONDS = 600.0
ASYMMETRIC = ("RS256", "ES256")


def header_of(token: str) -> dict[str, Any]:
    """The header of a JWT; empty where it cannot be read."""
    try:
        head = token.partition(".")[0]
        read = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


class KeySet:
    """Keys that are kept for a while."""

    def __init__(self, config: Config, client: Vendors) -> None:
        self._url = f"{config.supabase_url}/auth/v1/.well-known/jwks.json"
        self._client = client
        self._keys: list[dict[str, Any]] = []
        self._read_at = float("-inf")

    async def _published(self) -> list[dict[str, Any]]:
        if time.monotonic() - self._read_at > KEEP_SECONDS:
            try:
                reply = await self._client.http.get(self._url, timeout=5)
                reply.raise_for_status()
                self._keys, self._read_at = list(reply.json()["keys"]), time.monotonic()
            except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
                log.warning("the published keys cannot be read: %s", type(error).__name__)
        return self._keys

    async def disproves(self, token: str) -> bool:
        """Whether the token names a published key and is not signed with it, or has expired."""
        header = header_of(token)
        if header.get("alg") not in ASYMMETRIC:
            return False
        keys = await self._published()
        if not any(key.get("kid") == header.get("kid") for key in keys):
            # It may be newer than the keys that are kept.
            return False
        try:
            await self._client.auth.get_claims(token, jwks={"keys": keys})
        except Exception as error:
            log.info("a token was refused by its signature: %s", type(error).__name__)
            return True
        return False
'''


@variant("M104", "a project with opaque keys and RS256; the API checks signatures itself before it asks Supabase Auth")
def published_keys(plan: Plan) -> None:
    plan.use_keys(opaque=True, algorithm="RS256")
    (plan.source / "api/key_set.py").write_text(KEY_SET)
    plan.replace_in_source(
        "api/application.py",
        "        app.state.storage = Storage(app.state.client)\n",
        "        app.state.storage = Storage(app.state.client)\n        app.state.key_set = KeySet(config, app.state.client)\n",
    )
    plan.replace_in_source(
        "api/application.py",
        "from api.description import describe\n",
        "from api.description import describe\nfrom api.key_set import KeySet\n",
    )
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))\n",
        "    client: Vendors = request.app.state.client\n"
        "    if await request.app.state.key_set.disproves(token):\n"
        '        raise _unauthorized("invalid or expired token")\n'
        "    try:\n        reply = await _asked(client.auth.get_user(token))\n",
    )
