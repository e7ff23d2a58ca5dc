"""Entry point: `uvicorn main:app`."""

from directory.application import create_app  # type: ignore[import-not-found]
from directory.settings import load  # type: ignore[import-not-found]

app = create_app(load())
