"""What this gate itself once did wrong on a deployment, so that it does not do it again."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fixtures.answers import Answer
from gate.places import ACCEPTANCE, ROOT
from gate.reply import Reply

# Documents that other checks judge as well.
SHARED_DOCUMENTS = {"policy", "other_policy", "document_runs", "database_chunks", "answer"}


def functions(folder: Path) -> Iterator[tuple[str, ast.FunctionDef, str]]:
    """Every function below a folder with its module and its source."""
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                yield path.name, node, ast.get_source_segment(text, node) or ""


def test_callbacks_are_sent_for_documents_of_the_checks_own() -> None:
    """A repeated callback without a result once turned the shared, finished document into a failed one."""
    seen = 0
    for module, node, source in functions(ACCEPTANCE):
        if '"webhook"' in source and node.name.startswith("test_"):
            seen += 1
            asked = {argument.arg for argument in node.args.args}
            assert not asked & SHARED_DOCUMENTS, f"{module}: {node.name} sends a callback for a document of other checks"
    assert seen >= 4


@pytest.mark.parametrize("folder", [ACCEPTANCE / "performance", ROOT / "load"], ids=["performance", "load"])
def test_measurements_finish_the_uploads_that_they_begin(folder: Path) -> None:
    """Registered uploads whose file never comes once kept the worker, and the load's documents, waiting."""
    for module, node, source in functions(folder):
        if "request_upload(" in source and not any(isinstance(inner, ast.FunctionDef) for inner in node.body):
            assert "finish_job(" in source or ".send(" in source, f"{module}: {node.name} leaves its uploads behind"


@pytest.mark.parametrize(("metadata", "seconds"), [({"retrieval_seconds": 0.25}, 0.25), ({}, None)])
def test_retrieval_is_judged_by_its_own_time_or_not_at_all(metadata: dict[str, float], seconds: float | None) -> None:
    """Retrieval's target was once held to the whole answer of the chat."""
    body = json.dumps({"text": "x", "metadata": metadata}).encode()
    reply = Reply("POST", "https://api.example/api/chat", 200, httpx.Headers(), body, 4.0, "api")
    assert Answer(reply).retrieval_seconds == seconds
