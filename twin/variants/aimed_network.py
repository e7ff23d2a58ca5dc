"""Variants aimed at how requests reach the API; each says what allows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import write
from twin.variants.release import APPLICATION, END

SIX_DAYS = timedelta(days=6)
IDLE_SECONDS = 2
DEFLATED = '''"""Packs bodies with deflate, where the caller takes it."""

from __future__ import annotations

import zlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Deflated:
    """Holds each response back until it is whole."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accepted = dict(scope.get("headers", [])).get(b"accept-encoding", b"")
        if scope["type"] != "http" or scope["method"] == "HEAD" or b"deflate" not in accepted:
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            packed = bytes(body)
            if packed:
                packed = zlib.compress(packed)
                kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
                length = str(len(packed)).encode()
                start["headers"] = [*kept, (b"content-encoding", b"deflate"), (b"content-length", length)]
            await send(start)
            await send({"type": "http.response.body", "body": packed})

        await self.app(scope, receive, hold)
'''
# What a platform does with a server that ends after so many requests: it starts the next one on the same port.
PLATFORM = """import signal, socket, subprocess, sys

port, cert, key = sys.argv[1:4]
listener = socket.create_server(("127.0.0.1", int(port)), backlog=512)
command = [sys.executable, "-m", "uvicorn", "main:app", "--fd", str(listener.fileno()), "--timeout-keep-alive", "75"]
command += ["--limit-max-requests", "1000", "--ssl-certfile", cert, "--ssl-keyfile", key, "--no-access-log"]
command += ["--timeout-graceful-shutdown", "30"]
state = {"stopping": False}


def stop(*_):
    state["stopping"] = True
    if "child" in state:
        state["child"].terminate()


signal.signal(signal.SIGTERM, stop)
code = 0
while not state["stopping"] and code == 0:
    state["child"] = subprocess.Popen(command, pass_fds=[listener.fileno()])
    code = state["child"].wait()
sys.exit(code)
"""


@variant("W42", "answers are packed with deflate, which the caller accepts beside gzip")
def deflated(plan: Plan) -> None:
    """Both pages are silent about encodings; HTTP lets the server choose among those that the request accepts."""
    write(plan, "api/deflated.py", DEFLATED)
    lines = "    from api.deflated import Deflated\n\n    app.add_middleware(Deflated)\n"
    plan.replace_in_source(APPLICATION, END, lines + END)


@variant("W43", "the edge in front of the API closes connections that were idle for two seconds")
def impatient_edge(plan: Plan) -> None:
    """§1 timeout-keep-alive is the server's own; what stands in front of it (§6: Render) has a time of its own."""
    plan.listen("api", keep_alive=IDLE_SECONDS)


@variant("W44", "the API ends after a thousand requests, as its start command says, and the next process takes its place")
def thousand_requests(plan: Plan) -> None:
    """§1 start_command: --limit-max-requests 1000. Requests wait at the port meanwhile."""
    platform = plan.source.parent / "platform_of_the_api.py"
    platform.write_text(PLATFORM)
    plan.api_command = lambda port, cert, key: [str(platform), str(port), cert, key]


@variant("W45", "the API's certificate is good for six days, and a new one comes every third")
def certificate_of_six_days(plan: Plan) -> None:
    """§6: automatic SSL via Render; no lifetime is named, and authorities issue short ones."""
    now = datetime.now(UTC)
    plan.certificate = lambda ca: ca.issue_cert("localhost", "127.0.0.1", not_before=now, not_after=now + SIX_DAYS)
