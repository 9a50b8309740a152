# Two commands do all set-up: `make demo` opens the window on synthetic films, `make test` runs the tests.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
JOBS ?= 2
LIBRARIES := python3-venv libegl1 libgl1 libgl1-mesa-dri libxkbcommon-x11-0 libdbus-1-3 libxcb-cursor0 \
	libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 \
	libxcb-xinerama0 libxcb-xfixes0 xvfb
# Other people's programs that the tests read our files back with, and a server for many readers.
TEST_LIBRARIES := dicom3tools postgresql
# Values, small files and databases: no network, no window, no trainer.
QUICKEST := tests/editing tests/report/test_parse_sentences.py tests/report/test_augment.py tests/pool tests/test_metrics.py \
	tests/test_gate.py tests/test_events.py tests/test_acquisition.py tests/test_arms.py tests/test_rundir.py tests/test_config.py \
	tests/test_review.py tests/test_registry.py tests/test_plan_queue.py

.DEFAULT_GOAL := help
.PHONY: help install system demo test test-slow coverage check docs format bench dist clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: system $(INSTALLED) ## Create .venv and install the project with everything it can use

system: # Debian's libraries for Qt and a virtual display; only as root, only what is missing
	@missing=""; \
	if command -v dpkg-query >/dev/null; then for library in $(LIBRARIES) $(EXTRA); do \
		dpkg-query -W -f '$${Status}' $$library 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$library"; \
	done; fi; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ]; then \
		echo "Installing system libraries:$$missing"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null \
			|| echo "Some could not be installed; what needs them will say so."; \
	elif [ -n "$$missing" ]; then \
		echo "These system libraries are missing; if the window does not open, install them:$$missing"; \
	fi

$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install ## Open the window on synthetic films; without a display, save demo-window.png
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then $(BIN)/napari-semimedref --demo; \
	else $(BIN)/napari-semimedref --demo --screenshot demo-window.png; fi

test: EXTRA = $(TEST_LIBRARIES)
test: install ## Run the tests, JOBS files at a time (virtual displays are started where there is none)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --durations 15

test-slow: EXTRA = $(TEST_LIBRARIES)
test-slow: install ## Run the tests that take minutes, and property tests on new examples
	$(BIN)/python -m pytest -m slow
	EXPLORE=1 $(BIN)/python -m pytest tests/report tests/editing tests/formats tests/test_metrics.py tests/pool/test_importing.py \
		tests/test_holdout_never_leaks.py

coverage: EXTRA = $(TEST_LIBRARIES)
coverage: install ## Run the tests under coverage and print what they do not reach (half as long again as make test)
	OMP_NUM_THREADS=1 $(BIN)/coverage run -m pytest --numprocesses $(JOBS) --dist loadfile
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --sort cover

check: install ## Format, lint, types, contracts and the quickest tests: under a minute once mypy has its cache
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy training napari_semimedref
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -x --numprocesses $(JOBS) --dist loadfile $(QUICKEST)

docs: install ## Build the documentation into site/
	$(BIN)/mkdocs build --strict

format: install ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install ## Run the benchmarks that take minutes, and print one table
	$(BIN)/python benchmarks/together.py

dist: install ## Build wheel and source archive into dist/
	$(BIN)/python -m build --outdir dist .

clean: ## Remove what make made
	rm -rf .venv build dist *.egg-info demo demo-window.png
