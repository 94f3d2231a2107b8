# Two commands: `make sweep` measures and reports, `make test` tests. Both install what is missing first.
# For who changes something: `make check` is the part of `make test` that takes a few minutes, `make docs` builds docs/.
SHELL := /bin/bash
BIN := .venv/bin
SOURCES := pyproject.toml scripts/setup.sh
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: sweep test check lint bench docs clean

sweep: .venv/.sweep
	$(BIN)/profiler sweep --models keras,litert $(ARGS)
	$(BIN)/profiler report

# Coverage is of all tests, so it is judged only where all ran: ARGS may choose some.
test: .venv/.test .venv-lite/.test .venv-tflite/.test lint
	$(PYTEST) --cov --cov-report= $(ARGS)
ifeq ($(ARGS),)
	$(BIN)/coverage report --fail-under=90
	$(BIN)/coverage report --fail-under=95 --include='*/perf_output.py,*/store.py,*/stats.py'
endif

check: .venv/.check lint
	$(PYTEST) -m 'not slow' $(ARGS)

lint: .venv/.check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy

docs: .venv/.docs
	$(BIN)/sphinx-build -q -W --keep-going -c docs . build/docs
	cp build/docs/README.html build/docs/index.html
	@echo 'docs: build/docs/index.html'

bench: .venv/.test
	$(BIN)/python -m benchmarks.run $(ARGS)
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.live

.venv/.sweep: $(SOURCES)
	scripts/setup.sh .venv -e '.[keras,litert]'
	touch $@

.venv/.check: $(SOURCES)
	scripts/setup.sh .venv -e '.[dev]'
	touch $@

.venv/.docs: $(SOURCES)
	scripts/setup.sh .venv -e '.[docs]'
	touch $@

# The tests simulate on any machine, boot a virtual one with a PMU, look at a report's page in a browser and set it with
# LaTeX.
.venv/.test: $(SOURCES)
	WITH_SIMULATORS=1 WITH_VIRTUAL_MACHINE=1 WITH_BROWSER=1 WITH_LATEX=1 scripts/setup.sh .venv -e '.[keras,litert,dev,docs]'
	touch $@ .venv/.check .venv/.docs

# What a small board installs: no TensorFlow.
.venv-lite/.test: $(SOURCES) requirements-lite.txt
	scripts/setup.sh .venv-lite -r requirements-lite.txt
	touch $@

# The runtime that many boards still have; its last wheels are for Python 3.11. Without that Python its tests are skipped.
.venv-tflite/.test: $(SOURCES)
	if command -v python3.11 >/dev/null; then PYTHON=python3.11 scripts/setup.sh .venv-tflite -e . tflite-runtime==2.14.0 'numpy<2'; else mkdir -p .venv-tflite; fi
	touch $@

clean:
	rm -rf .venv .venv-lite .venv-tflite .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis build
