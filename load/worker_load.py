"""The worker under load: documents a minute and time in each stage while N people upload at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fixtures.api import Api
from fixtures.documents import make
from fixtures.uploads import Accepted
from fixtures.users import User, Users
from gate.exit_codes import ExitCode
from gate.http import expect
from gate.session import Session
from load import page
from load.levels import Level, linearity
from load.observation import Observation
from load.observe import ZERO
from load.people import PAGE


def climb(session: Session, out: Path) -> int:
    """Measure every level and draw it; returns 1 when documents fail or do not complete in time."""
    rule = session.spec.load.worker
    levels = []
    for parallel in rule.parallel:
        levels.append(_level(session, parallel, max(rule.documents, 2 * parallel)))
        print(_line(levels[-1]), flush=True)
    return _conclude(session, levels, out)


def _line(level: Level) -> str:
    found = level.documents
    deepest = max((sample.queue or 0 for sample in level.samples), default=0)
    return (
        f"  {level.parallel:2} at once: {found.done} of {found.uploaded} complete, {found.per_minute:6.1f} a minute, "
        f"median {level.median_seconds:.2f} s, queue up to {deepest}"
    )


def _conclude(session: Session, levels: Sequence[Level], out: Path) -> int:
    load = session.spec.load
    out.mkdir(parents=True, exist_ok=True)
    (out / "worker.json").write_text(json.dumps([_plain(level) for level in levels], indent=1))
    found = linearity(levels, load.worker.tolerance)
    path = page.write_worker(session, levels, found, out)
    share = load.thresholds.jobs_done_share
    failed = any(level.documents.done < share * max(1, level.documents.uploaded) for level in levels)
    print(f"verdict    {'FAIL: documents did not complete' if failed else 'PASS'}; {found}")
    print(f"report     {path}")
    return ExitCode.FAIL if failed else ExitCode.PASS


def _plain(level: Level) -> dict[str, object]:
    return {
        "parallel": level.parallel,
        "documents": level.documents.model_dump(),
        "samples": [sample.model_dump(exclude_none=True) for sample in level.samples],
    }


def _level(session: Session, parallel: int, documents: int) -> Level:
    """Each of `parallel` people uploads one document after another, the next as soon as its limit allows."""
    label = f"load-at{parallel}"
    each = -(-documents // parallel)
    limit = session.spec.limits.max_concurrent_jobs_per_user
    users = Users.of(session)
    owners = [users.new("load") for _ in range(parallel * -(-each // limit))]
    session.shared.write(ZERO, str(time.time()))
    observation = Observation(session, label)
    together = threading.Barrier(parallel)

    def person(number: int) -> None:
        together.wait()
        for turn in range(each):
            # Another user for each few documents: the limit of running jobs is per user, and not what is measured.
            _upload(session, owners[number + parallel * (turn // limit)], f"{label}-{number}-{turn}")

    with ThreadPoolExecutor(parallel) as pool:
        list(pool.map(person, range(parallel)))
    samples, found = observation.finish()
    return Level(parallel, found, samples)


def _upload(session: Session, owner: User, name: str) -> None:
    """Upload one document; raises Failure when it is refused."""
    api = Api(session).silent()
    document = make(name, PAGE, session.tag, [])
    reply = api.as_(owner).request_upload(document)
    # What is broken, and refuses nothing, has the engine's own code.
    expect(reply, code="pipeline.refused" if reply.is_refusal else "").status(session.spec.endpoint("upload").success)
    api.send(api.absolute(Accepted(reply).signed_url), document.body)
