"""Whoever is judged does not write the report: hostile answers and documents are shown as text, and bounded in memory."""

import json
import resource
import tracemalloc
import zlib
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from gate.failures import Failure
from gate.http import Reply, Service
from gate.session import Session
from reports import ci, notify
from reports.text import for_markdown
from tests.conftest import gate_in, with_values
from tests.recorded import a_verdict
from tests.servers import answering
from tests.test_command_line import env_file
from twin import hostile
from twin.doubles.llamaparse import extract

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J\x1b[31m</td>|`](javascript:alert(3)) <!channel> "
ATTACK += "@everyone \u202e"
MEASURELESS = (hostile.huge, hostile.endless, hostile.endless_head)
BOMB_BYTES = 300 * 1024 * 1024


class Tags(HTMLParser):
    """Elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self._is_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        self._is_script = tag == "script"

    def handle_data(self, data: str) -> None:
        if self._is_script:
            self.scripts.append(data)
            self._is_script = False


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Results and terminal of a run on an API whose every value attacks."""
    folder = tmp_path_factory.mktemp("attacked")

    def answer(method: str, path: str, body: object) -> tuple[int, object]:
        services = dict.fromkeys(("database", "supabase_auth", "openai", "llamaparse", "rag", ATTACK), ATTACK)
        return 200, {"environment": "staging", "status": ATTACK, "version": ATTACK, "detail": ATTACK, "services": services}

    with answering(answer) as url:
        path = env_file(
            folder, API_BASE_URL=url, SUPABASE_URL="http://127.0.0.1:9", DATABASE_URL="postgresql://u:p@127.0.0.1:9/x"
        )
        done = gate_in(folder)("-m", "postdeploy", "--target", "live", "--env-file", str(path))
    assert done.returncode in (1, 6), done.stdout
    return folder / "out", done.stdout + done.stderr


def test_the_terminal_takes_no_orders(attacked: tuple[Path, str]) -> None:
    _, shown = attacked
    assert "alert(1)" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_the_page_shows_it_as_text(attacked: tuple[Path, str]) -> None:
    out, _ = attacked
    text = (out / "index.html").read_text()
    tags = Tags()
    tags.feed(text)
    assert "alert(1)" in text
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    assert not [script for script in tags.scripts if "alert(" in script]


def test_the_checklist_shows_it_as_text(attacked: tuple[Path, str]) -> None:
    out, _ = attacked
    text = (out / "checklist.md").read_text()
    assert "alert(1)" in text
    assert not any(sign in text for sign in ("<script", "<img", "<!channel", "@everyone", "](javascript", "\x1b"))


def test_junit_and_allure_can_be_read(attacked: tuple[Path, str]) -> None:
    out, _ = attacked
    assert "\x1b" not in (out / "junit.xml").read_text()
    assert list(ElementTree.parse(out / "junit.xml").iter("testcase"))
    assert all(json.loads(path.read_text()) for path in (out / "allure-results").glob("*.json"))


def test_notifications_mention_nobody() -> None:
    data = a_verdict()
    data["findings"][0]["title"] = ATTACK
    assert "<!channel>" not in notify.message(data)["text"]
    assert "<script" not in for_markdown(ATTACK)
    assert "\n" not in "".join(ci.annotation_lines(data))


@pytest.mark.parametrize("kind", [kind for kind in hostile.KINDS if kind.handler in MEASURELESS], ids=lambda kind: kind.name)
def test_a_body_without_measure_is_cut(session: Session, tmp_path: Path, kind: hostile.Kind) -> None:
    with hostile.Server(kind, tmp_path) as server:
        trusting = with_values(session, HARNESS_CA_FILE=str(server.authority))
        service = Service(trusting, f"https://localhost:{server.port}", "api")
        tracemalloc.start()
        try:
            with pytest.raises(Failure) as caught:
                service.get("/")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert caught.value.code in ("http.incomplete", "http.reset", "http.no_answer")
    assert peak < hostile.BIG_BODY / 2


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b"\xff\xfe\xc0", b"", b"NaN"[:2]],
                         ids=["lists", "objects", "bytes", "nothing", "cut"])  # fmt: skip
def test_nonsense_instead_of_json_is_a_finding(body: bytes) -> None:
    reply = Reply("GET", "https://x/", 200, httpx.Headers(), body, 0.0, "api")
    with pytest.raises(Failure) as caught:
        reply.json()
    assert (caught.value.code, caught.value.subject) == ("http.not_json", "endpoint GET /")
    assert isinstance(reply.text, str)


def bomb() -> bytes:
    """A small PDF whose one page unpacks to 300 MB."""
    packer = zlib.compressobj(9)
    part = b"BT /F1 12 Tf (boom) Tj ET\n" * 4096
    packed = b"".join(packer.compress(part) for _ in range(BOMB_BYTES // len(part))) + packer.flush()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources << >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
    ]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(body)
    return (
        body
        + b"xref\n0 5\n0000000000 65535 f \n"
        + table
        + b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % start
    )


def test_a_bomb_of_a_pdf_holds_no_text() -> None:
    packed = bomb()
    assert len(packed) < 1024 * 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert not "".join(extract(packed)).strip()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < BOMB_BYTES / 2 / 1024
