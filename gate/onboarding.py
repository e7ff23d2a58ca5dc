"""What a target's env file needs: read, asked for and tried, before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gate import settings
from gate.credentials import ASK_SECONDS, Answer, try_all
from gate.failures import Blocked, Failure, NotConfigured
from gate.interview import Interview
from gate.places import STATE
from gate.rehearsal import Needs, required_settings
from gate.run import Run, new_run_id
from gate.session import Session, System
from gate.settings import ConfigurationError
from spec import Specification
from spec.model import Setting

MAIN = "API_BASE_URL"
# Stands in for it while it is not known.
NOWHERE = "https://unknown.invalid"
ATTEMPTS = 3


@dataclass
class Outcome:
    """How the settings were taken; `problems` are what a run would stumble over, a line each."""

    problems: list[str] = field(default_factory=list)


class Onboarding:
    """One env file on its way. `to_write` are its values, `own_environments` those of services with a file of their own."""

    def __init__(self, spec: Specification, spec_file: Path, system: System, interview: Interview) -> None:
        self._spec, self._spec_file, self._system, self._interview = spec, spec_file, system, interview
        self.to_write: dict[str, str] = {}
        # By the setting that names the file.
        self.own_environments: dict[str, dict[str, str]] = {}

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────

    def read(self, file: Path, source: Path | None) -> None:
        """Take what is there; raises ConfigurationError for a file that cannot be read."""
        for path in (source, file if file.exists() else None):
            if path is not None:
                self._take(settings.read_env_file(path))
        process = settings.from_process(self._spec)
        # Other variables of this process belong to something else, whatever their names.
        self._take({name: value for name, value in process.items() if name in self._rules})

    def _take(self, values: Mapping[str, str]) -> None:
        self.to_write |= {name: value for name, value in values.items() if value}
        for name, value in values.items():
            self._learn(name, value)

    def _learn(self, name: str, value: str) -> None:
        rule, variable = self._rules.get(name), self._spec.variables.get(name)
        if (rule is not None and rule.is_secret) or (variable is not None and variable.is_secret):
            self._interview.learn(name, value)
        if rule is not None and rule.kind == "database_url":
            self._interview.learn(f"password in {name}", _password(value))

    @property
    def _rules(self) -> Mapping[str, Setting]:
        return self._spec.harness.settings

    @property
    def _asked_for(self) -> list[str]:
        """Settings that somebody has to give: first the key with which the host shows the others, then the main one."""
        return sorted(
            (name for name, rule in self._rules.items() if rule.target or rule.strict != "never" or rule.kind == "secret"),
            key=lambda name: (name != self._system.host_key, name != MAIN),
        )

    def service_of(self, setting: str) -> str:
        """The service whose own env file a setting names."""
        return next(name for name, service in self._spec.services.items() if service.env_file_setting == setting)

    # ── asking and trying ────────────────────────────────────────────────────────────────────────────────

    def run(self) -> Outcome:
        """Ask for what is missing and try everything; raises ConfigurationError when nothing may be written."""
        outcome = Outcome()
        self._require_no_production()
        tried: dict[str, Answer] = {}
        for name in self._asked_for:
            if not self.to_write.get(name):
                self._ask(name, tried)
            if name == self._system.host_key and self.to_write.get(name):
                self._read_from_host()
        if not self.to_write.get(MAIN):
            raise ConfigurationError(
                f"{MAIN} is missing: set it in the environment, in the env file or in --from FILE; nothing was written"
            )
        with self._session() as session:
            tries = {name: one for name, one in self._system.credentials(session).items() if name not in tried}
            for name, answer in try_all(tries).items():
                self._interview.say(f"{name}: {answer}")
                tried[name] = answer
        outcome.problems += [f"{name} is {answer.state}" for name, answer in tried.items() if not answer.is_valid]
        outcome.problems += self._identity_problems()
        return outcome

    def _ask(self, name: str, tried: dict[str, Answer]) -> None:
        """Ask for one setting, and again while it is wrong; an empty reply goes on without it."""
        rule = self._rules[name]
        for _ in range(ATTEMPTS if self._interview.is_possible else 0):
            given = self._interview.ask(f"{name}{'' if name == MAIN else ' (empty: without it)'}", rule.is_secret)
            if not given:
                return
            self._learn(name, given)
            if (problem := self._problem_with(name, given)) is not None:
                self._interview.say(problem)
                continue
            self.to_write[name] = given
            if (answer := self._tried(name)) is None:
                return
            self._interview.say(f"{name}: {answer}")
            tried[name] = answer
            if answer.state != "refused":
                return
            del self.to_write[name], tried[name]

    def _problem_with(self, name: str, value: str) -> str | None:
        """What is wrong with a value before anything is asked, with the setting's name."""
        given = self.to_write | {name: value}
        if name in settings.production_markers(given, self._spec):
            return f"{name}: looks like production; give staging's"
        try:
            settings.Settings(self._rules, {name: value})
        except ConfigurationError as error:
            return str(error)
        return None

    def _tried(self, name: str) -> Answer | None:
        """What a part returns to one setting; None for one that cannot be tried by itself."""
        with self._session() as session:
            one = self._system.credentials(session).get(name)
            return one(ASK_SECONDS) if one else None

    def _read_from_host(self) -> None:
        """Take what the host declares, under what is there already; a host that shows nothing is no reason to stop."""
        try:
            with self._session() as session:
                declared = self._system.declared(session)
        except (NotConfigured, Failure, Blocked) as error:
            self._interview.say(f"the host's own variables cannot be read: {error}")
            return
        for service, values in declared.items():
            setting = self._spec.services[service].env_file_setting
            for name, value in values.items():
                self._learn(name, value)
            if setting is None:
                self.to_write = {name: value for name, value in values.items() if value} | self.to_write
            elif not self.to_write.get(setting):
                self.own_environments[setting] = dict(values)
            self._interview.say(f"{service}: {len(values)} variables read from the host")
        self._require_no_production()

    # ── staging, and nothing else ────────────────────────────────────────────────────────────────────────

    def _require_no_production(self) -> None:
        for values in (self.to_write, *self._environments().values()):
            if suspects := settings.production_markers(values, self._spec):
                names = ", ".join(suspects)
                raise ConfigurationError(f"{names}: looks like production ({self._spec.identity.section}); nothing was written")

    def _identity_problems(self) -> list[str]:
        """Why a run that writes would be refused; raises ConfigurationError where any run would be."""
        with self._session() as session:
            try:
                session.verify(writes=True)
            except ConfigurationError as error:
                self._system.verify(session, False)
                return [str(error)]
        return []

    def _environments(self) -> dict[str, dict[str, str]]:
        """Variables of the services that have their own."""
        found = {self.service_of(setting): values for setting, values in self.own_environments.items()}
        for name, service in self._spec.services.items():
            path = Path(self.to_write.get(service.env_file_setting or "", ""))
            if name not in found and path.is_file():
                found[name] = settings.read_env_file(path)
        return found

    @contextmanager
    def _session(self) -> Iterator[Session]:
        run_id = new_run_id()
        values = {MAIN: NOWHERE} | self.to_write
        run = Run(run_id, "live", STATE / run_id, values, self._environments(), spec_file=self._spec_file)
        session = Session(run, self._system, self._spec)
        try:
            yield session
        finally:
            session.end()

    # ── what is left out ─────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _needs(self) -> list[Needs]:
        return required_settings(self._spec_file)

    def switched_off(self) -> list[str]:
        """A line for each setting without a value that checks take: how many, by checklist item."""
        missing = [name for name in self._rules if not self.to_write.get(name) and name not in self.own_environments]
        missing = [name for name in missing if not self._rules[name].default]
        lines = []
        for name in missing:
            items = Counter(needs.checklist for needs in self._needs if name in needs.settings)
            if items:
                listed = ", ".join(f"{item}: {number}" for item, number in sorted(items.items()))
                lines.append(f"without {name}: {items.total()} of {len(self._needs)} checks are left out ({listed})")
        return lines


def _password(url: str) -> str:
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""
