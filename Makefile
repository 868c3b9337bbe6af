# The front door. `make` alone lists what there is. Needs make, and Python 3.11 or newer.

VENV   := .venv
VENV_PYTHON := $(VENV)/bin/python
NOTEBOOKS   := $(sort $(wildcard notebooks/[0-9][0-9]*.ipynb))

# More arguments for the command behind a target: make lab ARGS=--no-browser
ARGS ?=
# The Python to build .venv with; unset, the first that is new enough: make lab PYTHON=python3.12
PYTHON ?=
CANDIDATES := $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14 python)

# JupyterLab would ask the network for news, updates and extensions, and the reader, over the page,
# whether it may; the workbook needs none.
KEEP_QUIET := --LabApp.news_url=None --LabApp.extension_manager=readonly \
    --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate \
    --LabApp.app_settings_dir="$(CURDIR)/data/jupyterlab"

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help lab test test-oldest test-newest browser-test mutants damaged exercises checkpoint tensorflow fidelity bench kills run refresh book book-test lint format types classroom grade lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 @/p' $(MAKEFILE_LIST) | awk -F@ '{printf "%-22s%s\n", $$1, $$2}'

lab: $(VENV)/lab.stamp ## install once, then open JupyterLab on the first notebook
	@$(VENV_PYTHON) -m jupyterlab $(KEEP_QUIET) --ServerApp.root_dir=. \
	    notebooks/00_start_here.ipynb $(ARGS)

# Three runs: tests and docstrings' examples on all cores; then, with the machine to themselves,
# those that measure it or drive a browser; then the notebooks, whose seconds are held to a budget.
# A worker that dies is not replaced: the run ends and says so, instead of waiting for its tests.
test: $(VENV)/test.stamp ## run all tests and compare every notebook's outputs (nbval)
	@$(call all_of,\
	    $(PYTEST) -n auto --maxprocesses 4 --max-worker-restart 0 --dist loadscope \
	        -m "not alone" $(ARGS),\
	    $(PYTEST) -m alone tests $(ARGS),\
	    $(PYTEST) --nbval notebooks --junitxml=build/notebooks.xml $(ARGS))

# A notebook that has passed is passed over until something it rests on changes; one core is enough.
browser-test: $(VENV)/test.stamp ## drive every widget of every notebook by keyboard (an hour): ARGS="-k 03"
	@OMP_NUM_THREADS=1 $(PYTEST) -rs tests/browser/every_notebook.py $(ARGS)

# Environments of their own under build/, so that .venv keeps the pinned versions.
test-oldest: $(VENV)/test.stamp ## run the tests with the lowest versions that pyproject.toml allows
	@$(VENV_PYTHON) -m venv build/oldest
	@build/oldest/bin/python -m pip install -q uv
	@build/oldest/bin/uv pip compile -q --resolution lowest-direct --extra test \
	    --no-annotate --no-header --no-emit-index-url pyproject.toml -o build/oldest.txt
	@$(VENV_PYTHON) .ci/oldest.py build/oldest.txt
	@build/oldest/bin/python -m pip install -q -c build/oldest.txt -e '.[test]'
	@build/oldest/bin/python $(TEST_WITH_OTHERS) $(ARGS)

test-newest: $(VENV)/test.stamp ## run the tests with the newest versions that pyproject.toml allows
	@$(VENV_PYTHON) -m venv build/newest
	@build/newest/bin/python -m pip install -q --upgrade -e '.[test]'
	@build/newest/bin/python $(TEST_WITH_OTHERS) $(ARGS)

mutants: $(VENV)/test.stamp ## plant 200 small faults in the library; the tests must notice 95 %
	@$(VENV_PYTHON) tests/mutants/run_mutants.py $(ARGS)

damaged: $(VENV)/test.stamp ## read a thousand damaged files of ten kinds; none may end in a traceback or mislead
	@OMP_NUM_THREADS=1 $(VENV_PYTHON) tests/damaged/fuzz.py $(ARGS)

exercises: $(VENV)/test.stamp ## print every exercise, and what share of wrong answers its check refuses and names
	@OMP_NUM_THREADS=1 $(VENV_PYTHON) tests/mutants/run_exercise_mutants.py $(ARGS)

