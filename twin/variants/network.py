"""Variants of the network between the caller and the services."""

from __future__ import annotations

import socket

import trustme

from twin.certificates import issued
from twin.plan import Plan
from twin.variants import variant

JITTER_SECONDS = 0.04
SUPABASE_JITTER_SECONDS = 0.06
# Each packet of the database's line, in each direction.
PACKET_SECONDS = 0.0002
PACKET_JITTER_SECONDS = 0.0006
MODEL_SECONDS = 0.6
PARSER_SECONDS = 1.5
LATE_SECONDS = 2.0
PIECE = 60
WEBHOOK = "/api/upload-pipeline/webhook/"
RENDER = {
    "server": "cloudflare",
    "cf-ray": "8f2c1e7a9b3d4c5e-PDX",
    "cf-cache-status": "DYNAMIC",
    "alt-svc": 'h3=":443"; ma=86400',
    "rndr-id": "5d0c7f3e-1a2b-4c3d",
    "x-render-origin-server": "uvicorn",
    "via": "1.1 google",
}
SUPABASE = {
    "server": "cloudflare",
    "cf-ray": "8f2c1e7a9b3d4c60-SJC",
    "sb-gateway-version": "1",
    "sb-project-ref": "staging-project",
    "x-envoy-upstream-service-time": "7",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
}


@variant("V03", "the API is behind a proxy that delays each request by up to 40 ms")
def proxy_with_jitter(plan: Plan) -> None:
    plan.config.behaviour["proxy"] = {"kind": "latency", "seconds": JITTER_SECONDS}


@variant("V70", "the API is behind an edge like Render's, which adds its headers and replaces Server")
def edge_of_render(plan: Plan) -> None:
    plan.place_before("api", headers=RENDER)


@variant("V71", "the API closes each connection after its response")
def no_keep_alive(plan: Plan) -> None:
    plan.place_before("api", headers={"connection": "close"})


@variant("V72", "a proxy holds responses back until they are complete, and packs them with gzip")
def packing_proxy(plan: Plan) -> None:
    plan.place_before("api", gzip=True)


@variant("V73", "responses of the API arrive in chunks of a few bytes, without a length")
def small_chunks(plan: Plan) -> None:
    plan.place_before("api", pieces=PIECE)


@variant("V74", "the API accepts TLS 1.3 only")
def newest_tls_only(plan: Plan) -> None:
    plan.listen("api", tls="1.3")


@variant("V75", "the API's certificate has an ECDSA key and comes from an intermediate authority")
def intermediate_authority(plan: Plan) -> None:
    plan.certificate = lambda ca: issued(ca.create_child_ca(key_type=trustme.KeyType.ECDSA), key_type=trustme.KeyType.ECDSA)


@variant("V76", "the API's certificate has an RSA key and a list of names, a wildcard among them, and no common name")
def many_names(plan: Plan) -> None:
    names = ("*.render.com", "staging.accessa.ai", "*.staging.accessa.ai", "localhost", "127.0.0.1", "::1")
    plan.certificate = lambda ca: issued(ca, *names, key_type=trustme.KeyType.RSA)


def _localhost_is_ipv6() -> bool:
    try:
        return bool(socket.getaddrinfo("localhost", 443, socket.AF_INET6, socket.SOCK_STREAM))
    except OSError:
        return False


@variant("V77", "the API listens on IPv6 only (on IPv4, where this machine has no IPv6 address for localhost)")
def internet_protocol_six(plan: Plan) -> None:
    host = "::1" if _localhost_is_ipv6() else "127.0.0.1"
    plan.certificate = lambda ca: issued(ca, "localhost", "::1")
    plan.listen("api", host=host)


@variant("V78", "every request to Supabase takes up to 60 ms longer")
def slow_supabase(plan: Plan) -> None:
    plan.place_before("supabase", latency=SUPABASE_JITTER_SECONDS)


@variant("V79", "every packet to and from the database takes up to 0.8 ms longer")
def slow_database_line(plan: Plan) -> None:
    plan.behaviour.setdefault("postgres", {}).update(delay=PACKET_SECONDS, jitter=PACKET_JITTER_SECONDS)


@variant("V80", "Supabase is behind its gateway, which adds headers, packs responses and sends them in chunks")
def gateway_of_supabase(plan: Plan) -> None:
    plan.place_before("supabase", headers=SUPABASE, gzip=True, pieces=4 * PIECE)
