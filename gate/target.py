"""The one place where a target is chosen and a session on it is opened."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gate import settings
from gate.embedded import EmbeddedTwin
from gate.nursery import Nursery
from gate.places import DEFAULT_ENV_FILE, ROOT, STATE
from gate.preload import load_beside
from gate.run import Run, forget_dead_twins, new_run_id
from gate.session import Session, System
from gate.settings import ConfigurationError
from gate.shared import SharedFolder
from spec import DEFAULT, Specification, load

Kind = Literal["twin", "live"]
COMMIT_RANGE = "HARNESS_COMMIT_RANGE"
# A system whose twin can be broken and mended while it runs has this setting.
DRILL_URL = "HARNESS_DRILL_URL"


@dataclass(frozen=True)
class Choice:
    """What the command line says about the target. `kind` None: live if a live setting is present, else the twin."""

    kind: Kind | None = None
    env_file: Path | None = None
    worker_env_file: Path | None = None
    production_env_file: Path | None = None
    spec_file: Path = DEFAULT
    faults: Sequence[str] = ()
    variants: Sequence[str] = ()
    twin_arguments: Sequence[str] = ()
    # Whether checks are selected that break and mend the twin while it runs.
    drills: bool = False
    strict: bool = False
    read_only: bool = False
    # Whether checks that write run at all; --strict needs more settings for them.
    writes: bool = True
    purpose: Literal["gate", "load"] = "gate"
    # Two commits of the source tree, A..B, in place of the setting.
    commit_range: str = ""
    # What has begun to load the libraries of a twin.
    nursery: Nursery | None = None


def open_session(choice: Choice, system: System) -> Session:
    """A session on the chosen target, its facts saved for other processes; nothing was asked yet.

    Raises ConfigurationError in one line, SpecError for a specification that cannot be used.
    """
    spec = load(choice.spec_file)
    forget_dead_twins()
    run_id = new_run_id()
    folder = STATE / run_id
    kind = choice.kind or usual_kind(choice, spec)
    twin: EmbeddedTwin | None = None
    if kind == "twin":
        equipment = drill_arguments(spec) if choice.drills and DRILL_URL in spec.harness.settings else ()
        arguments = (*choice.twin_arguments, *equipment)
        twin = EmbeddedTwin(folder, spec.meta.twin, choice.faults, choice.variants, arguments, nursery=choice.nursery)
        load_beside(system.libraries)
        values = twin.start()
    else:
        if choice.faults or choice.variants:
            raise ConfigurationError("--fault breaks the twin only; a live target is never broken on purpose")
        values = _live_values(choice, spec)
    if choice.production_env_file is not None:
        values[settings.PRODUCTION_FILE] = str(choice.production_env_file.resolve())
    if choice.commit_range:
        values = values | {COMMIT_RANGE: choice.commit_range}
    try:
        run = Run(
            run_id, kind, folder, values, environments_of(values, choice.worker_env_file, spec), choice.strict,
            tuple(choice.faults), tuple(choice.variants), choice.read_only, choice.purpose, choice.spec_file.resolve(),
        )  # fmt: skip
        session = Session(run, system, spec, twin)
        _refuse_names_of_production(session)
        _require(session, choice.writes)
        run.save()
    except BaseException:
        if twin is not None:
            twin.stop()
        SharedFolder(folder).remove()
        raise
    return session


def _live_values(choice: Choice, spec: Specification) -> dict[str, str]:
    if choice.nursery is not None:
        choice.nursery.end()
    return settings.live_values(env_file_of(choice), spec)


def drill_arguments(spec: Specification) -> tuple[str, ...]:
    """How a twin is started that is broken and mended while it runs: at the speed of the specification's drills."""
    return ("--drills", *(("--speedup", f"{spec.drills.twin_speedup:g}") if spec.has("drills") else ()))


def usual_kind(choice: Choice, spec: Specification) -> Kind:
    """Live where an env file or a setting names a target, else the twin."""
    named = [name for name, setting in spec.harness.settings.items() if setting.target]
    is_live = env_file_of(choice) is not None or any(os.environ.get(name) for name in named)
    return "live" if is_live else "twin"


def env_file_of(choice: Choice) -> Path | None:
    """The env file that is named, or the usual one where it is there."""
    usual = ROOT / DEFAULT_ENV_FILE
    return choice.env_file or (usual if usual.exists() else None)


def environments_of(values: dict[str, str], named: Path | None, spec: Specification) -> dict[str, dict[str, str]]:
    """Variables of the services that have their own, by service."""
    found = {}
    for name, service in spec.services.items():
        if service.env_file_setting is None:
            continue
        if named is not None:
            found[name] = settings.read_env_file(named)
            continue
        path = Path(values.get(service.env_file_setting) or "")
        # A twin that has ended takes its files with it; that is an error only while the target still answers.
        if path.is_file():
            found[name] = settings.read_env_file(path)
    return found


def _refuse_names_of_production(session: Session) -> None:
    spec = session.spec
    for env in session.run.all_environments():
        if suspects := settings.production_markers(env, spec):
            raise ConfigurationError(
                f"{', '.join(suspects)}: looks like production ({spec.identity.section}); nothing was written"
            )


def _require(session: Session, writes: bool) -> None:
    if session.run.kind != "live" or not session.run.strict:
        return
    wanted = ("reading", "writing") if writes else ("reading",)
    rules = session.spec.harness.settings
    missing = [name for name, rule in rules.items() if rule.strict in wanted and not session.settings.has(name)]
    if missing:
        raise ConfigurationError(f"{', '.join(missing)}: missing; --strict requires a value in the env file or the environment")
