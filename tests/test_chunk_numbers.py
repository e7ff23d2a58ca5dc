"""Numbers of chunks: a lost one is seen, and any rule of numbering is right."""

from __future__ import annotations

import pytest

from fixtures.stored import Chunk, missing_numbers

SHARE = 0.25


def chunk(number: int) -> Chunk:
    versions = dict.fromkeys(("chunker_name", "chunker_version", "embed_model", "embed_version"), "1")
    return Chunk({"chunk_ord": number, "text": "", "chunk_sha": "", "vector": None, **versions})


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ([0, 1, 2, 3], []),
        ([7, 8, 9], []),
        ([10, 20, 30, 40], []),
        ([0, 1, 3, 4, 5], [2]),
        ([10, 20, 40, 50, 60], [30]),
        ([100, 101, 102, 200, 201, 300], []),
        ([3, 4, 9, 27], []),
        ([5], []),
        ([], []),
    ],
)
def test_a_number_is_missing_from_even_steps_only(numbers: list[int], missing: list[int]) -> None:
    assert missing_numbers([chunk(number) for number in numbers], SHARE) == missing
