"""Build files are read as pip, Docker and Render read them; what cannot be read is a typed failure."""

from pathlib import Path

import pytest

from fixtures.commands import command_of, image_of, shell_command
from fixtures.dockerfile import Dockerfile
from fixtures.dockerfile_text import Instruction, instructions_of
from fixtures.paths import Ignored, matches, plain
from fixtures.requirements import read
from gate.failures import Failure
from spec import load

SPELLINGS = load().spellings
START = "uvicorn main:app --host 0.0.0.0 --port 8000"
CHECK = "curl -f http://localhost:8000/health"
HEREDOCS = """FROM a
RUN <<EOF && true
USER root
EOF
COPY <<-"A" <<B /x/
\tCMD no
\tA
CMD no
B
RUN echo $((1<<2)) <<< "x"
USER app
"""


def test_the_lines_of_a_heredoc_are_no_instructions() -> None:
    assert instructions_of(HEREDOCS) == [
        Instruction("FROM", "a"),
        Instruction("RUN", "<<EOF && true", ("USER root",)),
        Instruction("COPY", '<<-"A" <<B /x/', ("CMD no", "CMD no")),
        Instruction("RUN", 'echo $((1<<2)) <<< "x"'),
        Instruction("USER", "app"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "RUN one \\\n# a comment\n\n two",
        "RUN one \\\r\n two\r\n",
        "\ufeffRUN one \\\n   two",
        "# syntax=docker/dockerfile:1\n# escape=`\nRUN one `\n two",
    ],
)
def test_continued_lines_are_one_instruction(text: str) -> None:
    found = instructions_of(text)
    assert [(one.name, one.value.split()) for one in found] == [("RUN", ["one", "two"])]


def test_variables_have_the_scope_that_docker_gives_them() -> None:
    text = "ARG A=1\nARG B=2\nFROM x\nARG A\nARG C=3\nENV P=$A Q=$B R=$C\nARG P=9\nEXPOSE ${P} 4$C\nUSER $Q\n"
    dockerfile = Dockerfile("Dockerfile", text)
    assert dockerfile.variables == {"P": "1", "Q": "", "R": "3"}
    assert (dockerfile.ports, dockerfile.user) == (["1/tcp", "43/tcp"], "")


def test_a_stage_that_nothing_needs_is_not_built() -> None:
    text = "FROM x AS a\nCOPY a .\nFROM a AS tests\nCOPY t .\nRUN t\nFROM y\nCOPY --from=0 /a /a\nCOPY main.py .\n"
    dockerfile = Dockerfile("Dockerfile", text)
    assert (dockerfile.copied, dockerfile.commands) == (["a", "main.py"], [])


@pytest.mark.parametrize("text", ["CMD it's", "ENV A='b", 'COPY "a b'])
def test_what_cannot_be_read_is_a_failure(text: str) -> None:
    dockerfile = Dockerfile("Dockerfile", f"FROM a\n{text}\n")
    with pytest.raises(Failure):
        assert dockerfile.start + dockerfile.copied == []


@pytest.mark.parametrize(
    "text",
    [
        "uvicorn --port=8000 main:app --host 0.0.0.0",
        "exec python3 -m uvicorn main:app --host=0.0.0.0 --port=8000",
        "/usr/bin/tini -- /usr/local/bin/uvicorn main:app --host 0.0.0.0 --port 8000",
    ],
)
def test_a_command_is_what_it_does(text: str) -> None:
    assert command_of(text.split(), SPELLINGS) == shell_command(START, SPELLINGS)


@pytest.mark.parametrize(
    "text",
    ["uvicorn main:app --host 0.0.0.0 --port 8080", "uvicorn main:app --host 0.0.0.0", f"{START} --reload", "true", ""],
)
def test_another_command_is_another(text: str) -> None:
    assert command_of(text.split(), SPELLINGS) != shell_command(START, SPELLINGS)


@pytest.mark.parametrize(
    ("text", "does"),
    [
        (f"{CHECK} || exit 1", True),
        ("curl -sSf --max-time 5 http://127.0.0.1:8000/health", True),
        ("/usr/bin/curl --fail http://localhost:8000/health", True),
        ("curl http://localhost:8000/health", False),
        ("curl -f http://localhost:8000/", False),
        ("curl -f http://localhost:8080/health", False),
        (f"{CHECK} || true", False),
        ("true", False),
    ],
)
def test_a_check_does_what_was_agreed(text: str, does: bool) -> None:
    assert shell_command(text, SPELLINGS).does(shell_command(CHECK, SPELLINGS)) is does


@pytest.mark.parametrize(("name", "wanted"), [("library/a:1", "a:1"), ("a:1@sha256:00", "a:1"), ("other/a:1", "other/a:1")])
def test_an_image_has_several_names(name: str, wanted: str) -> None:
    assert image_of(name, SPELLINGS) == wanted


@pytest.mark.parametrize(
    ("path", "pattern", "does"),
    [
        ("api/a/b.py", "api/**", True),
        ("api/a/b.py", "./api/**/*", True),
        ("api/a.py", "api/", True),
        ("api/a.py", "api/*.py", True),
        ("api/a/b.py", "api/*.py", False),
        ("apis/a.py", "api/**", False),
        ("a/main.py", "main.py", False),
    ],
)
def test_a_pattern_matches_paths(path: str, pattern: str, does: bool) -> None:
    assert matches(path, pattern) is does


@pytest.mark.parametrize("text", ["api/**", "./api/**", "/api/**/*", "api/", "api/**/**"])
def test_patterns_have_one_spelling(text: str) -> None:
    assert plain(text) == "api/**"


def test_the_last_pattern_decides_what_is_ignored() -> None:
    ignored = Ignored(["# all", "*", "!api", "api/*.md", "**/cache", "!README*"])
    paths = ["main.py", "api/a.py", "api/a.md", "api/x/cache/b", "README.md", "api/x/a.md"]
    assert [path in ignored for path in paths] == [True, False, True, True, False, False]


def test_requirements_are_read_as_pip_reads_them(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/base.txt").write_text("-r ../more.txt\n--constraint=limits.txt\nopen\n")
    (tmp_path / "sub/limits.txt").write_text("bounded.name<2\n")
    more = "\ufeffa==1 \\\n  --hash=sha256:00 \\\n  --hash=sha256:01\nb [x] (>=1) ; python_version > '3'\n"
    (tmp_path / "more.txt").write_text(more)
    every = "-rsub/base.txt\n--pre\nBounded_Name # c\n./local\nc @ https://host/c.whl\nd~=1.0\n"
    (tmp_path / "all.txt").write_text(every)
    found = read(tmp_path, "all.txt")
    assert sorted(r.name for r in found.found) == ["Bounded_Name", "a", "b", "c", "d", "open"]
    assert found.without_version == ["open"]


@pytest.mark.parametrize("text", ["-r nowhere.txt\n", "not a requirement\n", "a==\n"])
def test_a_requirements_file_that_is_wrong_is_a_failure(tmp_path: Path, text: str) -> None:
    (tmp_path / "all.txt").write_text(text)
    with pytest.raises(Failure):
        read(tmp_path, "all.txt")
