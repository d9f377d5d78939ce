# `make run` and `make check` are all a newcomer needs; `make help` lists the rest.
# Everything is installed into $(VENV), from the locks, and only when a lock has changed.

PYTHON ?= python3
VENV ?= .venv

PY := $(VENV)/bin/python
PIP := $(PY) -m pip install -qq --disable-pip-version-check --require-hashes
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
BENCH := $(VENV)/.bench-installed
# Spark brings 500 MB, and pyarrow changes what pandas and polars do: it has an environment of its own.
SPARK_VENV ?= .venv-spark
SPARK := $(SPARK_VENV)/.spark-installed
# Playwright drives the browser of the system: its own ones are not downloaded.
PAGE_VENV ?= .venv-page
PAGE := $(PAGE_VENV)/.page-installed

# What the figures of `evaluate` are compared with, which nothing else needs.
EVALUATE_VENV ?= .venv-evaluate
EVALUATE := $(EVALUATE_VENV)/.evaluate-installed

# What the files of deploy/ and the traces of runs are checked with.
DEPLOY_VENV ?= .venv-deploy
DEPLOY := $(DEPLOY_VENV)/.deploy-installed

# Atheris guides `make fuzz`; what it learns is kept in build/fuzz.
FUZZ_VENV ?= .venv-fuzz
FUZZ := $(FUZZ_VENV)/.fuzz-installed
MINUTES ?= 10
# `make faults FAULTS="--parts power --count 300"` does a part of it.
FAULTS ?=

# `make lock LOCK_ARGS=--upgrade` takes newer versions; plain `make lock` keeps those it finds.
LOCK_ARGS ?=
COMPILE := $(PY) -m uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command "make lock" $(LOCK_ARGS) pyproject.toml

TOO_OLD := import sys; sys.version_info >= (3, 11) or sys.exit( \
	"rollsignal needs Python 3.11 or newer, and %s is %s. Name a newer one: " \
	"make clean; make PYTHON=python3.13 run" % (sys.executable, sys.version.split()[0]))

step = @printf '\n== %s\n' "$(1)"

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run report check dist check-sweeps check-spark check-independent check-page check-deploy check-faults sbom audit format lock docs bench bench-quick faults fuzz clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

# The examples metrics.json and run.log are tracked, so that a checkout has them; this leaves them as they are.
run: $(RUNTIME) ## Run the sample job: data.csv and config.yaml in, build/metrics.json and build/run.log out
	@mkdir -p build
	$(PY) run.py --input data.csv --config config.yaml --output build/metrics.json --log-file build/run.log

report: $(RUNTIME) ## Make the page of the sample job: build/report.html
	@mkdir -p build
	$(PY) run.py --input data.csv --config config.yaml --output build/metrics.json --log-file build/run.log \
		--signals build/signals.parquet --record build/record.json
	$(PY) -m rollsignal report build/record.json --windows 2:200 --audit --output build/report.html

# Bytecode is kept, whatever the environment says: the tests start hundreds of processes.
check: export PYTHONDONTWRITEBYTECODE :=
check: $(DEV) ## Run every check, in order; the first failure ends it
	$(call step,format: ruff format --check)
	@$(PY) -m ruff format --check .
	$(call step,lint: ruff check)
	@$(PY) -m ruff check .
	$(call step,types: mypy)
	@$(PY) -m mypy
	$(call step,import rules: import-linter)
	@$(VENV)/bin/lint-imports --no-logo --no-cache
	$(call step,packages: make dist)
	@$(MAKE) --no-print-directory dist
	$(call step,tests: pytest)
	@$(PY) -m pytest -n auto --dist worksteal -m "not outside"

# A sweep goes through very many cases; `make check` does a part of them, always the same.
check-sweeps: $(DEV) ## Try all the cases of which `make check` does a part, and one more engine (3 minutes)
	ROLLSIGNAL_SWEEPS=whole $(PY) -m pytest -n auto --dist worksteal -m sweep
	$(PY) -m pytest -n auto --dist worksteal tests/conformance --engines=workers -k workers

