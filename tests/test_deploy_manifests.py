"""docs/deploy/: manifests that parse, hold what their kinds know, and call the gate as it can be called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.exit_codes import ExitCode
from reports.decision.conclude import DECIDED
from tests.conftest import ROOT

FOLDER = ROOT / "docs" / "deploy"
FILES = sorted(FOLDER.glob("*.yaml"))
# Of what the kinds know, as their documentation lists it (Kubernetes 1.31, Argo Rollouts 1.8, Kargo 1.x), what is used here.
JOB = {"backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "podFailurePolicy", "template"}
POD = {
    "restartPolicy", "automountServiceAccountToken", "terminationGracePeriodSeconds", "securityContext", "containers",
    "volumes",
}  # fmt: skip
CONTAINER = {"name", "image", "args", "envFrom", "resources", "securityContext", "volumeMounts"}
METRIC = {"name", "count", "failureLimit", "provider"}
STAGE = {"requestedFreight", "verification"}
KINDS = {
    "Job": "batch/v1", "PersistentVolumeClaim": "v1", "AnalysisTemplate": "argoproj.io/v1alpha1",
    "Stage": "kargo.akuity.io/v1alpha1",
}  # fmt: skip


def documents() -> list[tuple[str, dict[str, Any]]]:
    """All manifests with their files."""
    return [(path.name, found) for path in FILES for found in yaml.safe_load_all(path.read_text())]


def jobs() -> Iterator[dict[str, Any]]:
    """The specification of each Job, also of one in an analysis."""
    for _, found in documents():
        if found["kind"] == "Job":
            yield found["spec"]
        if found["kind"] == "AnalysisTemplate":
            yield from (metric["provider"]["job"]["spec"] for metric in found["spec"]["metrics"])


JOBS = list(jobs())


def test_every_manifest_names_a_kind_and_its_version() -> None:
    found = documents()
    assert {entry["kind"] for _, entry in found} == KINDS.keys()
    assert not [entry for _, entry in found if entry["apiVersion"] != KINDS[entry["kind"]]]
    assert all(entry["metadata"].get("name") or entry["metadata"].get("generateName") for _, entry in found)


@pytest.mark.parametrize("job", JOBS)
def test_a_job_holds_what_a_job_knows(job: dict[str, Any]) -> None:
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert set(job) <= JOB
    assert set(pod) <= POD
    assert set(container) <= CONTAINER
    assert pod["restartPolicy"] == "Never"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    mounts = {mount["name"] for mount in container.get("volumeMounts", [])}
    assert mounts == {volume["name"] for volume in pod.get("volumes", [])}


@pytest.mark.parametrize("job", JOBS)
def test_a_job_runs_as_the_images_user_and_calls_its_program(job: dict[str, Any]) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    pod = job["template"]["spec"]
    assert f"--uid {pod['securityContext']['runAsUser']}" in dockerfile
    assert 'ENTRYPOINT ["python", "-m"]' in dockerfile
    arguments = pod["containers"][0]["args"]
    assert arguments[0] == "pytest"
    options = (ROOT / "gate" / "options.py").read_text()
    for argument in arguments[1:]:
        if argument.startswith("--") and argument != "--strict":
            assert f'"{argument.partition("=")[0]}"' in options, argument
    markers = (ROOT / "pyproject.toml").read_text()
    assert all(f'"{name}:' in markers for name in arguments[2].split(" or "))
    assert "--exit-by=decision" in arguments
    assert "--act" not in arguments


def test_every_exit_code_has_its_meaning_for_the_job() -> None:
    (policy,) = [job["podFailurePolicy"] for job in JOBS if "podFailurePolicy" in job]
    (codes,) = [rule["onExitCodes"] for rule in policy["rules"] if "onExitCodes" in rule]
    ended = set(codes["values"])
    assert {DECIDED["roll_back"], DECIDED["hold"], ExitCode.USAGE, ExitCode.NOTHING_RAN} == ended
    # The rest is tried again, or is success.
    assert set(ExitCode) - ended == {ExitCode.PASS, ExitCode.INTERRUPTED, ExitCode.INTERNAL_ERROR}
    (job,) = [job for job in JOBS if "podFailurePolicy" in job]
    assert job["backoffLimit"] == 1
    assert codes["containerName"] == job["template"]["spec"]["containers"][0]["name"]


def test_the_analysis_declares_every_argument_that_it_takes_and_that_it_is_given() -> None:
    (template,) = [found for _, found in documents() if found["kind"] == "AnalysisTemplate"]
    text = (FOLDER / "analysis-template.yaml").read_text()
    declared = {argument["name"] for argument in template["spec"]["args"]}
    assert set(re.findall(r"\{\{args\.([\w-]+)\}\}", text)) == declared
    (metric,) = template["spec"]["metrics"]
    assert set(metric) <= METRIC
    assert set(metric["provider"]) == {"job"}
    assert set(metric["provider"]["job"]) <= {"metadata", "spec"}
    (stage,) = [found for _, found in documents() if found["kind"] == "Stage"]
    assert set(stage["spec"]) <= STAGE
    verification = stage["spec"]["verification"]
    assert [each["name"] for each in verification["analysisTemplates"]] == [template["metadata"]["name"]]
    given = {argument["name"] for argument in verification["args"]}
    needed = {argument["name"] for argument in template["spec"]["args"] if "value" not in argument}
    assert needed <= given <= declared


def test_the_page_names_every_manifest() -> None:
    page = Path(ROOT / "docs" / "decision.md").read_text()
    assert all(f"deploy/{path.name}" in page for path in FILES)
