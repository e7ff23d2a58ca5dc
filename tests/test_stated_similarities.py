"""A similarity that is not that of the question gives another question away, where the other answers state cosines."""

from fixtures.measured.questions import Question
from fixtures.measured.shown import Shown
from fixtures.measured.stated import TIMES, foreign
from tests.test_every_answer import asked

TRUE = Shown(stated=[(0.61, 0.6101), (0.4, 0.4)])
FALSE = Shown(stated=[(0.61, 0.6), (0.3, 0.4)])


def _asked(right: int, wrong: int) -> dict[Question, Shown]:
    return {asked(f"{number}", number): TRUE if number < right else FALSE for number in range(right + wrong)}


def test_one_answer_among_many_rests_on_another_question() -> None:
    found = foreign(_asked(TIMES, 1))
    assert list(found.values()) == [[(0.3, 0.4)]]


def test_a_number_that_is_no_cosine_proves_nothing() -> None:
    assert foreign(_asked(TIMES - 1, 1)) == {}
    assert foreign(_asked(0, 3)) == {}


def test_answers_that_state_nothing_are_not_counted() -> None:
    assert foreign({asked("0", 0.0): Shown(), asked("1", 1.0): FALSE}) == {}
