"""The mutations as a page, and why a check is proven by none of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from proof import matrix
from proof.facts.mutation import Mutation
from proof.facts.variables import ALLOWED
from proof.figures import Share
from proof.matrix import HEALTHY, read_rows

# Why a check has no fault of its own, by its name; the first that fits.
REASONS = {
    "harness|kept_its_schedule": "needs a load generator without processor time",
    "holds_its_target|hold_the_target|holds_the_target|is_quick|policy_holds": "needs a part that is slow and still works",
    "lock_is_waited|blocks_the_queue|cache_carries|connections_are_left": "needs a state that takes minutes to make",
    "locked_for_one_worker|transaction_can_be_undone|server_is_recent|clock_of|bucket_is_known": "needs another PostgreSQL",
    "database_answers|lets_the_services_in|schema_is_found|what_the_api_writes": "blocked when the prerequisite is unavailable",
    "refuses_a_wrong_key|refuses_a_foreign_token|signed_url_fits|no_key_at_all|signed_read_url|llamaparse_tells": (
        "needs a third party that is broken; the doubles behave"
    ),
    "old_protocol|current_protocol": "proven in tests/test_network.py on a TLS 1.0 server",
    "production|API_BASE_URL|is_stagings": "the guard stops the run before this check (exit code 4), or nothing answers (6)",
    "keys_are_not_about|token_is_the_projects": "needs another Supabase project",
    "last_deploy": "F17 shows it for the worker",
}
OTHERWISE = "no fault of this kind was made yet"


def reason_for(name: str) -> str:
    """Why a check is unproven."""
    return next((reason for pattern, reason in REASONS.items() if re.search(pattern, name)), OTHERWISE)


def unproven(mutations: Sequence[Mutation]) -> tuple[list[str], int]:
    """Checks that neither a fault nor a mutation turned red, and how many checks there are."""
    rows = read_rows()
    known = {name for row in rows if row.fault == HEALTHY for name in row.checks}
    red = {name for mutation in mutations for name in mutation.red}
    return sorted(set(matrix.unproven(rows)) - red), len(known)


def markdown(mutations: Sequence[Mutation]) -> str:
    """Counts by part of the specification, what survived, and what nothing turned red."""
    killed = [mutation for mutation in mutations if mutation.is_killed]
    parts, dead = Counter(mutation.part for mutation in mutations), Counter(mutation.part for mutation in killed)
    lines = [
        "# Mutations of the specification's facts",
        "",
        "Produced by `make mutations`, after `make faults`. Each mutation changes one fact of the deployment (a variable",
        "missing, empty, changed, quoted, with a trailing newline or swapped with another; a column, constraint, index,",
        "privilege or policy; a CORS origin or trusted host; a limit or route; a detail of a service or its image).",
        "",
        f"Killed: **{Share(len(killed), len(mutations)).above}**; the bound is exact, at 95 % confidence.",
        "",
        "| facts | mutations | killed |",
        "|---|---|---|",
        *(f"| {part} | {number} | {dead[part]} |" for part, number in parts.items()),
        "",
        "## Survivors",
        "",
        *([f"- {mutation.label}" for mutation in mutations if not mutation.is_killed] or ["none"]),
        "",
        "Not mutations: " + ", ".join(sorted(ALLOWED)) + " (the specification calls Anthropic optional).",
        *_unproven_section(mutations),
    ]
    return "\n".join(lines) + "\n"


def _unproven_section(mutations: Sequence[Mutation]) -> list[str]:
    left, known = unproven(mutations)
    return [
        "",
        "## Unproven checks",
        "",
        f"Turned red by no fault and no mutation: {Share(len(left), known).of_all} checks.",
        "",
        *([f"- `{name.partition('acceptance/')[2]}`: {reason_for(name)}" for name in left] or ["none"]),
    ]
