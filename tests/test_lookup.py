"""Which of many known texts stand in a text."""

import pytest

from gate.lookup import FEW, Lookup


@pytest.mark.parametrize("number", [1, FEW, 3 * FEW])
def test_all_that_stand_in_a_text_are_found(number: int) -> None:
    lookup, known = Lookup(), [f"secret-{place:06}-of-a-user" for place in range(number)]
    for one in known:
        lookup.add(one)
        assert lookup.found_in(f"a line with {one}.") == [one]
    assert sorted(lookup.found_in(" ".join(known))) == known
    assert lookup.found_in("a line with secret-") == []


def test_texts_that_end_alike_or_lie_in_each_other_are_told_apart() -> None:
    lookup = Lookup()
    for one in ("first-abcdefgh", "second-abcdefgh", "abcdefgh", "é\ud800-abcdefgh"):
        lookup.add(one)
    assert sorted(lookup.found_in("the first-abcdefgh")) == ["abcdefgh", "first-abcdefgh"]
    assert "é\ud800-abcdefgh" in lookup.found_in("half a pair: é\ud800-abcdefgh")


def test_an_empty_text_cannot_be_looked_for() -> None:
    with pytest.raises(ValueError, match="empty"):
        Lookup().add("")
