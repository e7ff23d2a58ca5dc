"""The whole file."""

from __future__ import annotations

from pydantic import Field, model_validator

from spec.model.access import Access
from spec.model.accounts import AccountRules
from spec.model.base import Entry
from spec.model.behaviour import Chat, Health, Limits, Monitoring, Security
from spec.model.calls import Case, Endpoint, Vendor, VendorCall
from spec.model.chaos import Chaos
from spec.model.database import Database, Roles, Vectors
from spec.model.drills import Drills
from spec.model.endurance import Endurance
from spec.model.harness import Harness
from spec.model.live import LivePlatform, NotSpecified, there
from spec.model.load import Load
from spec.model.observing import ObserverRule, Observing
from spec.model.pipeline import DocumentKind, Fact, Pipeline, Webhook
from spec.model.probes import Probes, TokenRules
from spec.model.readings import Readings
from spec.model.retrieval import Retrieval
from spec.model.running import Budget, Contract, Safety, Sampling, Target
from spec.model.services import Identity, Meta, Networking, Placeholders, Platform, Service, Spellings, Variable
from spec.model.uploads import Uploads


class ChecklistItem(Entry):
    """§8 (and §6): one line of a checklist."""

    id: str
    suite: str
    title: str


class Specification(LivePlatform):
    """Facts of one system. Sections that a system may lack are read through properties that raise NotSpecified."""

    meta: Meta
    # Known failure modes: id and what went wrong.
    failure_modes: dict[str, str] = {}
    services: dict[str, Service] = Field(min_length=1)
    variables: dict[str, Variable]
    harness: Harness
    placeholders: Placeholders
    readings: Readings = Readings()
    networking: Networking
    identity: Identity
    health: Health
    monitoring: Monitoring
    security: Security
    endpoints: list[Endpoint] = Field(min_length=1)
    cases: list[Case] = []
    vendors: dict[str, Vendor] = {}
    probes: Probes
    spellings: Spellings = Spellings()
    safety: Safety
    budget: Budget
    sampling: Sampling
    targets: dict[str, Target]
    checklist: list[ChecklistItem]
    coverage: dict[str, str]
    not_checkable: dict[str, str]
    covered_by: dict[str, list[str]] = {}
    documents: dict[str, DocumentKind] = {}
    facts: list[Fact] = []
    observers: list[ObserverRule] = []
    observing: Observing = Observing()
    database_section: Database | None = Field(default=None, alias="database")
    platform_section: Platform | None = Field(default=None, alias="platform")
    vectors_section: Vectors | None = Field(default=None, alias="vectors")
    roles_section: Roles | None = Field(default=None, alias="roles")
    pipeline_section: Pipeline | None = Field(default=None, alias="pipeline")
    limits_section: Limits | None = Field(default=None, alias="limits")
    uploads_section: Uploads | None = Field(default=None, alias="uploads")
    chat_section: Chat | None = Field(default=None, alias="chat")
    tokens_section: TokenRules | None = Field(default=None, alias="tokens")
    webhook_section: Webhook | None = Field(default=None, alias="webhook")
    contract_section: Contract | None = Field(default=None, alias="contract")
    accounts_section: AccountRules | None = Field(default=None, alias="accounts")
    endurance_section: Endurance | None = Field(default=None, alias="endurance")
    load_section: Load | None = Field(default=None, alias="load")
    drills_section: Drills | None = Field(default=None, alias="drills")
    chaos_section: Chaos | None = Field(default=None, alias="chaos")
    access_section: Access | None = Field(default=None, alias="access")
    retrieval_section: Retrieval | None = Field(default=None, alias="retrieval")

    @classmethod
    def sections(cls) -> frozenset[str]:
        """Names of all sections that a file may have."""
        return frozenset(field.alias or name for name, field in cls.model_fields.items())

    def has(self, section: str) -> bool:
        """Whether this system has what a section describes; raises KeyError for a section that no file has."""
        if section not in self.sections():
            raise KeyError(section)
        return bool(getattr(self, section if section in type(self).model_fields else f"{section}_section"))

    @property
    def database(self) -> Database:
        """§3 Database Dependencies; raises NotSpecified."""
        return there(self.database_section, "database")

    @property
    def platform(self) -> Platform:
        """§1, §2: how the host describes services; raises NotSpecified."""
        return there(self.platform_section, "platform")

    @property
    def vectors(self) -> Vectors:
        """contract: Database (pgvector); raises NotSpecified."""
        return there(self.vectors_section, "vectors")

    @property
    def roles(self) -> Roles:
        """contract: Database (row-level security); raises NotSpecified."""
        return there(self.roles_section, "roles")

    @property
    def pipeline(self) -> Pipeline:
        """contract: Worker, Storage; raises NotSpecified."""
        return there(self.pipeline_section, "pipeline")

    @property
    def limits(self) -> Limits:
        """contract: limits of uploads; raises NotSpecified."""
        return there(self.limits_section, "limits")

    @property
    def uploads(self) -> Uploads:
        """contract: uploads to the byte; raises NotSpecified."""
        return there(self.uploads_section, "uploads")

    @property
    def chat(self) -> Chat:
        """contract: RAG and chat; raises NotSpecified."""
        return there(self.chat_section, "chat")

    @property
    def retrieval(self) -> Retrieval:
        """contract: RAG, measured; raises NotSpecified."""
        return there(self.retrieval_section, "retrieval")

    @property
    def tokens(self) -> TokenRules:
        """contract: Auth: what access tokens and keys hold; raises NotSpecified."""
        return there(self.tokens_section, "tokens")

    @property
    def webhook(self) -> Webhook:
        """contract: HTTP API (webhook); raises NotSpecified."""
        return there(self.webhook_section, "webhook")

    @property
    def contract(self) -> Contract:
        """Requests generated from openapi.json; raises NotSpecified."""
        return there(self.contract_section, "contract")

    @property
    def accounts(self) -> AccountRules:
        """What is tried with accounts of the run's own; raises NotSpecified."""
        return there(self.accounts_section, "accounts")

    @property
    def endurance(self) -> Endurance:
        """§5: what only shows after a while; raises NotSpecified."""
        return there(self.endurance_section, "endurance")

    @property
    def load(self) -> Load:
        """Load on the services; raises NotSpecified."""
        return there(self.load_section, "load")

    @property
    def drills(self) -> Drills:
        """§3, §7: what is broken on purpose, and what is promised all the same; raises NotSpecified."""
        return there(self.drills_section, "drills")

    @property
    def chaos(self) -> Chaos:
        """§3, §7: many users work while parts are broken at random; raises NotSpecified."""
        return there(self.chaos_section, "chaos")

    @property
    def access(self) -> Access:
        """§6: who may ask for what of whose; raises NotSpecified."""
        return there(self.access_section, "access")

    @model_validator(mode="after")
    def _consistent(self) -> Specification:
        for name, variable in self.variables.items():
            if variable.of is not None and variable.of not in self.variables:
                raise ValueError(f"variables.{name}.of names {variable.of!r}, which is not a variable")
            if unknown := set(variable.services) - self.services.keys():
                raise ValueError(f"variables.{name}.services names {', '.join(sorted(unknown))}, which is not a service")
        for section, key in self.coverage.items():
            if key.partition(".")[0] not in self.sections():
                raise ValueError(f"coverage.{section!r} names {key!r}, which is not an entry")
        for case in self.cases:
            if not self.has_endpoint(case.endpoint):
                raise ValueError(f"cases: {case.name!r} names endpoint {case.endpoint!r}, which is not an endpoint")
            if case.answer != "success" and case.answer not in self.endpoint(case.endpoint).errors:
                raise ValueError(f"cases: {case.name!r} names {case.answer!r}, which is no error of {case.endpoint!r}")
        for endpoint in self.endpoints:
            if endpoint.auth == "bearer" and "unauthorized" not in endpoint.errors:
                raise ValueError(f"endpoints.{endpoint.name}.errors needs 'unauthorized'")
        if self.chat_section is not None and (unknown := self.chat_section.error_parts.keys() - self.harness.parts.keys()):
            raise ValueError(f"chat.error_parts names {', '.join(sorted(unknown))}, which is no part")
        if self.load_section is not None:
            for name, task in self.load_section.tasks.items():
                if task.target not in self.targets:
                    raise ValueError(f"load.tasks.{name}.target names {task.target!r}, which is not a target")
        ids = [item.id for item in self.checklist]
        if len(ids) != len(set(ids)):
            raise ValueError("checklist: an id stands twice")
        return self

    @model_validator(mode="after")
    def _calendar_is_known(self) -> Specification:
        known = {item.id for item in self.checklist}
        for name, review in self.calendar.items():
            if unknown := [item for item in review.items if item not in known]:
                raise ValueError(f"calendar.{name}.items names {', '.join(unknown)}, which is no item of the checklist")
        if self.calendar and self.history_section is None:
            raise ValueError("calendar needs the section history")
        return self

    @property
    def service(self) -> str:
        """Name of the service that answers HTTP: the first one."""
        return next(iter(self.services))

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint of this name; raises KeyError."""
        for endpoint in self.endpoints:
            if endpoint.name == name:
                return endpoint
        raise KeyError(name)

    def has_endpoint(self, name: str) -> bool:
        """Whether this system has an endpoint of this name."""
        return any(endpoint.name == name for endpoint in self.endpoints)

    def call(self, vendor: str, name: str) -> VendorCall:
        """A vendor's request by name; raises NotSpecified for a vendor that this system does not have, and KeyError."""
        if vendor not in self.vendors:
            raise NotSpecified(f"vendors.{vendor}")
        return self.vendors[vendor].calls[name]

    @property
    def version(self) -> str | None:
        """The version that the release must say of itself."""
        return self.variables[self.identity.version_variable].value

    def variables_of(self, service: str) -> dict[str, Variable]:
        """The variables that a service must have."""
        return {name: v for name, v in self.variables.items() if service in v.services}
