"""Faults of builds: what a Dockerfile, the requirements or the build filter have wrong while the service still runs."""

from __future__ import annotations

import subprocess

from twin.faults import fault
from twin.plan import Plan


@fault("LE07", "the API's Dockerfile uses sudo", "build", "maintenance", mode="-", about="image api|DL3004")
def sudo_in_the_dockerfile(plan: Plan) -> None:
    plan.replace_in_source("Dockerfile", "RUN useradd", "RUN sudo useradd")


def exclude_each_other(plan: Plan, name: str) -> None:
    """Have two requirements of a file want the same package in two versions."""
    plan.behaviour["registry"] = {
        "packages": [
            {"name": "left-parser", "version": "1.0", "requires": ["shared-core==1.0"]},
            {"name": "right-parser", "version": "1.0", "requires": ["shared-core==2.0"]},
            {"name": "shared-core", "version": "1.0"},
            {"name": "shared-core", "version": "2.0"},
        ]
    }
    file = plan.source / name
    file.write_text(f"left-parser>=1\n{file.read_text()}right-parser>=1\n")


@fault("LE08", "two requirements of the worker exclude each other", "build", "maintenance", mode="-|F17", about="left-parser")
def conflicting_requirements(plan: Plan) -> None:
    exclude_each_other(plan, "requirements.txt")


@fault("LE09", "a package of both services has a known vulnerability", "build", "maintenance", mode="-", about="httpx")
def vulnerable_package(plan: Plan) -> None:
    plan.behaviour["registry"] = {"vulnerable": {"httpx": ["GHSA-0000-twin-0001"]}}


@fault(
    "LE10",
    "the worker imports a folder that its build filter does not include",
    "build/render",
    "predeploy",
    "maintenance",
    mode="-",
    about="lib/texts.py|image worker",
)
def import_outside_the_filter(plan: Plan) -> None:
    _add_library(plan)


def _add_library(plan: Plan) -> None:
    """A folder that the worker imports and its image copies."""
    folder = plan.source / "lib"
    folder.mkdir()
    (folder / "texts.py").write_text('"""Texts."""\n\nEMPTY = ""\n')
    plan.replace_in_source("backend/workers/Dockerfile", "COPY config/render/", "COPY lib/ ./lib/\nCOPY config/render/")
    _import_in_worker(plan, "import lib.texts  # noqa: F401\n")


@fault(
    "LE11",
    "the worker imports a library that its requirements lack; the gate's own interpreter has it",
    "build",
    "maintenance",
    mode="-|F17",
    about="image worker|fpdf",
)
def undeclared_library(plan: Plan) -> None:
    _import_in_worker(plan, "import fpdf  # noqa: F401\n")


@fault(
    "LE15",
    "the build filter at the host ignores code that the API shares with the worker",
    "render/build",
    "maintenance",
    mode="-|F36",
    about="backend/shared|image api|ignored_paths",
)
def shared_code_ignored(plan: Plan) -> None:
    plan.behaviour["render"] = {"srv-twinapi.buildFilter.ignoredPaths": ["backend/shared/**"]}


@fault(
    "LE16",
    "the release changes only a file that the worker imports and its build filter does not include",
    "build/render",
    "maintenance",
    mode="-",
    about="lib/texts.py|image worker",
)
def change_that_builds_nothing(plan: Plan) -> None:
    _add_library(plan)
    for command in ("init -q", "add -A", "commit -qm before"):
        _git(plan, command)
    (plan.source / "lib" / "texts.py").write_text('"""Texts."""\n\nEMPTY = "-"\n')
    _git(plan, "commit -qam after")
    plan.config.operator_env["HARNESS_COMMIT_RANGE"] = "HEAD~1..HEAD"


def _git(plan: Plan, command: str) -> None:
    """Run git in the release's source tree, whoever is configured here."""
    who = ["-c", "user.name=twin", "-c", "user.email=twin@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *command.split()], cwd=plan.source, check=True, capture_output=True)


def _import_in_worker(plan: Plan, line: str) -> None:
    path = "backend/workers/chunking.py"
    text = (plan.source / path).read_text()
    marker = "from __future__ import annotations\n"
    (plan.source / path).write_text(text.replace(marker, f"{marker}\n{line}", 1) if marker in text else f"{line}{text}")
