"""The build backend of a project that is used from a checkout: every way to build it ends with one line."""

import sys
from typing import NoReturn

LINE = "navigator-acceptance is used from a checkout and builds no package: clone it, then run `make` there"


def refuse(*_: object, **__: object) -> NoReturn:
    """Say how the project is used instead; raises SystemExit."""
    sys.exit(LINE)


build_wheel = build_sdist = build_editable = refuse
get_requires_for_build_wheel = get_requires_for_build_sdist = get_requires_for_build_editable = refuse
