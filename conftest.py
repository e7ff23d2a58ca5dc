"""Registers the gate's plugins; each of them has one concern."""

pytest_plugins = [
    "gate.options",
    "gate.plugin",
    "gate.checks",
    "gate.again",
    "fixtures.plugin",
    "fixtures.resources",
    "fixtures.monitoring_resources",
    "fixtures.recovery.resources",
    "fixtures.rollback.resources",
    "fixtures.document_runs",
    "fixtures.planted",
    "fixtures.measured.asked",
    "fixtures.contract",
    "fixtures.drills.resources",
    "reports.plugin",
]