# Every step goes on where it was stopped. A smaller one, to see whether it runs: name other files.
CORPUS     ?=
CHECKPOINT ?= build/checkpoint
RECIPE     ?= data/recipes/albert-mini-en
PIECES     ?= 8000
WORDS      ?= data/recipes/albert-mini-en.words.txt
checkpoint: $(VENV)/test.stamp ## train albert-mini-en on a folder of texts: CORPUS=FOLDER (hours)
	@test -n "$(CORPUS)" || { echo "Name a folder of texts: make checkpoint CORPUS=FOLDER" >&2; exit 1; }
	@test -f $(CHECKPOINT)/tokenizer/spiece.model || $(ALBERT) train-tokenizer "$(CORPUS)" \
	    --vocab-size $(PIECES) --every 10 $(if $(WORDS),--whole-words $(WORDS)) \
	    --output $(CHECKPOINT)/tokenizer
	@test -f $(CHECKPOINT)/corpus/held-out/store.json || $(ALBERT) build-corpus "$(CORPUS)" \
	    --tokenizer $(CHECKPOINT)/tokenizer --output $(CHECKPOINT)/corpus --held-out-every 100
	@$(ALBERT) pretrain --corpus $(CHECKPOINT)/corpus --tokenizer $(CHECKPOINT)/tokenizer \
	    --config $(RECIPE).json --recipe $(RECIPE).toml --output $(CHECKPOINT)/run $(ARGS)
	@$(ALBERT) history $(CHECKPOINT)/run --output $(CHECKPOINT)/history
	@$(ALBERT) evaluate $(CHECKPOINT)/run/model --held-out $(CHECKPOINT)/corpus

tensorflow: $(VENV)/tensorflow.stamp ## install TensorFlow and KerasHub, which convert and some tests take

fidelity: $(VENV)/test.stamp $(VENV)/tensorflow.stamp ## print how far every feature is from its reference
	@$(VENV_PYTHON) tests/fidelity/report.py $(ARGS)

bench: $(VENV)/test.stamp ## print every figure of speed and learning with its target (15 minutes)
	@$(VENV_PYTHON) -m benchmarks $(ARGS)

kills: $(VENV)/test.stamp ## kill a training run at twenty random instants, and four builds; compare what they end with
	@$(VENV_PYTHON) -m benchmarks.kills --kills 20 $(ARGS)

run: $(VENV)/lab.stamp ## execute all notebooks within their time budgets; pages in build/
	@$(VENV_PYTHON) -m albert_lib.workbook.run --html build $(ARGS) $(NOTEBOOKS)

refresh: $(VENV)/lab.stamp ## execute all notebooks and store their outputs in notebooks/
	@$(VENV_PYTHON) -m albert_lib.workbook.run --write $(ARGS) $(NOTEBOOKS)

