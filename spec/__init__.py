"""The specification as data, and its typed loader."""

from spec.loader import SpecError, current, load
from spec.model import Specification

__all__ = ["SpecError", "Specification", "current", "load"]
