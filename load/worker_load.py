"""The worker under load: documents a minute and time in each stage while N people upload at once; linear or not."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from fixtures.api import Api
from fixtures.documents import make
from gate.failures import CheckFailed
from fixtures.users import Users
from load import observe, page
from load.context import PAGE
from load.record import Documents, Sample
from load.session import Session

OK, FAIL = 0, 1


@dataclass(frozen=True)
class Level:
    """N people upload at once. `documents` holds the times (seconds) of this level only."""

    parallel: int
    documents: Documents
    samples: list[Sample] = field(default_factory=list)

    @property
    def median_seconds(self) -> float:
        """Median time of a document."""
        return statistics.median(self.documents.seconds) if self.documents.seconds else 0.0


def linearity(levels: Sequence[Level], tolerance: float) -> str:
    """Whether throughput grows with the number of people, in words with the figures."""
    first = levels[0]
    if not first.documents.per_minute:
        return "not enough data: the first level completed no document"
    shown, linear = [], True
    for level in levels[1:]:
        gain = level.documents.per_minute / first.documents.per_minute
        ideal = level.parallel / first.parallel
        linear = linear and gain >= ideal * (1 - tolerance)
        shown.append(f"×{gain:.1f} at {level.parallel} at once")
    return f"throughput is {'linear' if linear else 'not linear'} in parallel uploads: {', '.join(shown)}"


def climb(session: Session, out: Path) -> int:
    """Measure every level and draw it; answers 1 when documents fail or do not complete in time."""
    rule = session.spec.load.worker
    users = Users.of(session.run)
    levels = []
    for parallel in rule.parallel:
        levels.append(_level(session, users, parallel, max(rule.documents, 2 * parallel)))
        d = levels[-1].documents
        deepest = max((sample.queue or 0 for sample in levels[-1].samples), default=0)
        print(
            f"  {parallel:2} at once: {d.done} of {d.uploaded} complete, {d.per_minute:6.1f} a minute, "
            f"median {levels[-1].median_seconds:.2f} s, queue up to {deepest}",
            flush=True,
        )
    out.mkdir(parents=True, exist_ok=True)
    (out / "worker.json").write_text(json.dumps([_plain(level) for level in levels], indent=1))
    told = linearity(levels, rule.tolerance)
    path = page.write_worker(session.run, levels, told, out)
    share = session.spec.load.thresholds.jobs_done_share
    lost = [level for level in levels if level.documents.done < share * max(1, level.documents.uploaded)]
    print(f"verdict    {'FAIL: documents did not complete' if lost else 'PASS'}; {told}")
    print(f"report     {path}")
    return FAIL if lost else OK


def _plain(level: Level) -> dict[str, object]:
    return {
        "parallel": level.parallel,
        "documents": level.documents.model_dump(),
        "samples": [sample.model_dump(exclude_none=True) for sample in level.samples],
    }


def _level(session: Session, users: Users, parallel: int, documents: int) -> Level:
    """Each of `parallel` people uploads one document after another, the next as soon as its limit allows."""
    run = session.run
    label = f"load-at{parallel}"
    each = -(-documents // parallel)
    makers = [users.new("load") for _ in range(parallel * -(-each // session.spec.limits.max_concurrent_jobs_per_user))]
    (session.shared.path / observe.ZERO).write_text(str(time.time()))
    watching = observe.start(session, label)
    gate = threading.Barrier(parallel)

    def person(number: int) -> None:
        gate.wait()
        for turn in range(each):
            # Another user for each few documents: the limit of running jobs is per user, and not what is measured.
            owner = makers[number + parallel * (turn // session.spec.limits.max_concurrent_jobs_per_user)]
            document = make(f"{label}-{number}-{turn}", PAGE, session.tag, [])
            reply = api.as_(owner).request_upload(document)
            if reply.status != session.spec.endpoint("upload").success:
                raise CheckFailed("an upload to be accepted", f"{reply.status} {reply.text[:200]}", "the API's log", "api")
            api.send(api.absolute(reply.object()["signed_url"]), document.body)

    api = Api(session).silent()
    with ThreadPoolExecutor(parallel) as pool:
        list(pool.map(person, range(parallel)))
    samples, found = observe.finish(watching, run)
    return Level(parallel, found, samples)