# Made anew when something that it shows has changed; notebooks are read as they are stored.
BOOK_PAGES := $(NOTEBOOKS) $(wildcard *.md docs/*.* docs/book/*.* docs/book/static/*) \
    $(shell find albert_lib -name '*.py') $(shell find benchmarks data -name README.md)
book: build/book.stamp ## make the workbook into pages to read: build/book/index.html
	@echo "The book is made: open build/book/index.html. It needs no network."

build/book.stamp: $(VENV)/book.stamp $(BOOK_PAGES)
	@OMP_NUM_THREADS=1 $(VENV_PYTHON) docs/book/build.py
	@touch $@

book-test: $(VENV)/test.stamp build/book.stamp ## look at every page of the book in Chromium (two minutes)
	@$(PYTEST) tests/browser/every_page.py $(ARGS)

lint: $(VENV)/test.stamp ## check style and formatting
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .

format: $(VENV)/test.stamp ## mend style and formatting
	@$(VENV_PYTHON) -m ruff check --fix .
	@$(VENV_PYTHON) -m ruff format .

types: $(VENV)/test.stamp ## check types
	@$(VENV_PYTHON) -m mypy

classroom: $(VENV)/test.stamp ## build the nbgrader release for a class; solutions open: ARGS="--reveal 2027-01-15"
	@$(VENV_PYTHON) -m albert_lib.classroom.release $(ARGS)

SUBMISSIONS ?= build/classroom
grade: $(VENV)/test.stamp ## check what a class has handed in: SUBMISSIONS=FOLDER ARGS="--jobs 2"
	@OMP_NUM_THREADS=1 $(ALBERT) grade "$(SUBMISSIONS)" $(ARGS)

# Existing pins are kept while they fit; ARGS=--upgrade takes the newest of everything.
lock: $(VENV)/test.stamp ## write requirements.lock anew (ARGS=--upgrade for newer versions)
	@$(VENV_PYTHON) -m pip install -q uv
	@$(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --fork-strategy fewest \
	    --extra test --extra tensorflow --extra benchmark-finetuning \
	    --extra benchmark-probing --group keras-hub \
	    --no-annotate --no-header --no-emit-index-url $(ARGS) \
	    pyproject.toml --output-file requirements.lock
	@{ printf '%s\n' \
	    '# Every version on Linux, macOS and Windows, as constraints: pip install -c requirements.lock -e .' \
	    '# Written by `make lock`. No addresses; no hashes, since CPU and CUDA builds of PyTorch share a version.'; \
	  cat requirements.lock; } > requirements.lock.new
	@mv requirements.lock.new requirements.lock

clean: ## remove what notebooks and tools left behind (.venv stays)
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find albert_lib tests notebooks -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

# A stamp is newer than both files exactly when what they ask for is installed.
$(VENV)/lab.stamp: pyproject.toml requirements.lock
	@$(make_venv)
	@echo "Installing the pinned packages into $(VENV); the first time takes minutes."
	@$(PIP_INSTALL) -c requirements.lock -e .
	@touch $@

$(VENV)/test.stamp: pyproject.toml requirements.lock
	@$(make_venv)
	@echo "Installing the pinned packages and the test tools into $(VENV); the first time takes minutes."
	@$(PIP_INSTALL) -c requirements.lock -e '.[test]'
	@touch $(VENV)/lab.stamp $(VENV)/book.stamp $@

$(VENV)/book.stamp: pyproject.toml requirements.lock
	@$(make_venv)
	@echo "Installing the pinned packages and what makes the book into $(VENV)."
	@$(PIP_INSTALL) -c requirements.lock -e '.[book]'
	@touch $(VENV)/lab.stamp $@

$(VENV)/tensorflow.stamp: pyproject.toml requirements.lock
	@$(make_venv)
	@echo "Installing TensorFlow and KerasHub into $(VENV): over a gigabyte."
	@$(PIP_INSTALL) -c requirements.lock -e '.[tensorflow]'
	@$(VENV_PYTHON) -m pip install -q -c requirements.lock --no-deps keras-hub
	@touch $(VENV)/lab.stamp $@

ALBERT = $(VENV_PYTHON) -m albert_lib
PYTEST = $(VENV_PYTHON) -m pytest -q
# Not what measures the machine: those bounds are held with the pinned versions.
TEST_WITH_OTHERS = -m pytest -q -n auto --maxprocesses 4 --dist loadscope -m "not alone"
PIP_INSTALL = $(VENV_PYTHON) .ci/with_progress.py $(VENV_PYTHON) -m pip install --progress-bar off

# Run every command, then fail if one did; 5 says that ARGS left a command no test to run.
define all_of
failed=0; \
$(1) || [ $$? -eq 5 ] || failed=1; \
$(2) || [ $$? -eq 5 ] || failed=1; \
$(3) || [ $$? -eq 5 ] || failed=1; \
exit $$failed
endef

define make_venv
if ! $(VENV_PYTHON) -m pip --version >/dev/null 2>&1; then \
  for candidate in $(CANDIDATES); do \
    if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
      exec $$candidate -m venv --clear $(VENV); \
    fi; \
  done; \
  echo "The workbook needs Python 3.11 or newer and found none among: $(CANDIDATES)." >&2; \
  echo "Install one, or name it: make lab PYTHON=path/to/python3.12" >&2; \
  exit 1; \
fi
endef