# Each program of Java runs for a short time, so it compiles little, and collects garbage in one thread.
check-spark: export JAVA_TOOL_OPTIONS := -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
check-spark: ## Run the job on Spark: local, on a cluster and by Connect (needs Java 17 or newer; 8 minutes)
	@if command -v java >/dev/null; then $(MAKE) --no-print-directory $(SPARK) && \
		$(SPARK_VENV)/bin/python -m pytest -n 2 --dist loadgroup tests/spark; \
	else echo "There is no java here, so nothing was checked on Spark" >&2; test -z "$$CI"; fi

check-independent: $(EVALUATE) ## Compare the figures of evaluate with those of other libraries and of chance (2 minutes)
	$(EVALUATE_VENV)/bin/python -m pytest tests/independent

check-page: ## Open pages in a browser, and use them as people do (needs Chromium; 3 minutes)
	@if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then $(MAKE) --no-print-directory $(PAGE) && \
		$(PAGE_VENV)/bin/python -m pytest tests/page; \
	else echo "There is no chromium here, so nothing was checked in a browser" >&2; test -z "$$CI"; fi

check-deploy: $(DEPLOY) ## Check the files of deploy/ and .github/, and publish to real receivers where they are installed (2 minutes)
	PATH="$(CURDIR)/$(DEPLOY_VENV)/bin:$$PATH" $(DEPLOY_VENV)/bin/python -m pytest tests/deploy tests/publish

check-faults: $(RUNTIME) ## Kill runs and fail calls at every 25th point (needs strace; 4 minutes)
	$(PY) -m faults --parts crash calls --every 25

# Nothing here needs a network, so the libraries are those of the locks, and none is fetched. The workflow
# that releases gets them from an index.
dist: $(DEV) ## Build the packages into dist/, and try them as a stranger would (15 seconds)
	@rm -rf dist
	@$(PY) -m build --quiet --no-isolation --outdir dist .
	@$(PY) -m twine check --strict dist/*
	@$(PY) -m check_wheel_contents dist/*.whl
	@$(PY) -m pytest -q tests/packages/check_packages.py
	@echo "Not run, because they need a network: libraries from an index (make sbom), make audit, publishing"

# From an environment with the wheel and its lock and nothing else, not even pip.
sbom: dist $(DEPLOY) ## Write the bill of materials of the wheel with its lock: build/rollsignal.cdx.json (needs a network)
	@mkdir -p build
	@$(PY) -m uv venv --quiet --clear --python $(PY) build/locked
	@$(PY) -m uv pip install --quiet --python build/locked --require-hashes -r requirements.txt
	@$(PY) -m uv pip install --quiet --python build/locked --no-deps dist/*.whl
	@sed "s/^dynamic = .*/version = \"$$($(PY) -m hatchling version)\"/" pyproject.toml >build/pyproject.toml
	@$(DEPLOY_VENV)/bin/cyclonedx-py environment --pyproject build/pyproject.toml --output-reproducible \
		--output-file build/rollsignal.cdx.json build/locked

# Without --strict, a package that the service does not know would pass silently.
audit: $(DEPLOY) ## Look up known weaknesses of all that is locked (needs a network; make check does not run it)
	@failed=; for lock in requirements*.txt; do echo "$$lock"; \
		$(DEPLOY_VENV)/bin/pip-audit --strict --disable-pip --progress-spinner off -r "$$lock" || failed="$$failed $$lock"; \
	done; test -z "$$failed" || { echo "not known to be free of weaknesses:$$failed" >&2; exit 1; }

format: $(DEV) ## Format the code and apply the linter's safe fixes
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

