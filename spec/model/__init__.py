"""Types of a specification file; a value of another form is refused by name."""

from spec.model.base import Entry, Sectioned
from spec.model.behaviour import Chat, Health, Limits, Monitoring, Security
from spec.model.builds import Accepted, Audit, Builds, Lint
from spec.model.calls import Call, Case, Endpoint, Vendor, VendorCall
from spec.model.database import Database, Index, Roles, Table, Vectors
from spec.model.external import ExternalApis, ExternalVendor, Headroom, Owner, Price, RoundTrip
from spec.model.harness import Harness, Part, Prerequisite, Setting
from spec.model.load import Load, LoadTask, LoadThresholds, Profile, Regression, Segment, Stress, WorkerLoad
from spec.model.pipeline import DocumentKind, Fact, Pipeline, PipelineTables, States, Webhook
from spec.model.probes import Probes, TokenRules
from spec.model.readings import Readings
from spec.model.running import Budget, BudgetLimits, BudgetPrices, Contract, Safety, Sampling, Target
from spec.model.services import Identity, Meta, Networking, Placeholders, Platform, Service, Spellings, Variable
from spec.model.specification import ChecklistItem, NotSpecified, Specification

__all__ = [
    "Accepted",
    "Audit",
    "Budget",
    "BudgetLimits",
    "BudgetPrices",
    "Builds",
    "Call",
    "Case",
    "Chat",
    "ChecklistItem",
    "Contract",
    "Database",
    "DocumentKind",
    "Endpoint",
    "Entry",
    "ExternalApis",
    "ExternalVendor",
    "Fact",
    "Harness",
    "Headroom",
    "Health",
    "Identity",
    "Index",
    "Limits",
    "Lint",
    "Load",
    "LoadTask",
    "LoadThresholds",
    "Meta",
    "Monitoring",
    "Networking",
    "NotSpecified",
    "Owner",
    "Part",
    "Pipeline",
    "PipelineTables",
    "Placeholders",
    "Platform",
    "Prerequisite",
    "Price",
    "Probes",
    "Profile",
    "Readings",
    "Regression",
    "Roles",
    "RoundTrip",
    "Safety",
    "Sampling",
    "Sectioned",
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
