"""Entries of a specification about the Supabase project, for which checks are made (spec/entries.py)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import get_args

from spec.model import ProjectSetting, Specification
from spec.model.supabase import Command, Identity


def schema_kinds(spec: Specification) -> Iterable[str]:
    """Kinds of things that the database is compared by with what the migrations make."""
    return spec.migrations.kinds


def advice(spec: Specification) -> Iterable[str]:
    """Kinds of what the database's advisors report."""
    return spec.linters.advice


def secured_cells(spec: Specification) -> Iterator[tuple[str, Command, Identity]]:
    """Each table with each command and each identity."""
    return itertools.product(spec.row_security.tables, spec.row_security.commands, get_args(Identity))


def tables_of_owners(spec: Specification) -> Iterator[str]:
    """Tables in which users see the rows of their own documents."""
    return (table for table, rule in spec.row_security.tables.items() if "SELECT" in rule.may.get("owner", []))


def project_names(spec: Specification) -> Iterable[str]:
    """Variables that name the Supabase project."""
    return spec.project.named_by


def project_settings(spec: Specification) -> Iterable[ProjectSetting]:
    """Settings of the Supabase project."""
    return spec.project.settings


def publications(spec: Specification) -> Iterable[str]:
    """Publications whose tables are stated."""
    return spec.project.published


def keys_of_project(spec: Specification) -> Iterator[str]:
    """Variables that hold a key of the Supabase project."""
    return (name for name in spec.project.named_by if spec.variables[name].is_secret and spec.variables[name].kind == "secret")
