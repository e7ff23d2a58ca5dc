"""LlamaParse's API: accepts documents, extracts their text, and calls back.

A job calls back in the way that it asked for, whichever route it came by:

* `POST /api/parsing/upload` (and `/api/v1/parsing/upload`): form fields `webhook_url` and, for a signature, `webhook_secret`.
* `POST /api/v2/parse` and `/api/v2/parse/upload`, which `llama-cloud` uses: `webhook_configurations`, a list of
  `{webhook_url, webhook_signing_secret, webhook_events, webhook_headers, webhook_output_format}`. The secret is
  `webhook_signing_secret`; it never appears in an answer. To get the contract's callback, a caller passes

      webhook_configurations=[{
          "webhook_url": url,
          "webhook_signing_secret": secret,
          "webhook_events": ["parse.success", "parse.error"],
          "webhook_output_format": "json",
      }]

  Without `webhook_events` the events `parse.pending` and `parse.running` are sent as well; without `"json"` the body is a
  JSON string that holds the event as text, as the service documents.

A signed delivery carries `LC-Signature: sha256=HEX`, the vendor's header, and `X-Webhook-Signature: HEX`, that of the contract:
both are HMAC-SHA256 of the body. Without a secret there is neither. A v2 event (`event_id`, `event_type`, `timestamp`, `data`)
that ends a job also has the fields of the contract's callback (`status`, `result` or `error`), so that one receiver reads both.

`behaviour.llamaparse` may set: delay (s) and status of submissions, lose (share of jobs without callbacks, with a seed), result
(md, txt, json or pages: the form of a callback's result), repeats (how often each callback is sent), patience (s, after which a
callback counts as not answered), parse_seconds (of a job without callback), max_bytes, stalls (no job ever ends).
"""

from __future__ import annotations

import logging
import uuid

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from twin.config import TwinConfig
from twin.doubles.headed import Headed
from twin.doubles.llamaparse import files, first, second, settings
from twin.doubles.llamaparse.account import Account
from twin.doubles.llamaparse.errors import Refused, respond, respond_unrouted
from twin.doubles.llamaparse.jobs import extract

__all__ = ["create_app", "extract"]


def _ids() -> dict[str, str]:
    return {"X-Request-ID": str(uuid.uuid4()), "X-Correlation-ID": str(uuid.uuid4())}


def create_app(config: TwinConfig) -> Starlette:
    """The double of one account."""
    logging.getLogger("pypdf").setLevel("CRITICAL")
    account = Account(config)
    return Starlette(
        routes=[route for module in (first, second, files, settings) for route in module.routes(account)],
        exception_handlers={Refused: respond, HTTPException: respond_unrouted},
        middleware=[Middleware(Headed, make=_ids)],
    )
