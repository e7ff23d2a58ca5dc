"""What works from here and what does not: `python -m gate.doctor [--target twin|live] [--env-file PATH]`.

About ten lines, in a few seconds; nothing is written, and each part is asked once. Exit code 1 when a gate run would not work.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from gate import settings, symptoms
from gate.bounded import BoundedTransport, bounded
from gate.credentials import try_all
from gate.exit_codes import ExitCode
from gate.masking import Masking
from gate.places import DEFAULT_ENV_FILE, STATE
from gate.registered import registered_system
from gate.run import Run, new_run_id
from gate.session import Session
from gate.settings import ConfigurationError
from gate.symptoms import Probe, Symptom
from gate.target import Choice, env_file_of, environments_of, usual_kind
from spec import DEFAULT, SpecError, Specification, load

DESCRIPTION = "Shows in about ten lines whether a gate run works from here; writes nothing, and ends with 1 where it would not."
# Of all probes together, and of a request within one.
WHOLE_SECONDS = 9.0
ASK_SECONDS = 6.0
HEAD_BYTES = 64 * 1024
USUAL_PORTS = {"https": 443, "http": 80, "postgresql": 5432, "postgres": 5432}


def clock(session: Session) -> Iterable[Symptom]:
    """This machine's clock against the API's; tokens are made and judged by both."""
    try:
        with (
            bounded(ASK_SECONDS, HEAD_BYTES),
            httpx.Client(transport=BoundedTransport(session.tls), timeout=ASK_SECONDS, trust_env=False) as client,
            client.stream("GET", session.api_url + "/") as reply,
        ):
            theirs = parsedate_to_datetime(reply.headers.get("date", ""))
    except httpx.HTTPError:
        yield Symptom("--", "clock", "not compared: the API does not respond")
        return
    except ValueError:
        yield Symptom("--", "clock", "not compared: the API's responses carry no date")
        return
    seconds, most = abs((datetime.now(UTC) - theirs).total_seconds()), session.spec.health.clock_skew_seconds
    # A date has whole seconds.
    good = seconds <= most + 1
    yield Symptom("ok" if good else "no", "clock", f"{seconds:.0f} s apart from the API's (at most {most:g})")


def parts(session: Session) -> Iterable[Symptom]:
    """Each part, and each key that can be tried: reachable and accepted."""
    answers = try_all(session.system.credentials(session), ASK_SECONDS)
    good = [name for name, answer in answers.items() if answer.is_valid]
    yield Symptom("ok" if good else "no", "parts", f"{len(good)} of {len(answers)} settings are accepted: {', '.join(good)}")
    for name, answer in answers.items():
        if not answer.is_valid:
            # Without the API nothing is judged; what another part refuses is a finding.
            needed = session.settings.has(name) and name == "API_BASE_URL"
            yield Symptom("no" if needed or answer.state == "refused" else "--", "parts", f"{name}: {answer}")


def identity(session: Session) -> Iterable[Symptom]:
    """Whether a run would begin here at all."""
    try:
        session.verify(writes=True)
    except ConfigurationError as error:
        yield Symptom("no", "staging", f"a run would be refused: {error}")
        return
    yield Symptom("ok", "staging", "the parts are staging's, and belong together")


def live_probes(session: Session) -> list[Probe]:
    """What is asked of a live target."""
    urls = [session.run.values.get(name, "") for name in session.spec.harness.settings if session.settings.has(name)]
    split = [urlsplit(url) for url in urls if "://" in url]
    hosts = {(one.hostname, one.port or USUAL_PORTS.get(one.scheme, 443)) for one in split if one.hostname}
    return [
        partial(parts, session),
        partial(identity, session),
        partial(clock, session),
        partial(symptoms.names, sorted((str(host), port) for host, port in hosts)),
    ]


def examine(choice: Choice, masking: Masking) -> list[Symptom]:
    """All probes at the same time; raises SpecError."""
    spec = load(choice.spec_file)
    is_live = (choice.kind or usual_kind(choice, spec)) == "live"
    file = env_file_of(choice)
    probes: list[Probe] = [symptoms.python, symptoms.tools, partial(symptoms.database_server, not is_live)]
    found: list[Symptom] = []
    session: Session | None = None
    if is_live:
        probes.append(partial(symptoms.env_file, file))
        try:
            session = _session(choice, spec, file)
            probes += live_probes(session)
        except ConfigurationError as error:
            found.append(Symptom("no", "settings", str(error)))
    else:
        why = "--target twin" if choice.kind else f"nothing live is set ({DEFAULT_ENV_FILE}, or the environment)"
        found.append(Symptom("--", "target", f"the embedded twin: {why}"))
    probes += [symptoms.disk, symptoms.left_overs]
    try:
        return [*_all(probes), *found]
    finally:
        if session is not None:
            for name, setting in spec.harness.settings.items():
                if setting.is_secret:
                    masking.learn(name, session.run.values.get(name))
            session.end()


def _session(choice: Choice, spec: Specification, file: Path | None) -> Session:
    """A session on the live target as a run would have it; raises ConfigurationError as a run would."""
    values = settings.live_values(file, spec)
    run_id = new_run_id()
    run = Run(run_id, "live", STATE / run_id, values, environments_of(values, None, spec), spec_file=choice.spec_file)
    for environment in run.all_environments():
        if suspects := settings.production_markers(environment, spec):
            raise ConfigurationError(f"{', '.join(suspects)}: looks like production ({spec.identity.section})")
    return Session(run, registered_system(), spec)


def _all(probes: Sequence[Probe], seconds: float = WHOLE_SECONDS) -> list[Symptom]:
    """What all probes found, in their order; one that does not end in time is a line of its own, and not waited for."""
    end = time.monotonic() + seconds
    found: list[list[Symptom]] = [[] for _ in probes]
    threads = [
        threading.Thread(target=_probe, args=(probe, place), daemon=True, name=_name(probe))
        for probe, place in zip(probes, found, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = [_late(thread.name, seconds) if thread.is_alive() else [] for thread in threads]
    return [symptom for one, other in zip(found, late, strict=True) for symptom in other or one]


def _late(name: str, seconds: float) -> list[Symptom]:
    """Without an answer of its parts no target is judged; of the rest nothing is known."""
    return [Symptom("no" if name == parts.__name__ else "--", name, f"no answer within {seconds:g} s")]


def _name(probe: Probe) -> str:
    return str(getattr(probe, "func", probe).__name__)


def _probe(probe: Probe, place: list[Symptom]) -> None:
    try:
        place += list(probe())
    except Exception as error:
        # A probe that breaks is a line as well.
        place.append(Symptom("no", _name(probe), f"cannot be examined: {type(error).__name__}: {error}"))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m gate.doctor", description=DESCRIPTION)
    parser.add_argument("--target", choices=("twin", "live"), help="default: live if a live setting is present")
    parser.add_argument("--env-file", type=Path, metavar="PATH", help=f"default {DEFAULT_ENV_FILE}")
    parser.add_argument("--spec", type=Path, default=DEFAULT, metavar="PATH", help="another system's specification file")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Probe everything and print it; returns the exit code."""
    options = parse(arguments)
    masking = Masking()
    try:
        found = examine(Choice(options.target, options.env_file, spec_file=options.spec), masking)
    except (ConfigurationError, SpecError) as error:
        print(f"doctor: {error}", file=sys.stderr)
        return ExitCode.USAGE
    for symptom in found:
        print(masking.mask(str(symptom)))
    bad = sum(symptom.state == "no" for symptom in found)
    print(
        "a gate run works from here"
        if not bad
        else "a gate run does not work from here yet: see the lines that begin with `no`"
    )
    return ExitCode.FAIL if bad else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
