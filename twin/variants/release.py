"""How variants change the answers of the API: by a function that is copied into the release, as one of its middlewares."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twin.plan import Plan
from twin.variants.reshaped import Headers

APPLICATION = "api/application.py"
OUTERMOST = "    app.add_middleware(RequestHeaders)\n"
END = "    return app\n"
DESCRIBED = "    describe(app)\n"


def reshape(plan: Plan, change: Callable[[str, str, int, Any], Any]) -> None:
    """Every JSON body passes through a function that imports what it needs: method, path, status, body → body."""
    _add(plan, change, "Reshaped", OUTERMOST)


def retouch(plan: Plan, change: Callable[[str, str, int, Headers], tuple[int, Headers]]) -> None:
    """Status and headers of every answer pass through such a function."""
    _add(plan, change, "Retouched", END)


def _add(plan: Plan, change: Callable[..., Any], kind: str, anchor: str) -> None:
    name = change.__name__.lstrip("_")
    shutil.copy(Path(__file__).with_name("reshaped.py"), plan.source / "api" / "reshaped.py")
    text = f"from typing import Any\n\nfrom api.reshaped import Headers\n\n\n{inspect.getsource(change)}"
    (plan.source / "api" / f"shape_{name}.py").write_text(text)
    lines = (
        f"    from api.reshaped import {kind}\n"
        f"    from api.shape_{name} import {change.__name__}\n\n"
        f"    app.add_middleware({kind}, change={change.__name__})\n"
    )
    plan.replace_in_source(APPLICATION, anchor, lines + anchor)
    # The framework's own description, which promises no form for what is reshaped here.
    file = plan.source / APPLICATION
    file.write_text(file.read_text().replace(DESCRIBED, ""))
