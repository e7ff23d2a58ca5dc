"""Variants of how files come in."""

from __future__ import annotations

from twin.links import own_links
from twin.plan import Plan
from twin.variants import variant


@variant("V96", "links are the API's own: their end stands in the query, and is signed with the object's key")
def links_of_the_api(plan: Plan) -> None:
    """Contract: PUT <signed_url> takes PDF bytes for 300 s; whose URL it is, and how it is signed, is left open."""
    own_links(plan)
