"""§7 Rollback Procedures, Emergency Procedures: taking the database back."""

from __future__ import annotations

from pydantic import Field

from spec.model.base import Entry, Sectioned


class SearchedTable(Entry):
    """A table whose vectors are searched: its key, the column, and pgvector's operator of distance."""

    table: str
    key: str
    column: str
    operator: str = "<=>"


class Backups(Sectioned):
    """§7 Database Rollback: a dump can be restored, completely and soon enough.

    More than `restore_most_mb` is not restored in a drill. A dump is given up after `dump_seconds`, a restore after
    `restore_seconds`; what a restore may take is `seconds` and `seconds_per_mb` for each megabyte of the database. `kinds` of
    things must come back as they were: those that a dump of one schema holds. Of each table in `searched` some rows (`sample`:
    how many, and with how many neighbours each) are searched for; of the exact neighbours the index finds at least `recall`.
    """

    restore_most_mb: float = Field(gt=0)
    dump_seconds: float = Field(gt=0)
    restore_seconds: float = Field(gt=0)
    seconds: float = Field(gt=0)
    seconds_per_mb: float = Field(gt=0)
    kinds: list[str] = Field(min_length=1)
    searched: list[SearchedTable] = []
    sample: tuple[int, int] = (5, 5)
    recall: float = Field(gt=0, le=1, default=0.9)

    def seconds_for(self, megabytes: float) -> float:
        """What the restore of a database of this size may take."""
        return self.seconds + self.seconds_per_mb * megabytes


class WaysBack(Sectioned):
    """§7 Database Rollback: how a release's migrations are taken back.

    The way back of the migration FOLDER/NAME.sql is `folder`/NAME.sql. One without is named in `folder`/`irreversible`, a TOML
    file of versions with reasons: its way back is the backup. Code and schema of two releases meet for at most
    `deploy_seconds`: within them a document must be complete.
    """

    folder: str
    irreversible: str
    deploy_seconds: float = Field(gt=0)
