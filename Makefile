# Two commands do everything from a bare machine with Python 3.11+ and make: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip
NOTEBOOK := example_notebooks/flight_delays.ipynb

.DEFAULT_GOAL := help
.PHONY: help demo test test-ui test-targets check lint types layers deps lab bench growth corpus fuzz soak docs lock pipelines goldens clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The environments. Locked with hashes; byte code is compiled when installing, which makes every later start faster.
$(BIN)/uv: requirements-uv.lock
	$(PYTHON) -c 'import sys; sys.exit("nbmlops needs Python 3.11 or newer; try: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $@

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/uv
	$(UV) install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	$(UV) install --quiet --python $(BIN)/python --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/uv
	$(UV) install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements-dev.lock
	$(UV) install --quiet --python $(BIN)/python --no-build-isolation --no-deps -e .
	@touch $@ $(VENV)/.run

demo: $(VENV)/.run ## Compile and run the flight-delay notebook: gate, registry, champion, challenger, a rejected model
	$(BIN)/python example_notebooks/demo.py

lab: $(VENV)/.dev ## Open JupyterLab on the example notebook
	$(BIN)/jupyter lab $(NOTEBOOK)

test: $(VENV)/.dev ## Run the whole test suite
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-ui: $(VENV)/.dev ## Drive the panel in JupyterLab and Notebook 7 with a real Chromium, which must be installed (10 minutes)
	$(UV) install --quiet --python $(BIN)/python --require-hashes -r requirements-ui.lock
	$(BIN)/python -m pytest tests/ui -m ui

# Each engine in an environment of its own: their dependencies exclude each other.
TARGETS := .targets
ENGINE_kfp := kfp[kubernetes]>=2.14,<3
ENGINE_airflow := apache-airflow>=3.1,<4 apache-airflow-providers-standard
ENGINE_prefect := prefect>=3.4,<4 fastapi<0.151
ENGINE_zenml := zenml[local]>=0.90
ENGINE_ci := check-jsonschema>=0.33 tree-sitter>=0.23 tree-sitter-groovy>=0.1
ENGINE_s3 := .[s3] moto[server]>=5
ENGINE_pandas2 := pandas>=2.2,<3 pyarrow>=17 scipy xxhash blake3
ENGINE_dvc := dvc>=3.60,<4

$(TARGETS)/%/.done: | $(BIN)/uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(TARGETS)/$*
	$(UV) install --quiet --python $(TARGETS)/$*/bin/python $(foreach package,$(ENGINE_$*),"$(package)")
	@touch $@

test-targets: $(VENV)/.dev $(foreach engine,kfp airflow prefect zenml ci s3 dvc pandas2,$(TARGETS)/$(engine)/.done) ## Run what targets write in the engines themselves (installs them in .targets/)
	NBMLOPS_TARGETS=$(TARGETS) $(BIN)/python -m pytest tests/targets -m targets

check: lint types layers deps ## All static checks

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports --no-cache

deps: $(VENV)/.dev
	$(BIN)/deptry nbmlops

bench: $(VENV)/.dev ## Print speed as ratios, side by side in one run
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/compiling.py
	$(BIN)/python benchmarks/handover.py
	$(BIN)/python benchmarks/cells.py
	$(BIN)/python benchmarks/tracking.py
	$(BIN)/python benchmarks/autolog.py
	$(BIN)/python benchmarks/data.py
	$(BIN)/python benchmarks/registry.py

growth: $(VENV)/.dev ## Print what grows with a pipeline: 10 to 1,000 steps, 1 MB to 2 GB (15 minutes; GROWTH="--steps 10,100 --sizes 1,64": two)
	$(BIN)/python benchmarks/growth.py $(GROWTH)

fuzz: $(VENV)/.dev ## Compile, run and compare 2,000 generated notebooks, cut at random places (FUZZ="--seed N")
	$(BIN)/python -m tests.promise.fuzz $(FUZZ)

corpus: ## Measure the promise on other people's notebooks: make corpus N=notebooks.toml W=work [P=python]
	$(or $(P),$(BIN)/python) benchmarks/corpus.py $(N) $(W)

soak: $(VENV)/.dev ## Kill runs and writers 200 times, start two runs at once 100 times, run 1,000 steps (over an hour)
	NBMLOPS_SOAK=200 $(BIN)/python -m pytest -s tests/faults tests/integration/test_cold_and_warm.py tests/unit/data/fingerprints/test_frame_properties.py

docs: $(VENV)/.dev ## Write the generated reference pages again
	$(BIN)/python docs/generate.py

pipelines: $(VENV)/.dev ## Compile the example notebooks again
	for notebook in example_notebooks/*.ipynb; do $(BIN)/nbmlops compile $$notebook || exit; done

goldens: $(VENV)/.dev ## Write the golden files again; read the difference before committing it
	$(BIN)/python -m pytest --update-goldens

lock: $(BIN)/uv ## Resolve the dependencies again into the lock files
	$(UV) compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" --extra demo --group build pyproject.toml -o requirements.lock
	$(UV) compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" --extra demo --extra lab --extra sweep --extra dask --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(UV) compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" --group ui -c requirements-dev.lock pyproject.toml -o requirements-ui.lock
	echo uv | $(UV) compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" - -o requirements-uv.lock

clean: ## Remove what runs and tests wrote (the environment stays)
	rm -rf .nbmlops runs mlartifacts mlflow.db .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
