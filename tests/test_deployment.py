"""What runs elsewhere: the container image and the manifests fit the harness that they start."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from load.processes import REMOTE_PORT
from spec import load
from tests.conftest import ROOT

MANIFESTS = sorted((ROOT / "load" / "kubernetes").glob("*.yaml"))


def documents(path: Path) -> list[dict[str, Any]]:
    """All documents of a YAML file."""
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def test_the_image_is_pinned_and_runs_without_rights() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert re.fullmatch(r"FROM python:3\.\d+\.\d+-slim-\w+", lines[1])
    user = next(number for number, line in enumerate(lines) if line == "USER gate")
    assert not [line for line in lines[user:] if line.startswith("RUN")]
    copied = {line.split()[-1] for line in lines if line.startswith("COPY") and "pyproject" not in line}
    assert copied == {"acceptance", "fixtures", "gate", "load", "reports", "requirements", "spec", "twin"}
    for line in lines:
        if line.startswith("COPY"):
            assert all((ROOT / source).exists() for source in line.split()[2:-1])


def test_the_image_leaves_secrets_and_results_out() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {"*.env", ".env*", ".git", ".state", "reports/out"} <= set(ignored)


def test_compose_waits_for_as_many_workers_as_it_starts() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert "--remote-workers=${WORKERS:-2}" in services["master"]["command"]
    assert services["master"]["expose"] == [str(REMOTE_PORT)]
    assert "--master-host=master" in services["worker"]["command"]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: str(path.name))
def test_manifests_name_profiles_and_files_that_exist(path: Path) -> None:
    text = path.read_text()
    profiles = set(re.findall(r"--(?:arrivals|profile)[= ](\w+)", text))
    assert profiles
    assert profiles <= set(load().load.profiles)
    assert all((ROOT / name).exists() for name in re.findall(r"load/\w+\.py", text))
    assert all(document["apiVersion"] and document["kind"] and document["metadata"]["name"] for document in documents(path))


def test_the_plain_manifest_starts_as_many_workers_as_the_master_waits_for() -> None:
    found = documents(ROOT / "load" / "kubernetes" / "plain.yaml")
    worker = next(d for d in found if d["kind"] == "Job" and d["metadata"]["name"].endswith("worker"))
    master = next(d for d in found if d["kind"] == "Job" and d["metadata"]["name"].endswith("master"))
    args = master["spec"]["template"]["spec"]["containers"][0]["args"]
    assert f"--remote-workers={worker['spec']['parallelism']}" in args
    service = next(d for d in found if d["kind"] == "Service")
    assert service["spec"]["ports"][0]["port"] == REMOTE_PORT
    assert service["metadata"]["name"] in " ".join(worker["spec"]["template"]["spec"]["containers"][0]["args"])
    assert all(job["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] for job in (master, worker))
