"""Entry point of the API: `uvicorn main:app`."""

import os

from api.application import create_app
from backend.shared.config import load
from backend.shared.logs import set_up

set_up("api", os.environ.get("LOG_LEVEL", "INFO"))
app = create_app(load())
