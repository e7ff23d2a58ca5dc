"""Variants of TLS, of plain http and of the database's connections."""

from __future__ import annotations

from datetime import timedelta

import trustme

from twin.certificates import issued
from twin.plan import Plan
from twin.variants import variant

# As long as public authorities may issue them.
LONGEST = timedelta(days=396)


@variant("LF90", "plain http of the API is redirected to https with 308, and its answers carry HSTS")
def redirecting_edge(plan: Plan) -> None:
    plan.answer_plainly(kind="redirect", status=308)
    plan.place_before("api", headers={"strict-transport-security": 'max-age="31536000"; preload'})


@variant("LF91", "plain http of the API is refused")
def refusing_edge(plan: Plan) -> None:
    plan.answer_plainly(kind="refuse")


@variant("LF92", "the database demands TLS, with a certificate of a known authority")
def database_demands_tls(plan: Plan) -> None:
    plan.offer_database_tls(demands=True)


@variant("LF93", "the API's certificate is good for 396 days and has an RSA key; only TLS 1.2 is spoken")
def long_but_right(plan: Plan) -> None:
    plan.certificate = lambda ca: issued(ca, life=LONGEST, key_type=trustme.KeyType.RSA)
    plan.listen("api", newest="1.2", ciphers="ECDHE+AESGCM")