lock: $(DEV) ## Write the locks from pyproject.toml (LOCK_ARGS=--upgrade for newer versions)
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --extra remote --constraints requirements.txt --output-file requirements-remote.txt
	$(COMPILE) --extra delta --constraints requirements-remote.txt --output-file requirements-delta.txt
	$(COMPILE) --extra otel --constraints requirements-remote.txt --output-file requirements-otel.txt
	$(COMPILE) --group dev --constraints requirements.txt --output-file requirements-dev.txt
	$(COMPILE) --group bench --constraints requirements-dev.txt --output-file requirements-bench.txt
	$(COMPILE) --extra spark --group dev --group spark --constraints requirements-dev.txt \
		--output-file requirements-spark.txt
	$(COMPILE) --group dev --group independent --constraints requirements-dev.txt \
		--output-file requirements-evaluate.txt
	$(COMPILE) --group dev --group page --constraints requirements-dev.txt --output-file requirements-page.txt
	$(COMPILE) --extra otel --group dev --group deploy --constraints requirements-dev.txt \
		--output-file requirements-deploy.txt
	$(COMPILE) --group fuzz --constraints requirements.txt --output-file requirements-fuzz.txt

docs: $(DEV) ## Write what is generated in README.md and docs/
	$(PY) -m docs.generate

bench: $(BENCH) ## Measure the job beside pandas, polars and DuckDB; write docs/performance.md (25 minutes)
	$(PY) -m bench
	$(PY) -m bench.figures

bench-quick: $(BENCH) ## Print how far the job is from its performance targets (3 minutes)
	$(PY) -m bench --quick

faults: $(RUNTIME) ## Kill runs at every point, fail every call, cut the power; judge what is left (needs strace; 2 hours)
	$(PY) -m faults $(FAULTS)

fuzz: $(FUZZ) ## Fuzz what reads configs, tables, times, states and records (MINUTES=10)
	$(FUZZ_VENV)/bin/python -m fuzz --minutes $(MINUTES)

clean: ## Remove the environment and the caches
	@for venv in "$(VENV)" "$(SPARK_VENV)" "$(EVALUATE_VENV)" "$(PAGE_VENV)" "$(DEPLOY_VENV)" "$(FUZZ_VENV)"; do if [ -f "$$venv/pyvenv.cfg" ]; then rm -rf -- "$$venv"; fi; done
	rm -rf build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON) here; name a Python: make PYTHON=python3.13 run" >&2; exit 1; }
	@"$(PYTHON)" -c '$(TOO_OLD)'
	"$(PYTHON)" -m venv $(if $(wildcard $(VENV)/pyvenv.cfg),--clear) $(VENV) || { rm -f $(PY); exit 1; }

$(RUNTIME): requirements.txt $(PY)
	@$(PY) -c '$(TOO_OLD)'
	$(PIP) -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	$(PIP) -r requirements-dev.txt
	@touch $@

$(SPARK): requirements-spark.txt
	@test -x $(SPARK_VENV)/bin/python || "$(PYTHON)" -m venv $(SPARK_VENV)
	$(SPARK_VENV)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-spark.txt
	@touch $@

$(EVALUATE): requirements-evaluate.txt
	@test -x $(EVALUATE_VENV)/bin/python || "$(PYTHON)" -m venv $(EVALUATE_VENV)
	$(EVALUATE_VENV)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-evaluate.txt
	@touch $@

$(PAGE): requirements-page.txt
	@test -x $(PAGE_VENV)/bin/python || "$(PYTHON)" -m venv $(PAGE_VENV)
	$(PAGE_VENV)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-page.txt
	@touch $@

$(DEPLOY): requirements-deploy.txt
	@test -x $(DEPLOY_VENV)/bin/python || "$(PYTHON)" -m venv $(DEPLOY_VENV)
	$(DEPLOY_VENV)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-deploy.txt
	@touch $@

$(FUZZ): requirements-fuzz.txt
	@test -x $(FUZZ_VENV)/bin/python || "$(PYTHON)" -m venv $(FUZZ_VENV)
	$(FUZZ_VENV)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-fuzz.txt
	@touch $@

# What cannot be installed here is left out: the bench says so in its tables.
$(BENCH): requirements-bench.txt $(RUNTIME)
	$(PIP) --only-binary :all: -r $< || for name in $$(sed -n 's/^\([a-z0-9-]*\)==.*/\1/p' $< | uniq); do \
		sed -n "/^$$name==/,/[^\\]\$$/p" $< | $(PIP) --only-binary :all: --no-deps -r /dev/stdin \
		|| echo "$$name could not be installed" >&2; done
	@touch $@
