"""From facts to causes: rules that are proven, clusters of equal facts, and what the dependency graph explains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from reports.facts import Good, of_blocked, of_failures, of_passes
from reports.graph import Graph
from reports.model import Check, Fact, Finding
from reports.rules import Condition, Rule, Rules
from reports.suspects import Suspects
from spec import Specification
from spec.codes import declared
from spec.model import Prerequisite

# A response of the main service explains what lies downstream only when it was seen at so many endpoints.
WIDE = 4


class Diagnosis:
    """Assigns every failed or blocked check to exactly one finding.

    `error_of` returns the kind of error that made a prerequisite unavailable, or None where it is not; `more` are facts that no
    check saw.
    """

    def __init__(
        self,
        checks: Iterable[Check],
        rules: Rules,
        spec: Specification,
        error_of: Callable[[str], str | None],
        more: Sequence[Fact] = (),
    ) -> None:
        self._checks = list(checks)
        self._rules = rules
        self._codes = declared()
        # The file of codes begins with the most fundamental.
        self._place = {code: number for number, code in enumerate(self._codes.codes)}
        self._graph = Graph(spec)
        self._spec = spec
        self.facts = of_failures(self._checks) + of_blocked(self._checks, spec, error_of) + list(more)
        self._good = of_passes(self._checks)
        self._pool = list(self.facts)
        self._endpoint_needs = {endpoint.subject: frozenset(endpoint.needs) for endpoint in spec.endpoints}
        self._suspects = Suspects(self._checks, spec.service, self._endpoint_needs)
        self._findings: list[Finding] = []

    def conclude(self) -> list[Finding]:
        """Findings, the worst first."""
        causes = [rule for rule in self._rules.rule if not rule.is_about_symptoms(self._codes)]
        symptoms = [rule for rule in self._rules.rule if rule.is_about_symptoms(self._codes)]
        for rule in causes:
            self._apply(rule)
        for cluster in self._clusters(symptom=False):
            self._add(cluster)
        self._adopt_restated()
        for cluster in self._clusters(symptom=False, restates=True):
            self._add(cluster)
        for finding in list(self._findings):
            self._explain(finding)
        while clusters := self._clusters(symptom=True):
            proven = next((rule for rule in symptoms if self._touches(rule, clusters[0]) and self._holds(rule)), None)
            self._explain(self._apply(proven) if proven is not None else self._add(clusters[0]))
        self._adopt_blocked()
        for finding in self._findings:
            finding.suspected = self._suspected(finding)
        return sorted(self._findings, key=self._order)

    # ── rules ────────────────────────────────────────────────────────────────────────────────────────────

    def _holds(self, rule: Rule) -> bool:
        if not all(any(condition.matches(fact) for fact in self._pool) for condition in rule.all_of):
            return False
        if rule.any_of and not any(condition.matches(fact) for condition in rule.any_of for fact in self._pool):
            return False
        if any(condition.matches(fact) for condition in rule.none_of for fact in self.facts):
            return False
        if any(condition.matches(good) for condition in rule.not_passed for good in self._good):
            return False
        return all(self._is_good(condition.matches) for condition in rule.passed)

    def _is_good(self, matches: Callable[[Fact | Good], bool]) -> bool:
        return any(map(matches, self._good)) and not any(map(matches, self.facts))

    def _usable_parts(self) -> frozenset[str]:
        """Parts that the service says it can use, as a direct request saw too."""
        healths = {part: Condition(code="health.unhealthy", subject=f"part {part}") for part in self._spec.harness.parts}
        return frozenset(part for part, health in healths.items() if self._is_good(health.matches))

    def _touches(self, rule: Rule, cluster: Sequence[Fact]) -> bool:
        return any(condition.matches(fact) for condition in rule.proof() for fact in cluster)

    def _apply(self, rule: Rule) -> Finding | None:
        if not self._holds(rule):
            return None
        proof = [fact for fact in self._pool if any(condition.matches(fact) for condition in rule.proof())]
        subjects = {_last_word(fact.subject) for fact in proof}
        taken = [
            fact
            for fact in self._pool
            if fact not in proof
            and any(c.matches(fact) and (not c.same_subject or subjects & _words_of(fact)) for c in rule.takes)
        ]
        finding = Finding(rule.component or proof[0].component, proof[0].code, proof, rule, taken)
        return self._keep(finding)

    def _suspected(self, finding: Finding) -> list[str]:
        """Failure modes that a fact of a finding speaks for, without proof."""
        if finding.failure_mode or finding.rule is not None:
            return []
        modes = [rule.failure_mode for rule in self._rules.rule if rule.failure_mode and self._touches(rule, finding.facts)]
        return list(dict.fromkeys(modes))

    # ── clusters ─────────────────────────────────────────────────────────────────────────────────────────

    def _adopt_restated(self) -> None:
        """What an audit says again of a subject belongs to the finding that is about it."""
        for finding in self._findings:
            subjects = {fact.subject for fact in finding.facts}
            again = [fact for fact in self._pool if fact.subject in subjects and self._codes.codes[fact.code].restates]
            finding.explained += again
            self._pool = [fact for fact in self._pool if fact not in again]

    def _clusters(self, symptom: bool, restates: bool = False) -> list[list[Fact]]:
        """Facts of the same code, subject and observation together, the most fundamental first."""
        found: dict[tuple[str, str, str], list[Fact]] = {}
        for fact in self._pool:
            code = self._codes.codes[fact.code]
            if code.symptom is symptom and code.restates is restates:
                key = (fact.code, fact.component, "") if code.group == "component" else (fact.code, fact.subject, fact.seen)
                found.setdefault(key, []).append(fact)
        return sorted(found.values(), key=lambda cluster: self._depth(cluster[0]))

    def _depth(self, fact: Fact) -> tuple[int, int]:
        # What an exchange with the service itself shows is the service's, whatever part its check is about.
        part = self._spec.service if fact.subject in self._endpoint_needs else fact.component
        return len(self._graph.needed(part)), self._place[fact.code]

    def _add(self, cluster: list[Fact]) -> Finding:
        component = self._suspects.at(cluster, self._usable_parts()) or cluster[0].component
        return self._keep(Finding(component, cluster[0].code, cluster))

    def _keep(self, finding: Finding) -> Finding:
        taken = [*finding.facts, *finding.explained]
        finding.blocked += [fact.check for fact in taken if fact.is_blocked]
        self._pool = [fact for fact in self._pool if fact not in taken]
        self._findings.append(finding)
        return finding

    # ── the graph ────────────────────────────────────────────────────────────────────────────────────────

    def _spreads(self, finding: Finding) -> str:
        rule, code = finding.rule, self._codes.codes[finding.code]
        if rule is not None and rule.spreads is not None:
            return rule.spreads
        # A symptom at a few endpoints says little about the service; one of the service as a whole does.
        at_few = not self._is_wide(finding) and any(fact.subject in self._endpoint_needs for fact in finding.facts)
        return "" if at_few and code.symptom and finding.component == self._spec.service else code.spreads

    @staticmethod
    def _is_wide(finding: Finding) -> bool:
        return len({fact.subject for fact in finding.facts}) >= WIDE

    def _explain(self, finding: Finding | None) -> None:
        """Take the symptoms that lie downstream of a cause, and nothing else."""
        if finding is None:
            return
        if not (spread := self._spreads(finding)):
            # An endpoint that does not respond as a service does explains everything else that was seen there.
            if self._codes.codes[finding.code].at == "service":
                subjects, own = {fact.subject for fact in finding.facts}, finding.code
                self._take(finding, lambda f: f.subject in subjects and f.code != own and self._is_symptom(f, "outage"))
            return
        causes = self._graph.causes(finding)
        self._take(finding, lambda fact: self._is_symptom(fact, spread) and bool(causes & self._needed(fact)))

    def _take(self, finding: Finding, is_explained: Callable[[Fact], bool]) -> None:
        explained = [fact for fact in self._pool if is_explained(fact)]
        finding.explained += explained
        finding.blocked += [fact.check for fact in explained if fact.is_blocked]
        self._pool = [fact for fact in self._pool if fact not in explained]

    def _needed(self, fact: Fact) -> frozenset[str]:
        """The parts that what failed does not work without."""
        return self._graph.needed(fact.component) | self._endpoint_needs.get(fact.subject, frozenset())

    def _is_symptom(self, fact: Fact, spread: str) -> bool:
        code = self._codes.codes[fact.code]
        return code.symptom and (spread == "outage" or code.harm == "slow" or fact.code == "http.no_answer")

    def _adopt_blocked(self) -> None:
        """What was blocked by a part that works badly belongs to the finding that says why."""
        adopted = {nodeid for finding in self._findings for nodeid in finding.blocked}
        for check in self._checks:
            if check.outcome != "blocked" or check.nodeid in adopted:
                continue
            rule = self._spec.harness.prerequisites.get(check.facts.blocked_by)
            part = rule.part if rule else check.facts.component
            needed = self._graph.needed(part) | frozenset(rule.needs if rule else ())
            finding = self._at_endpoint(rule) or next(
                (f for f in self._findings if self._spreads(f) and self._graph.causes(f) & needed), None
            )
            if finding is None:
                finding = self._add([_unexplained(check, part)])
            if check.nodeid not in finding.blocked:
                finding.blocked.append(check.nodeid)

    def _at_endpoint(self, rule: Prerequisite | None) -> Finding | None:
        """The finding about the endpoint whose success is a prerequisite, or None."""
        if rule is None or not rule.endpoint:
            return None
        subject = self._spec.endpoint(rule.endpoint).subject
        broken = [f for f in self._findings if any(fact.subject == subject for fact in (*f.facts, *f.explained))]
        return next((f for f in broken if self._codes.codes[f.code].symptom or self._spreads(f)), None)

    # ── the order ────────────────────────────────────────────────────────────────────────────────────────

    def _order(self, finding: Finding) -> tuple[int, int, int]:
        """Harm, then reach, then confidence."""
        certain = ("proven", "observed", "likely").index(finding.confidence)
        return self._codes.rank(finding.harm), -finding.reach, certain


def _words_of(fact: Fact) -> set[str]:
    """The path or the name that a fact is about, and the path that was asked."""
    asked = {urlsplit(fact.exchange.url).path} if fact.exchange else set()
    return {_last_word(fact.subject), *asked}


def _last_word(subject: str) -> str:
    """The path of an endpoint, or the name of a variable, whichever service it is of."""
    return subject.rpartition(" ")[2]


def _unexplained(check: Check, part: str) -> Fact:
    detail = {"detail": check.facts.reason}
    name = check.facts.blocked_by or part
    wanted = f"{name} to be available"
    return Fact("part.unavailable", f"part {name}", part, check.nodeid, expected=wanted, observed=detail, is_blocked=True)
