"""Render's description of the services, their images and requirements."""

from __future__ import annotations

from collections.abc import Iterator

from proof.facts.mutation import BUILDS, DETAILS, Mutation

RENDER = {
    "type": '"static_site"',
    "autoDeploy": '"yes"',
    "suspended": '"suspended"',
    "serviceDetails.runtime": '"node"',
    "serviceDetails.region": '"frankfurt"',
    "serviceDetails.plan": '"free"',
    "serviceDetails.buildPlan": '"performance"',
    "serviceDetails.envSpecificDetails.dockerfilePath": '"./Dockerfile.old"',
    "serviceDetails.envSpecificDetails.dockerContext": '"./ui"',
    "buildFilter.paths": '["**"]',
    "buildFilter.ignoredPaths": '["x"]',
    "name": '"another"',
}
# Both services' images: what is wrong, the text that is replaced, and what it becomes.
IMAGE = (
    ("base image", "FROM python:3.11-slim", "FROM python:3.12"),
    ("user", "USER app\n", ""),
    ("health check", "interval=30s", "interval=300s"),
    ("start command", 'CMD ["', 'CMD ["nice", "'),
    ("copied source", "COPY backend/shared/ ", "COPY backend/common/ "),
    ("copied beyond the filter", "WORKDIR /app\n", "WORKDIR /app\nCOPY twin.txt supabase ./\nCOPY . ./\n"),
    ("secret", "WORKDIR /app\n", "WORKDIR /app\nENV OPENAI_API_KEY=abc\n"),
)
REQUIREMENTS = {"Dockerfile": "requirements-prod.txt", "backend/workers/Dockerfile": "requirements.txt"}


def of_builds() -> Iterator[Mutation]:
    """Render's description of both services, and their Dockerfiles and requirements."""
    for service in ("srv-twinapi", "srv-twinworker"):
        for path, value in RENDER.items():
            yield Mutation(f"{service} {path}", "builds", DETAILS, ["--behaviour", f"render.{service}.{path}={value}"])
    api = ["--behaviour", 'render.srv-twinapi.serviceDetails.healthCheckPath="/"']
    yield Mutation("srv-twinapi healthCheckPath", "builds", DETAILS, api)
    for image, requirements in REQUIREMENTS.items():
        for label, old, new in IMAGE:
            yield _replaced(f"{image} {label}", image, old, new)
        yield _replaced(f"{image} requirements file", image, f"-r {requirements}", "-r other.txt")
        yield _replaced(f"{image} conflict", requirements, "httpx>=0.27,<1", "httpx>=0.27,<1\nhttpx<0.20")
        yield _replaced(f"{image} open range", requirements, "asyncpg>=0.29,<1", "asyncpg")
    yield _replaced("Dockerfile port", "Dockerfile", "EXPOSE 8000", "EXPOSE 80")
    yield _replaced("api import", "api/application.py", "import httpx\n", "import httpx\nimport nowhere\n")


def _replaced(label: str, file: str, old: str, new: str) -> Mutation:
    return Mutation(label, "builds", BUILDS, ["--replace", file, old, new])
