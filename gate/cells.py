"""One cell of the access matrix, as its checks leave it in the run's folder and the page shows it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from typing_extensions import TypedDict

State: TypeAlias = Literal["right", "wrong", "unclear"]


class CellData(TypedDict):
    """One cell; `status` is 0 where no reply shows what came of it."""

    kind: str
    title: str
    row: str
    what: str
    who: str
    whose: str
    expected: str
    state: State
    status: int
    text: str
