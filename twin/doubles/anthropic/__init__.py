"""Anthropic's API as its own clients use it."""

from twin.doubles.anthropic.application import create_app

__all__ = ["create_app"]
