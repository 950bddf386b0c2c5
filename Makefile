# make demo    build, install and run the main job on real data
# make test    the same with the development tools, then the tests, but for those marked slow
# make test-all   every test
# make quick   the first case of each test, without a browser
# make sanitize   the native code's calls under AddressSanitizer and UndefinedBehaviorSanitizer
# make sanitize-threads   its threads under ThreadSanitizer
# make fuzz    damaged inputs for every reader (N=1000000 of them; needs clang with libFuzzer)
# make site    the documentation as a site, in build/site: open its index.html
# make wheels  a release's wheels for Linux on this processor, built twice and tried (PYTHONS="python3.11 …")
# make cross   the native code compiled for other systems; a warning is an error
# make portable   the tests without frameworks on an emulated arm64 (root; packaging/portable.py)
# make floors  the tests at the lowest versions that pyproject.toml allows
# make history   what `make bench` printed, added to the benchmarks' history, and which ratio moved
# make mutants   how many small changes of the code no test sees (about an hour of one core)
# make web     the pages' script and style sheet, from web/ (needs Node.js)
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# More workers than two cores, for many tests wait: for a browser, a cluster, a process. Threads that
# wait for work must not spin meanwhile, which those of OpenBLAS always do.
TEST   := OMP_WAIT_POLICY=PASSIVE OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 4 --dist worksteal
BUILD  := pyproject.toml constraints.txt CMakeLists.txt $(wildcard native/*)

.PHONY: demo test test-all quick lint bench accuracy schema checks errata commands benchmarks \
        precision gallery wheels web clean sanitize sanitize-threads fuzz site cross portable \
        floors faults load history mutants
.DEFAULT_GOAL := demo

demo: $(VENV)/.app
	$(BIN)/plogq demo
	@echo; echo "The command is $(BIN)/plogq; . $(BIN)/activate makes it plogq."

test: $(VENV)/.dev
	$(TEST) -m "not slow"

test-all: $(VENV)/.dev
	$(TEST)

quick: $(VENV)/.dev
	$(TEST) -m "not slow" --quick

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

sanitize: $(VENV)/.dev
	$(BIN)/python -m tests.sanitize address

sanitize-threads: $(VENV)/.dev
	$(BIN)/python -m tests.sanitize thread

N ?= 1000000

fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz --n $(N)

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/cross_entropy.py
	$(BIN)/python benchmarks/torch_losses.py
	$(BIN)/python benchmarks/linear_heads.py
	$(BIN)/python benchmarks/parallel_losses.py
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/watch.py
	$(BIN)/python benchmarks/jax_losses.py
	$(BIN)/python benchmarks/keras_losses.py
	$(BIN)/python benchmarks/score.py
	$(BIN)/python benchmarks/score_size.py
	$(BIN)/python benchmarks/codes.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/explorer.py

# Every command killed at 50 random moments, and short of disk, memory, rights: 20 minutes
faults: $(VENV)/.dev
	$(BIN)/python benchmarks/faults.py

# 10^8 rows, 10^5 columns, 10^6 classes, 10^4 documents: needs 8 GB of disk and of memory
load: $(VENV)/.dev
	$(BIN)/python benchmarks/load.py

history: $(VENV)/.dev
	$(BIN)/python benchmarks/history.py add
	$(BIN)/python benchmarks/history.py page
	$(BIN)/python benchmarks/history.py moved

# Cosmic Ray makes the changes, in a copy of the repository under build/
mutants: $(VENV)/.dev
	$(PIP) -r tests/mutation/requirements.txt
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 nice $(BIN)/python -m tests.mutation.run

accuracy: $(VENV)/.dev
	$(BIN)/python docs/accuracy.py

schema: $(VENV)/.dev
	$(BIN)/python docs/schema.py

checks: $(VENV)/.dev
	$(BIN)/python docs/doctor/pages.py

errata: $(VENV)/.dev
	$(BIN)/python docs/errata.py

benchmarks: $(VENV)/.dev
	$(BIN)/python docs/benchmarks.py

commands: $(VENV)/.dev
	$(BIN)/python docs/commands.py

precision: $(VENV)/.dev
	$(BIN)/python docs/doctor/precision.py

# Pictures of the explorer's pages and of a report (needs chromium)
gallery: $(VENV)/.dev
	$(BIN)/python docs/explorer.py
	$(BIN)/python docs/report.py

# It loads nothing from elsewhere, and needs no server
site: $(VENV)/.site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "Open build/site/index.html"

PYTHONS ?= $(PYTHON)

wheels:
	$(PYTHON) packaging/wheels.py $(PYTHONS)

cross:
	$(PYTHON) packaging/cross.py

portable:
	$(PYTHON) packaging/portable.py $(ARGS)

floors: $(VENV)/.dev
	$(BIN)/python packaging/floors.py

# The pages' scripts and styles, from web/: only for who changes them
web:
	cd web && npm ci && node build.mjs

clean:
	rm -rf $(VENV) build dist web/node_modules

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "plogq needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12"; exit 1; }
	@command -v $${CXX:-c++} >/dev/null || \
	  { echo "plogq needs a C++20 compiler, and $${CXX:-c++} was not found. Debian, Ubuntu: apt-get install g++"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: $(BUILD) | $(VENV)/bin/python
	$(PIP) -e '.[app]'
	@touch $@

$(VENV)/.site: $(BUILD) | $(VENV)/bin/python
	$(PIP) -e '.[site]'
	@touch $(VENV)/.app $@

# jaxlib first: with its headers, XLA can call the row kernel (CMakeLists.txt finds them)
$(VENV)/.dev: $(BUILD) | $(VENV)/bin/python
	$(PIP) jaxlib
	$(PIP) -e '.[dev]'
	@touch $(VENV)/.app $(VENV)/.site $@
