"""Entry point of the API: `uvicorn main:app`."""

from api.application import create_app
from backend.shared.config import load

app = create_app(load())
