"""What the channels of one project share: the hub of their messages, and the changes of the database."""

from __future__ import annotations

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.realtime_changes import Changes
from twin.doubles.supabase.realtime_hub import Hub


class Feed:
    """Everything that the channels of one project share."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.hub = Hub()
        self.changes = Changes(project, self.hub)

    async def start(self) -> None:
        """Nothing is read before the first channel asks for it."""

    async def stop(self) -> None:
        """Stop reading the database's log."""
        await self.changes.stop()
