"""OpenAI's API as its own clients use it."""

from twin.doubles.openai.application import create_app

__all__ = ["create_app"]
