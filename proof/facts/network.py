"""CORS origins, trusted hosts, limits and routes of the API."""

from __future__ import annotations

from collections.abc import Iterator

from gate.places import ROOT
from proof.facts.mutation import ENDPOINTS, NETWORK, UPLOADS, Mutation
from spec import Specification

LIMITS = {
    "MAX_FILE_SIZE_BYTES = 5 * 1024 * 1024": "MAX_FILE_SIZE_BYTES = 6 * 1024 * 1024",
    "MAX_CONCURRENT_JOBS = 2": "MAX_CONCURRENT_JOBS = 3",
    "MAX_UPLOADS_PER_DAY = 3": "MAX_UPLOADS_PER_DAY = 30",
    "SIGNED_URL_TTL_SECONDS = 300": "SIGNED_URL_TTL_SECONDS = 3000",
    'MIME_TYPES = ("application/pdf",)': 'MIME_TYPES = ("application/pdf", "text/html")',
    "max_length=120": "max_length=1200",
    '"^[0-9a-f]{64}$"': '"^[0-9a-z]{3,64}$"',
    "bytes_len: int = Field(gt=0)": "bytes_len: int = Field(gt=-9)",
    'mime: Literal["application/pdf"]': "mime: str",
}


def of_network(spec: Specification) -> Iterator[Mutation]:
    """Every CORS origin and every trusted host, missing; one that should not be there."""
    origins = spec.networking.cors_origins
    for origin in origins:
        rest = ",".join(other for other in origins if other != origin)
        yield Mutation(f"CORS origin {origin} missing", "network", NETWORK, ["--set", f"api.CORS_ORIGINS={rest}"])
    for origin in spec.networking.foreign_origins:
        text = ",".join([*origins, origin])
        yield Mutation(f"CORS origin {origin} allowed", "network", NETWORK, ["--set", f"api.CORS_ORIGINS={text}"])
    place = "api/application.py"
    for host in spec.networking.trusted_hosts:
        yield Mutation(f"host {host} missing", "network", NETWORK, ["--replace", place, f'"{host}"', '"nowhere.example"'])
    for host in spec.networking.foreign_hosts:
        new = f'[*TRUSTED_HOSTS, own_host, "{host}"]'
        yield Mutation(f"host {host} trusted", "network", NETWORK, ["--replace", place, "[*TRUSTED_HOSTS, own_host]", new])


def of_limits(spec: Specification) -> Iterator[Mutation]:
    """Every limit and every rule of the upload request, and every route."""
    for old, new in LIMITS.items():
        yield Mutation(f"limit {old}", "limits", UPLOADS, ["--replace", "api/uploads.py", old, new])
    for endpoint in spec.endpoints:
        if endpoint.name in ("docs", "openapi"):
            continue
        for file in ("health", "auth", "uploads", "jobs", "webhook", "chat"):
            path = ROOT / "twin" / "source" / "api" / f"{file}.py"
            route = endpoint.path.replace("{key}", "{key:path}")
            old = f'@router.{endpoint.method.lower()}("{route}"'
            if old in path.read_text():
                new = f'@router.{endpoint.method.lower()}("/moved{route}"'
                yield Mutation(f"route {endpoint.method} {endpoint.path} moved", "limits", ENDPOINTS,
                               ["--replace", f"api/{file}.py", old, new])  # fmt: skip
