"""How a secret may stand in what a run leaves."""

from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus


def forms(secret: str) -> set[bytes]:
    """A secret as it may be written: raw, in a URL, in base64 by itself and within a longer text."""
    raw = secret.encode()
    found = {raw, quote(secret, safe="").encode(), quote_plus(secret).encode()}
    found |= {base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"=")}
    for lead in range(3):
        middle = base64.b64encode(b"\0" * lead + raw).rstrip(b"=")[4 if lead else 0 : -3]
        found |= {middle} if len(middle) >= 12 else set()
    return found
