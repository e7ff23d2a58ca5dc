"""Sections about the live platform: what is audited, monitored, reviewed and kept."""

from __future__ import annotations

from typing import TypeVar

from pydantic import Field

from spec.model.audit import Audit
from spec.model.base import Entry
from spec.model.builds import Builds
from spec.model.calendar import History, Review
from spec.model.evidence import Evidence
from spec.model.external import ExternalApis
from spec.model.monitoring import Figures
from spec.model.queue import Queue
from spec.model.recovery import Backups, WaysBack
from spec.model.recovery_times import RecoveryTimes
from spec.model.resilience import Resilience
from spec.model.rollback import Rollback
from spec.model.steady_state import Invariant, SteadyState
from spec.model.supabase import Linters, Migrations, Project, RowSecurity
from spec.model.transport import Headers, Tls
from spec.model.updates import Updates

T = TypeVar("T")


class NotSpecified(LookupError):
    """The specification has no such section: this system does not have what it describes."""


class LivePlatform(Entry):
    """Sections that a system may lack; they are read through properties that raise NotSpecified."""

    migrations_section: Migrations | None = Field(default=None, alias="migrations")
    linters_section: Linters | None = Field(default=None, alias="linters")
    row_security_section: RowSecurity | None = Field(default=None, alias="row_security")
    project_section: Project | None = Field(default=None, alias="project")
    tls_section: Tls | None = Field(default=None, alias="tls")
    headers_section: Headers | None = Field(default=None, alias="headers")
    audit_section: Audit | None = Field(default=None, alias="audit")
    evidence_section: Evidence | None = Field(default=None, alias="evidence")
    figures_section: Figures | None = Field(default=None, alias="figures")
    history_section: History | None = Field(default=None, alias="history")
    updates_section: Updates | None = Field(default=None, alias="updates")
    builds_section: Builds | None = Field(default=None, alias="builds")
    external_apis_section: ExternalApis | None = Field(default=None, alias="external_apis")
    rollback_section: Rollback | None = Field(default=None, alias="rollback")
    backups_section: Backups | None = Field(default=None, alias="backups")
    ways_back_section: WaysBack | None = Field(default=None, alias="ways_back")
    steady_state_section: SteadyState | None = Field(default=None, alias="steady_state")
    invariants: list[Invariant] = []
    resilience_section: Resilience | None = Field(default=None, alias="resilience")
    queue_section: Queue | None = Field(default=None, alias="queue")
    recovery_section: RecoveryTimes | None = Field(default=None, alias="recovery")
    calendar: dict[str, Review] = {}

    @property
    def queue(self) -> Queue:
        """contract: Worker: what is promised of the queue over time; raises NotSpecified."""
        return there(self.queue_section, "queue")

    @property
    def migrations(self) -> Migrations:
        """§3: what the release's migrations make; raises NotSpecified."""
        return there(self.migrations_section, "migrations")

    @property
    def linters(self) -> Linters:
        """§9 Security Review: linters of others; raises NotSpecified."""
        return there(self.linters_section, "linters")

    @property
    def row_security(self) -> RowSecurity:
        """contract: Database (row-level security): who may do what; raises NotSpecified."""
        return there(self.row_security_section, "row_security")

    @property
    def project(self) -> Project:
        """§3 Supabase: the project; raises NotSpecified."""
        return there(self.project_section, "project")

    @property
    def tls(self) -> Tls:
        """§6 Network Security: what handshakes must show; raises NotSpecified."""
        return there(self.tls_section, "tls")

    @property
    def headers(self) -> Headers:
        """§6 Network Security: headers of answers; raises NotSpecified."""
        return there(self.headers_section, "headers")

    @property
    def audit(self) -> Audit:
        """§9 Configuration Audit; raises NotSpecified."""
        return there(self.audit_section, "audit")

    @property
    def evidence(self) -> Evidence:
        """§5, §10: what is read of the platform where something is wrong; raises NotSpecified."""
        return there(self.evidence_section, "evidence")

    @property
    def figures(self) -> Figures:
        """§5: figures of the platform and of the database; raises NotSpecified."""
        return there(self.figures_section, "figures")

    @property
    def history(self) -> History:
        """§9: what is kept of runs, and what is a change; raises NotSpecified."""
        return there(self.history_section, "history")

    @property
    def updates(self) -> Updates:
        """§9 Update Procedures; raises NotSpecified."""
        return there(self.updates_section, "updates")

    @property
    def builds(self) -> Builds:
        """§1, §2, §9: how builds are reviewed; raises NotSpecified."""
        return there(self.builds_section, "builds")

    @property
    def external_apis(self) -> ExternalApis:
        """§3, §6: keys, limits and prices of external APIs; raises NotSpecified."""
        return there(self.external_apis_section, "external_apis")

    @property
    def rollback(self) -> Rollback:
        """§7: rollback, restart, reset and recovery; raises NotSpecified."""
        return there(self.rollback_section, "rollback")

    @property
    def backups(self) -> Backups:
        """§7 Database Rollback: dumps and their restore; raises NotSpecified."""
        return there(self.backups_section, "backups")

    @property
    def ways_back(self) -> WaysBack:
        """§7 Database Rollback: migrations forward and back; raises NotSpecified."""
        return there(self.ways_back_section, "ways_back")

    @property
    def steady_state(self) -> SteadyState:
        """§3, §7: what is normal, and what holds of stored data; raises NotSpecified."""
        return there(self.steady_state_section, "steady_state")

    @property
    def resilience(self) -> Resilience:
        """§3: circuit breakers, service router, degradation manager; raises NotSpecified."""
        return there(self.resilience_section, "resilience")

    @property
    def recovery(self) -> RecoveryTimes:
        """§7: how soon all is normal again; raises NotSpecified."""
        return there(self.recovery_section, "recovery")


def there(section: T | None, name: str) -> T:
    """The section; raises NotSpecified where the system lacks it."""
    if section is None:
        raise NotSpecified(name)
    return section
