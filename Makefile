# Everything starts here: `make gate` judges a running system, `make test` tests the gate itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest
ARGS   ?=
LOCK   := requirements/lock.txt

.DEFAULT_GOAL := help
.PHONY: rollback-drill help node gate predeploy postdeploy performance contract maintenance daily weekly monthly quarterly updates after-release ci-summary notify review-deployment sweep test quick lock newest faults pairs variants described order conformance mutations coverage soak chaos safety bench load lint report clean

help:
	@echo "make gate         release gate: all suites on the embedded twin (ARGS='--target live --strict' for a deployment)"
	@echo "make test         lint, types and the gate's own tests; make quick: lint and the tests that start no twin, in a minute"
	@echo "make predeploy | postdeploy | performance | contract | maintenance   one suite"
	@echo "make daily | weekly | monthly | quarterly   the checks of the calendar (§9), and what changed since the last run; make updates: what can be updated"
	@echo "make after-release RELEASE=COMMIT   wait until it is live, then post-deploy and a short load; make sweep: leftovers"
	@echo "make faults       every known failure mode against the gate; make pairs: two at once; make mutations: every fact of the specification"
	@echo "make variants     systems that are different and right stay green; make conformance: the vendors' own clients against the doubles"
	@echo "make described    the twin keeps its own openapi.json; make order: every check ends the same alone, in any order, in company"
	@echo "make coverage     every line of the specification with its checks and the faults that prove them, in docs/coverage.md"
	@echo "make rollback-drill   on a twin: N+1 goes live with a defect, the gate turns red, N comes back, the gate turns green (§7)"
	@echo "make soak N=50    no false alarm: repeated runs of the gate on a healthy, busy, slow twin"
	@echo "make chaos ARGS='--seed 1'   200 documents of many users while parts are killed, slowed and cut at random for ten minutes"
	@echo "make load PROFILE=nightly [DURATION=120 WORKERS=2 BASELINE=last]   open arrivals; PROFILE=stress: the knee, PROFILE=worker: documents"
	@echo "make safety       no residue, no hang, no harm: killed runs, hostile servers, two runs at once"
	@echo "make bench        how accurate the load's figures are, and what they cost"
	@echo "make report       Allure's HTML report of the last run (needs Node)"
	@echo "make lock         the newest versions that pyproject.toml allows, into $(LOCK); make newest: try them, lock nothing"
	@echo "make lint | clean"

$(READY): $(LOCK) gate/arguments.py
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is missing: install it, or name it with PYTHON=..."; exit 4; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, $(PYTHON) is older: name another with PYTHON=..."; exit 4; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing: install your system's python3-venv package"; exit 4; }
	@echo "setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps -r $(LOCK)
	@$(BIN)/python -m gate.arguments
	@touch $@

gate: $(READY)
	@$(PYTEST) -m "predeploy or postdeploy or performance" $(ARGS); code=$$?; $(MAKE) --no-print-directory report; exit $$code

# Supabase's advisors are a program of Node.
maintenance daily weekly monthly quarterly test: node
node:
	@sh requirements/node.sh

predeploy postdeploy performance contract maintenance: $(READY)
	@$(PYTEST) -m $@ $(ARGS)

# The regular calendar (§9): checks of all suites, held against the last run on the same target.
daily weekly monthly quarterly: $(READY)
	@$(PYTEST) --calendar $@ $(ARGS)

# What can be updated: images, dependencies, keys by age, certificates, migrations.
updates: $(READY)
	@$(BIN)/python -m fixtures.updates $(ARGS)

# RELEASE (a commit or a version) is waited for, TIMEOUT seconds at most.
RELEASE ?=
TIMEOUT ?= 900
after-release: $(READY)
	@$(PYTEST) -m "postdeploy or performance" $(if $(RELEASE),--wait-for-release "$(RELEASE)" --wait-timeout $(TIMEOUT)) $(ARGS)

ci-summary: $(READY)
	@$(BIN)/python -m reports.ci

notify: $(READY)
	@$(BIN)/python -m reports.notify

# Approves or rejects a deployment that waits at GitHub, by the decision of the last run (docs/decision.md).
review-deployment: $(READY)
	@$(BIN)/python -m reports.decision.github

OLDER_THAN ?= 1h
sweep: $(READY)
	@$(BIN)/python -m fixtures.sweep --older-than $(OLDER_THAN) $(ARGS)

test: $(READY) lint
	@$(PYTEST) tests -n 2 --dist worksteal $(ARGS)
	@$(BIN)/python -m proof.conformance

# While you work: everything of `make test` that starts no twin and no gate.
quick: $(READY) lint
	@$(PYTEST) tests -n 2 -m "not twin" $(ARGS)

# The oldest Python first: the later ones take its versions.
PYTHONS ?= python3.11 python3.12 python3.13
lock:
	@$(PYTHON) requirements/lock.py $(PYTHONS)

# Tests and gate with the newest versions that pyproject.toml allows, in a virtual environment of their own.
newest:
	@$(PYTHON) -m venv .venv-newest
	@.venv-newest/bin/python -m pip install --quiet --upgrade pip
	@.venv-newest/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager --group dev
	@.venv-newest/bin/python -m gate.arguments
	@touch .venv-newest/.ready
	@$(MAKE) --no-print-directory VENV=.venv-newest test predeploy

faults: $(READY)
	@$(BIN)/python -m proof.faults $(ARGS)

variants: $(READY)
	@$(BIN)/python -m proof.variants $(ARGS)

# Schemathesis over the twin's own openapi.json, with every check.
described: $(READY)
	@$(BIN)/python -m proof.described $(ARGS)

order: $(READY)
	@$(BIN)/python -m proof.order $(ARGS)

conformance: $(READY)
	@$(BIN)/python -m proof.conformance $(ARGS)

pairs: $(READY)
	@$(BIN)/python -m proof.pairs $(ARGS)

# Release N+1 goes live with a defect and is taken back to N, on a twin (§7); ARGS='--fault R91': the rollback itself goes wrong.
rollback-drill: $(READY)
	@$(BIN)/python -m proof.rollback_drill $(ARGS)

mutations: $(READY)
	@$(BIN)/python -m proof.mutations $(ARGS)

coverage: $(READY)
	@$(BIN)/python -m proof.coverage $(ARGS)

# Figures of docs/safety.md: killed runs, servers that misbehave, two runs at once.
safety: $(READY)
	@$(BIN)/python -m proof.crashes --page
	@$(BIN)/python -m proof.hostile --page
	@$(BIN)/python -m proof.concurrency --page

bench: $(READY)
	@$(BIN)/python -m load.bench

PROFILE ?= smoke
load: $(READY)
	@$(BIN)/python -m load --profile $(PROFILE) $(if $(DURATION),--duration $(DURATION)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(BASELINE),--baseline $(BASELINE)) $(ARGS)

N ?= 10
soak: $(READY)
	@$(BIN)/python -m proof.soak --runs $(N) $(ARGS)

# The story of a seed: who uploads what when, and what is broken meanwhile.
chaos: $(READY)
	@$(BIN)/python -m proof.chaos $(ARGS)

lint: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@found=$$($(BIN)/lint-imports --no-logo --no-cache 2>&1) || { echo "$$found"; exit 1; }

report:
	@sh reports/allure.sh
	@[ ! -f reports/out/allure-report/index.html ] || $(BIN)/python -m reports.allure reports/out/allure-report/index.html
	@[ ! -f reports/out/summary.json ] || $(BIN)/python -m reports.summary

clean:
	rm -rf $(VENV) .venv-newest .tox .state node_modules .mypy_cache .ruff_cache reports/out
