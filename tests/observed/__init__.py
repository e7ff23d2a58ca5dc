"""For each observer an exchange that it must refuse and one that it must accept, beside what is planted before."""

from collections.abc import Mapping

from tests.observed.answers import ANSWERS
from tests.observed.cases import Case
from tests.observed.growth import GROWTH
from tests.observed.headers import HEADERS
from tests.observed.planted import PLANTED
from tests.observed.promises import PROMISES

CASES: Mapping[str, Case] = {**PLANTED, **PROMISES, **ANSWERS, **HEADERS, **GROWTH}
