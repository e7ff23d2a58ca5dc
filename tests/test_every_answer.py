"""What is special about a question, which questions are judged, and what the wrong ones have in common."""

from __future__ import annotations

from fixtures.measured.questions import Question
from fixtures.measured.traits import ALL, PLAIN, chosen, in_common, special
from fixtures.stored import Chunk
from fixtures.vectors_of_texts import samples, with_own_vectors

AGAIN, SAME = "a question asked again after more passages came", "a question asked before by the same user"


def asked(message: str, began: float, caller: str = "ann", conversation: str = "") -> Question:
    """A question that took a tenth of a second."""
    return Question(caller, message, conversation, began, began + 0.1, "POST", "https://api/chat", 200, "", "")


def chunk(text: str, literal: str = "") -> Chunk:
    """A chunk with a vector of its own, unless one is given."""
    values = {"chunk_ord": 0, "text": text, "chunk_sha": "", "vector": literal or f"[{len(text)},1]"}
    return Chunk(values | dict.fromkeys(("chunker_name", "chunker_version", "embed_model", "embed_version"), ""))


def test_traits_are_those_of_the_question() -> None:
    """Repeated, by whom, in which conversation, and what came meanwhile."""
    questions = [
        asked("one", 1),
        asked("one", 2),
        asked("one", 5),
        asked("one", 6, "bob"),
        asked("a\nb", 7, "bob", "c"),
        asked("two", 8, "bob", "c"),
    ]
    found = list(special(questions, {"ann": [4.0]}).values())
    assert found[0] == [PLAIN]
    assert found[1][0] == SAME
    assert found[2][0] == AGAIN
    assert found[3] == ["a question asked before by another user"]
    assert found[4][0] == "a question of several lines"
    assert found[5][0] == "a question in a conversation that goes on"


def test_each_kind_has_its_turn() -> None:
    """The newest of each kind come first."""
    plain = [asked(str(number), number) for number in range(5)]
    lines = asked("a\nb", 0)
    found = chosen({one: [PLAIN] for one in plain} | {lines: ["lines"]}, 3)
    assert found == [plain[4], lines, plain[3]]


def test_what_all_wrong_ones_have_in_common() -> None:
    """A trait that no right one has; else the question is of any kind."""
    one, two, three = asked("1", 1), asked("2", 2), asked("3", 3)
    traits = {one: ["lines", "long"], two: ["long"], three: [PLAIN]}
    assert in_common(traits, [one, two], [three]) == "long"
    assert in_common(traits, [one, three], [two]) == ALL


def test_samples_are_of_every_kind() -> None:
    """Each text once; texts that share a vector are left to another check."""
    head = "The same head of a table on each page, which is longer than the beginning |"
    chunks = [chunk("first one"), chunk(f"{head} a"), chunk(f"{head} bc"), chunk("保险"), chunk("last")]
    about = [sample.about for sample in samples(chunks, 8)]
    assert about == ["the first", "the last", "the shortest", "the longest", "one that begins like another"]
    assert with_own_vectors([chunk("a", "[1]"), chunk("b", "[1]"), chunk("c", "[2]")])[0].text == "c"
