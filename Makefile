# Two commands: `make sweep` measures and reports, `make test` tests. Both install what is missing first.
SHELL := /bin/bash
BIN := .venv/bin
SOURCES := pyproject.toml scripts/setup.sh

.PHONY: sweep test bench clean

sweep: .venv/.sweep
	$(BIN)/profiler sweep --models keras,litert $(ARGS)
	$(BIN)/profiler report

test: .venv/.test .venv-lite/.test .venv-tflite/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

bench: .venv/.test
	$(BIN)/python -m benchmarks.run $(ARGS)
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.live

.venv/.sweep: $(SOURCES)
	scripts/setup.sh .venv -e '.[keras,litert]'
	touch $@

# The tests simulate on any machine, boot a virtual one with a PMU, look at a report's page in a browser and set it with
# LaTeX.
.venv/.test: $(SOURCES)
	WITH_SIMULATORS=1 WITH_VIRTUAL_MACHINE=1 WITH_BROWSER=1 WITH_LATEX=1 scripts/setup.sh .venv -e '.[keras,litert,dev]'
	touch $@

# What a small board installs: no TensorFlow.
.venv-lite/.test: $(SOURCES) requirements-lite.txt
	scripts/setup.sh .venv-lite -r requirements-lite.txt
	touch $@

# The runtime that many boards still have; its last wheels are for Python 3.11. Without that Python its tests are skipped.
.venv-tflite/.test: $(SOURCES)
	if command -v python3.11 >/dev/null; then PYTHON=python3.11 scripts/setup.sh .venv-tflite -e . tflite-runtime==2.14.0 'numpy<2'; else mkdir -p .venv-tflite; fi
	touch $@

clean:
	rm -rf .venv .venv-lite .venv-tflite .mypy_cache .ruff_cache .pytest_cache .hypothesis
