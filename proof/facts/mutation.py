"""One changed fact of a deployment."""

from __future__ import annotations

from dataclasses import dataclass, field

ENVIRONMENT = "acceptance/predeploy/test_environment_variables.py"
SCHEMA = "acceptance/predeploy/test_database_configuration.py"
ACCESS = "acceptance/predeploy/test_database_access.py"
BUILDS = "acceptance/predeploy/test_service_builds.py"
DETAILS = "acceptance/predeploy/test_service_details.py"
KEYS = "acceptance/predeploy/test_api_keys.py"
NETWORK = "acceptance/security/test_network.py"
CONNECTIVITY = "acceptance/postdeploy/test_database_connectivity.py"
ENDPOINTS = "acceptance/postdeploy/test_api_endpoints.py"
UPLOADS = "acceptance/postdeploy/test_api_uploads.py"
# Parts that can be run by themselves.
PARTS = ("variables", "schema", "network", "limits", "builds")


@dataclass
class Mutation:
    """One changed fact: how the twin (or the declared environment) is changed, and the module of checks that covers it.

    `twin` are arguments of `python -m twin up`; `env` are variables by service, None for one that is missing.
    """

    label: str
    part: str
    suite: str
    twin: list[str] = field(default_factory=list)
    env: dict[str, dict[str, str | None]] = field(default_factory=dict)
    exit_code: int = 0
    red: list[str] = field(default_factory=list)

    @property
    def is_killed(self) -> bool:
        """Whether a check turned red, or the run was refused by name."""
        return bool(self.red) or (self.part == "variables" and self.exit_code in (4, 6))
