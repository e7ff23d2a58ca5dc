"""Faults by a stranger who has not read the checks: access to the data, accounts, and rest."""
