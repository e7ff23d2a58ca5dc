"""Observers look at every exchange of a run, whoever asked for it: one small class, one promise, one file.

    class NoTraceback(Observer):
        name = "tracebacks"
        components = frozenset({"api"})

        def see(self, exchange: Exchanged) -> Iterable[Failure]:
            self.judged()
            if "Traceback (most recent call last)" in exchange.text:
                yield exchange.failure("secret.shown", expected="no traceback", observed=Facts(status=exchange.status))

Where the parts are:

exchanged.py   `Exchanged`: one exchange, its parts decoded once for all observers: `text`, `data`, `bearer`, …
observer.py    `Observer`: the base class; `kinds` and `components` narrow what it is handed, `judged()` counts
hub.py         `Observers`, on the session as `session.observers`: hands each exchange to each observer, in every process
notes.py       what the observers of one process noted, in the run's shared folder; all of it is read at the end
plugin.py      holds the observers' checks back, and runs them in the process that opened the run, after all others have ended

What an observer must know:

* `see` is called under a lock, from any thread: it needs none of its own. It costs at most 0.2 ms, keeps no exchange and no
  growing list, and asks nothing of the target. What it raises becomes a failure of its check ("check.error").
* Each process has its own instance. What a judgement needs of more than one exchange is noted at the end: `end(self)` is called
  once in each process when its part of the run is over, and may yield failures as well.
* `judged()` is called once for each exchange that could have shown the fault. An observer that judged nothing in the whole run
  is *not judged*.
* Of failures with the same code and subject the first is kept, with the number of the others; at most 20 of each observer.
* A failure never holds what it found: the facts say what kind of thing was shown and where.

A new observer is a class in gate/observers/ or, where it knows the system, in fixtures/observers/; an entry in the list of
fixtures/observers/__init__.py; an entry in `[observers]` of the specification file, which is what makes its check; and an
exchange that it refuses and one that it accepts in tests/observed/. Fixtures that exchange something over another way than
`Service` hand it over with `session.observers.see(Exchanged(…))`.
"""

from gate.observers.exchanged import Exchanged
from gate.observers.hub import Observers
from gate.observers.observer import Observer

__all__ = ["Exchanged", "Observer", "Observers"]
