"""Registers the gate's plugins; each of them has one concern."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.target",
    "fixtures.checks",
    "fixtures.resources",
    "fixtures.journeys",
    "fixtures.contract",
    "reports.plugin",
]
