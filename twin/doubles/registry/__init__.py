"""An index of packages and a database of vulnerabilities, as pip and pip-audit use them.

The index offers what this machine has installed, by metadata alone: pip resolves with it, and installs nothing. The database
knows one old package, so that a canary is found, and what `behaviour.registry` plants: `packages` (releases with name, version
and requires), `vulnerable` (name → ids), `silent` (the database is out of order).
"""

from __future__ import annotations

from twin.doubles.registry.application import beside

__all__ = ["beside"]
