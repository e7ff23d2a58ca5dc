"""The specification as data, and its typed loader."""

from spec.loader import SpecError, load
from spec.model import Specification

__all__ = ["SpecError", "Specification", "load"]
