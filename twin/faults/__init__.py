"""The faults of the navigator's twin, one module for each part that they break."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twin.changes import Fault, UnknownId, find_in, in_order, mode_of, register
from twin.plan import Plan

FAMILIES = (
    "configuration",
    "database",
    "storage",
    "api",
    "pipeline",
    "auth",
    "chat",
    "worker",
    "vendors",
    "network",
    "host",
    "field",
    "field_network",
    "strangers",
    "strangers_api",
    "strangers_two",
    "strangers_two_contract",
    "strangers_three",
    "strangers_three_contract",
    "live_supabase",
    "live_updates",
    "live_transport",
    "live_audit",
    "live_monitoring",
    "live_monitoring_database",
    "live_external",
    "live_builds",
    "resilience_state",
    "resilience_drills",
    "resilience_common",
    "resilience_services",
    "resilience_queue",
    "resilience_releases",
    "resilience_database",
    "resilience_classes",
    "stranger_resilience",
    "stranger_resilience_jobs",
    "nothing_observed",
    "nothing_promised",
    "nothing_access",
    "nothing_access_data",
    "nothing_uploads",
    "nothing_uploads_again",
    "nothing_edges",
    "nothing_queue",
    "nothing_retrieval",
    "nothing_accounts",
    "nothing_accounts_rest",
    "nothing_answers",
    "nothing_answers_again",
    "nothing_further",
    "stranger_nothing",
    "stranger_nothing_more",
    "stranger_slips",
    "stranger_slips_more",
    "stranger_second",
    "stranger_second_more",
    "stranger_slips_second",
    "stranger_slips_second_more",
    "stranger_slips_second_rest",
    "stranger_third",
    "stranger_third_more",
    "stranger_slips_third",
    "stranger_slips_third_more",
    "stranger_fourth",
    "stranger_fourth_more",
    "stranger_slips_fourth",
    "stranger_slips_fourth_more",
    "stranger_fifth",
    "stranger_fifth_more",
    "stranger_slips_fifth",
    "stranger_slips_fifth_more",
    "audit_queue",
    "audit_queue_more",
    "audit_queue_rest",
    "stranger_sixth",
    "stranger_sixth_more",
    "stranger_slips_sixth",
    "stranger_slips_sixth_more",
    "audit_access",
    "audit_access_more",
    "audit_access_rest",
    "stranger_seventh",
    "stranger_seventh_more",
    "stranger_slips_seventh",
    "stranger_slips_seventh_more",
    "audit_seventh_api",
    "audit_seventh_api_more",
    "audit_seventh_data",
    "audit_seventh_rows",
    "audit_seventh_work",
    "audit_seventh_work_more",
    "stranger_eighth",
    "stranger_eighth_more",
    "stranger_slips_eighth",
    "stranger_slips_eighth_more",
    "stranger_ninth",
    "stranger_ninth_more",
    "stranger_slips_ninth",
    "stranger_slips_ninth_more",
    "audit_ninth_api",
    "audit_ninth_api_more",
    "audit_ninth_work",
    "audit_ninth_work_more",
    "audit_tenth_chat",
    "audit_tenth_api",
    "audit_eleventh_data",
    "audit_eleventh_data_more",
    "audit_eleventh_data_rest",
    "audit_eleventh_work",
    "audit_eleventh_work_more",
    "audit_twelfth_work",
    "audit_twelfth_work_more",
    "audit_fourteenth_names",
    "audit_thirteenth_api",
    "audit_thirteenth_api_more",
    "audit_thirteenth_api_rest",
    "audit_twelfth_access",
    "audit_twelfth_access_data",
    "audit_twelfth_access_sessions",
    "stranger_slips_tenth",
    "stranger_slips_tenth_more",
    "stranger_tenth",
    "stranger_tenth_more",
    "stranger_eleventh",
    "stranger_eleventh_more",
    "stranger_slips_eleventh",
    "stranger_slips_eleventh_more",
    "stranger_twelfth",
    "stranger_twelfth_more",
    "stranger_slips_twelfth",
    "stranger_slips_twelfth_more",
    "audit_thirteenth_names",
    "audit_thirteenth_names_more",
    "audit_thirteenth_work",
    "stranger_slips_thirteenth",
    "stranger_slips_thirteenth_more",
    "stranger_thirteenth",
    "stranger_thirteenth_more",
    "stranger_thirteenth_n",
    "stranger_thirteenth_n_more",
    "stranger_thirteenth_u",
    "stranger_thirteenth_u_more",
    "whole_classes",
    "stranger_fourteenth",
    "stranger_fourteenth_more",
    "stranger_slips_fourteenth",
    "stranger_slips_fourteenth_more",
    "stranger_fifteenth",
    "stranger_fifteenth_more",
    "stranger_slips_fifteenth",
    "stranger_slips_fifteenth_more",
)
REGISTRY: dict[str, Fault[Plan]] = {}
UnknownFault = UnknownId


def fault(
    id: str,
    title: str,
    component: str,
    *suites: str,
    mode: str | None = None,
    about: str,
    log: str = "",
    silent: tuple[str, ...] = (),
) -> Callable[[Callable[[Plan], None]], None]:
    """Register the decorated function as a fault; raises CatalogueError when it is malformed.

    `mode` is its failure mode, by default its id; `about` names what is broken, `log` the line of a service's log that
    tells the cause, in all suites but the `silent` ones (twin.changes.Fault).
    """

    def decorate(apply: Callable[[Plan], None]) -> None:
        apply.__doc__ = f"{title}."
        made = Fault(id, title, apply, component, suites, mode=mode_of(id, mode), subject=about, log=log, silent=silent)
        register(REGISTRY, made)

    return decorate


def find(ids: Iterable[str]) -> list[Fault[Plan]]:
    """The faults of these ids; raises UnknownFault naming the first unknown one."""
    return find_in(REGISTRY, ids, "faults")


def change_for(faults: Iterable[Fault[Plan]]) -> Callable[[Plan], None]:
    """One change of the plan that applies all faults in order."""
    return in_order(faults)
