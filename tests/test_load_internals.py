"""What the load relies on in Locust beyond its documented interface; a failure names the release that changed it."""

import json
import subprocess
import sys
from functools import cache

import pytest

from tests.conftest import ROOT

# In a process of its own: to import Locust changes the whole process.
PROBE = """
import json
import locust
from load.internals.locust_ import heard_generators, is_cooperative, run_only
from load.ports import free_port
import gevent
from locust import User
from locust.env import Environment

def until(condition, seconds):
    with gevent.Timeout(seconds, False):
        while not condition():
            gevent.sleep(0.05)
    return condition()

class Chosen(User):
    started = []
    def on_start(self):
        self.started.append(type(self).__name__)

class Other(Chosen):
    pass

found = {"version": locust.__version__, "cooperative": is_cooperative()}

environment = Environment(user_classes=[Chosen, Other])
runner = environment.create_local_runner()
run_only(environment, type("Chosen", (Chosen,), {}))
runner.start(2, 10)
until(lambda: len(Chosen.started) == 2, 5)
found["started"] = Chosen.started
runner.quit()

port = free_port()
master = Environment(user_classes=[Chosen]).create_master_runner("127.0.0.1", port)
worker = Environment(user_classes=[Chosen]).create_worker_runner("127.0.0.1", port)
messages = []
master.register_message("to_master", lambda environment, msg, **_: messages.append([msg.node_id == worker.client_id, msg.data]))
worker.register_message("to_worker", lambda environment, msg, **_: messages.append(msg.data))
found["heard"] = until(lambda: heard_generators(master) == {worker.client_id}, 10)
found["index"] = worker.worker_index
worker.send_message("to_master", {"part": "text"})
master.send_message("to_worker", {"zero": 1.5, "order": [0, 1]})
until(lambda: len(messages) == 2, 5)
found["messages"] = messages
worker.greenlet.kill(block=True)
found["lost"] = until(lambda: not heard_generators(master), 15)
found["still_known"] = len(master.clients)
master.quit()
print("FOUND" + json.dumps(found))
"""


@cache
def probe() -> dict[str, object]:
    """What the installed Locust does; raises AssertionError with its last lines when it does not get to the end."""
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, text=True, timeout=90)
    line = next((line for line in done.stdout.splitlines() if line.startswith("FOUND")), None)
    assert line is not None, f"load/internals/locust_.py does not fit this release of Locust: {done.stderr[-2000:]}"
    found: dict[str, object] = json.loads(line.removeprefix("FOUND"))
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cooperative", True),
        ("started", ["Chosen", "Chosen"]),
        ("heard", True),
        ("index", 0),
        ("messages", [[True, {"part": "text"}], {"zero": 1.5, "order": [0, 1]}]),
        ("lost", True),
        ("still_known", 1),
    ],
)
def test_locust_still_does_what_the_load_relies_on(name: str, expected: object) -> None:
    found = probe()
    seen = found[name]
    # Messages come in no order.
    seen = sorted(seen, key=json.dumps) if isinstance(seen, list) else seen
    assert seen == expected, f"Locust {found['version']} changed what load/internals/locust_.py relies on: {name}"


def test_nothing_of_the_gate_imports_locust() -> None:
    """To import Locust changes the whole process, and the gate's checks import these modules."""
    program = "import sys, load.checks, load.stress, load.worker_load, load.__main__; print('locust' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr
