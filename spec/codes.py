"""The codes, kinds of subjects and classes of harm that failures are made of: data, read once."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spec.specification_error import SpecError

FILE = Path(__file__).with_name("codes.toml")


class Code(BaseModel):
    """What can be observed to be wrong: its harm, its title made of facts, and how it behaves in a diagnosis.

    `at` is "service" for what is wrong with the service that was asked, whatever the check is about.
    `on` is what an exchange must have shown before a check's own code takes the place of the engine's. A `symptom` is explained
    by a proven cause upstream; `spreads` says what such a cause brings about downstream. What `restates` belongs to the finding
    of the same subject, where another code has one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    harm: str
    group: Literal["subject", "component"] = "subject"
    on: Literal["", "accepted", "refused", "denied"] = ""
    at: Literal["", "service"] = ""
    symptom: bool = False
    restates: bool = False
    spreads: Literal["", "outage", "slow"] = ""
    causes: list[str] = Field(min_length=1)
    say: str
    run: str = ""


class Codes(BaseModel):
    """The whole file; the order of `harms` is worst first."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    harms: dict[str, str]
    subjects: dict[str, str]
    codes: dict[str, Code]

    def problem(self, code: str, subject: str) -> str | None:
        """Why a code with a subject is not declared, or None; an empty one is chosen later."""
        if code and code not in self.codes:
            return f"code {code!r} is not declared in {FILE.name}"
        kind = subject.partition(" ")[0]
        if subject and kind not in self.subjects:
            return f"subject {subject!r} begins with no kind that {FILE.name} declares"
        return None

    def rank(self, harm: str) -> int:
        """0 for the worst class of harm."""
        return list(self.harms).index(harm)


@cache
def declared(path: Path = FILE) -> Codes:
    """What the file declares; raises SpecError naming the key that cannot be used."""
    try:
        found = Codes.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, OSError) as error:
        raise SpecError(f"{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise SpecError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    for name, code in found.codes.items():
        if code.harm not in found.harms:
            raise SpecError(f"{path.name}: codes.{name}.harm: {code.harm!r} is no class of harm")
    return found
