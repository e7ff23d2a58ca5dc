"""The specification as data."""

from spec.loader import DEFAULT, SpecError, load
from spec.model import NotSpecified, Specification

__all__ = ["DEFAULT", "NotSpecified", "SpecError", "Specification", "load"]
