"""Types of a specification file; a value of another form is refused by name."""

from spec.model.audit import Audit, Production, Reported
from spec.model.base import Entry, Sectioned
from spec.model.behaviour import Chat, Health, Limits, Monitoring, Security
from spec.model.calls import Call, Case, Endpoint, Vendor, VendorCall
from spec.model.database import Database, Index, Roles, Table, Vectors
from spec.model.harness import Harness, Part, Prerequisite, Setting
from spec.model.load import Load, LoadTask, LoadThresholds, Profile, Regression, Segment, Stress, WorkerLoad
from spec.model.pipeline import DocumentKind, Fact, Pipeline, PipelineTables, States, Webhook
from spec.model.probes import Probes, TokenRules
from spec.model.readings import Readings
from spec.model.running import Budget, BudgetLimits, BudgetPrices, Contract, Safety, Sampling, Target
from spec.model.services import Identity, Meta, Networking, Patience, Placeholders, Platform, Service, Spellings, Variable
from spec.model.specification import ChecklistItem, NotSpecified, Specification
from spec.model.supabase import (
    Linters,
    Migrations,
    Project,
    ProjectBackups,
    ProjectSetting,
    RowSecurity,
    SecuredTable,
)

__all__ = [
    "Audit",
    "Budget",
    "BudgetLimits",
    "BudgetPrices",
    "Call",
    "Case",
    "Chat",
    "ChecklistItem",
    "Contract",
    "Database",
    "DocumentKind",
    "Endpoint",
    "Entry",
    "Fact",
    "Harness",
    "Health",
    "Identity",
    "Index",
    "Limits",
    "Linters",
    "Load",
    "LoadTask",
    "LoadThresholds",
    "Meta",
    "Migrations",
    "Monitoring",
    "Networking",
    "NotSpecified",
    "Part",
    "Patience",
    "Pipeline",
    "PipelineTables",
    "Placeholders",
    "Platform",
    "Prerequisite",
    "Probes",
    "Production",
    "Profile",
    "Project",
    "ProjectBackups",
    "ProjectSetting",
    "Readings",
    "Regression",
    "Reported",
    "Roles",
    "RowSecurity",
    "Safety",
    "Sampling",
    "Sectioned",
    "SecuredTable",
    "Security",
    "Segment",
    "Service",
    "Setting",
    "Specification",
    "Spellings",
    "States",
    "Stress",
    "Table",
    "Target",
    "TokenRules",
    "Variable",
    "Vectors",
    "Vendor",
    "VendorCall",
    "Webhook",
    "WorkerLoad",
]
