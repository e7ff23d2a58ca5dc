"""Types of a specification file; a value of another form is refused by name."""

from spec.model.access import Access, AccessCell, AccessRule, Risk, What, Who
from spec.model.accounts import AccountRules, SignInTime
from spec.model.audit import Audit, Production, Reported
from spec.model.base import Entry, Sectioned
from spec.model.behaviour import Chat, Health, Limits, Monitoring, Security
from spec.model.builds import Accepted, Builds, Lint, PackageAudit
from spec.model.calendar import History, Review, Shifts
from spec.model.calls import Call, Case, Endpoint, Vendor, VendorCall
from spec.model.chaos import Chaos, ChaosClients, Charged, RandomBreak, Repeat, SentKind
from spec.model.database import Database, Index, Roles, Table, Vectors
from spec.model.drill_actions import Action, Ask, Await, AwaitCircuit, CallEndpoint, Documents, SendCallback, SignIn
from spec.model.drills import Break, Drill, Drills, Promise
from spec.model.endurance import Endurance, Growing, Pauses, RequestLimit
from spec.model.evidence import Evidence
from spec.model.external import ExternalApis, ExternalVendor, Headroom, Owner, Price, RoundTrip
from spec.model.harness import Harness, Part, Prerequisite, Setting
from spec.model.live import NotSpecified
from spec.model.load import Load, LoadTask, LoadThresholds, Profile, Regression, Segment, Stress, WorkerLoad
from spec.model.monitoring import Bound, Figures
from spec.model.observing import GrowthRule, InsidePattern, ObserverRule, Observing
from spec.model.pipeline import DocumentKind, Fact, Pipeline, PipelineTables, States, Webhook
from spec.model.probes import Probes, TokenRules
from spec.model.queue import Queue
from spec.model.readings import Readings
from spec.model.recovery import Backups, SearchedTable, WaysBack
from spec.model.recovery_times import RecoveryTarget, RecoveryTimes
from spec.model.resilience import CircuitRules, Deadlines, JobRules, Resilience, RouterRules
from spec.model.retrieval import ConversationTrial, PlantedPassages, Providers, Retrieval, Trial
from spec.model.rollback import Defect, Procedure, ProjectStates, Rehearsal, Rollback, RollbackStep
from spec.model.running import Budget, BudgetLimits, BudgetPrices, Contract, Safety, Sampling, Target
from spec.model.services import Identity, Meta, Networking, Patience, Placeholders, Platform, Service, Spellings, Variable
from spec.model.specification import ChecklistItem, Specification
from spec.model.steady_state import Invariant, PartName, ProbedPart, SteadyState
from spec.model.supabase import (
    Linters,
    Migrations,
    Project,
    ProjectBackups,
    ProjectSetting,
    RowSecurity,
    SecuredTable,
)
from spec.model.transport import DatabaseTls, HeaderRule, Headers, Hsts, PlainHttp, Scanner, Tls, TlsHost, WeakCiphers
from spec.model.updates import Updates
from spec.model.uploads import Uploads

__all__ = [
    "Accepted",
    "Access",
    "AccessCell",
    "AccessRule",
    "AccountRules",
    "Action",
    "Ask",
    "Audit",
    "Await",
    "AwaitCircuit",
    "Backups",
    "Bound",
    "Break",
    "Budget",
    "BudgetLimits",
    "BudgetPrices",
    "Builds",
    "Call",
    "CallEndpoint",
    "Case",
    "Chaos",
    "ChaosClients",
    "Charged",
    "Chat",
    "ChecklistItem",
    "CircuitRules",
    "Contract",
    "ConversationTrial",
    "Database",
    "DatabaseTls",
    "Deadlines",
    "Defect",
    "DocumentKind",
    "Documents",
    "Drill",
    "Drills",
    "Endpoint",
    "Endurance",
    "Entry",
    "Evidence",
    "ExternalApis",
    "ExternalVendor",
    "Fact",
    "Figures",
    "Growing",
    "GrowthRule",
    "Harness",
    "HeaderRule",
    "Headers",
    "Headroom",
    "Health",
    "History",
    "Hsts",
    "Identity",
    "Index",
    "InsidePattern",
    "Invariant",
    "JobRules",
    "Limits",
    "Lint",
    "Linters",
    "Load",
    "LoadTask",
    "LoadThresholds",
    "Meta",
    "Migrations",
    "Monitoring",
    "Networking",
    "NotSpecified",
    "ObserverRule",
    "Observing",
    "Owner",
    "PackageAudit",
    "Part",
    "PartName",
    "Patience",
    "Pauses",
    "Pipeline",
    "PipelineTables",
    "Placeholders",
    "PlainHttp",
    "PlantedPassages",
    "Platform",
    "Prerequisite",
    "Price",
    "ProbedPart",
    "Probes",
    "Procedure",
    "Production",
    "Profile",
    "Project",
    "ProjectBackups",
    "ProjectSetting",
    "ProjectStates",
    "Promise",
    "Providers",
    "Queue",
    "RandomBreak",
    "Readings",
    "RecoveryTarget",
    "RecoveryTimes",
    "Regression",
    "Rehearsal",
    "Repeat",
    "Reported",
    "RequestLimit",
    "Resilience",
    "Retrieval",
    "Review",
    "Risk",
    "Roles",
    "Rollback",
    "RollbackStep",
    "RoundTrip",
    "RouterRules",
    "RowSecurity",
    "Safety",
    "Sampling",
    "Scanner",
    "SearchedTable",
    "Sectioned",
    "SecuredTable",
    "Security",
    "Segment",
    "SendCallback",
    "SentKind",
    "Service",
    "Setting",
    "Shifts",
    "SignIn",
    "SignInTime",
    "Specification",
    "Spellings",
    "States",
    "SteadyState",
    "Stress",
    "Table",
    "Target",
    "Tls",
    "TlsHost",
    "TokenRules",
    "Trial",
    "Updates",
    "Uploads",
    "Variable",
    "Vectors",
    "Vendor",
    "VendorCall",
    "WaysBack",
    "WeakCiphers",
    "Webhook",
    "What",
    "Who",
    "WorkerLoad",
]
