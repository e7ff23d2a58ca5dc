"""Registers the gate's plugins; each of them has one concern."""

pytest_plugins = [
    "gate.options",
    "gate.plugin",
    "gate.checks",
    "gate.again",
    "gate.observers.plugin",
    "fixtures.plugin",
    "fixtures.resources",
    "fixtures.monitoring_resources",
    "fixtures.recovery.resources",
    "fixtures.rollback.resources",
    "fixtures.document_runs",
    "fixtures.planted",
    "fixtures.upload_ways",
    "fixtures.upload_names",
    "fixtures.unsent",
    "fixtures.queue.resources",
    "fixtures.contract",
    "fixtures.access.resources",
    "fixtures.drills.resources",
    "reports.plugin",
]
