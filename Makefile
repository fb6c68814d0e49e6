# Everything one does daily. `make demo` and `make test` need Python 3.11 or later and make, nothing else.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo lab test lint types docs bench coverage-of-lines sample-data clean

demo: .venv/.installed
	@$(BIN)/mailforensics demo lost-in-sieve --report report.html
	@echo
	@echo 'Open report.html in a browser, or go on in a notebook:  make lab'

lab: .venv/.lab
	$(BIN)/mailforensics lab

test: lint types
	$(BIN)/python -m pytest

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev
	$(BIN)/mypy

docs: .venv/.docs
	$(BIN)/python -m mailforensics.show.reference docs/reference
	$(BIN)/python docs/causes.py docs/reference/causes.md
	$(BIN)/python docs/generate.py docs/reference
	$(BIN)/python docs/picture.py docs/trace.svg
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo 'Open docs/_build/html/index.html'

coverage-of-lines: .venv/.dev
	$(BIN)/python bench/coverage_of_lines.py

bench: .venv/.dev
	$(BIN)/python bench/bench.py
	$(BIN)/python bench/received.py

sample-data:
	$(PYTHON) sample_data/lab/run.py --suite $(or $(SUITE),trixie) --scenario $(or $(SCENARIO),all)

clean:
	rm -rf .venv docs/_build report.html

# The environment, made once; each mark is newer than pyproject.toml when what it stands for is installed.

.venv/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'mailforensics needs Python 3.11 or later: set PYTHON=..., for example  make demo PYTHON=python3.12'; exit 1; }
	@echo 'Making .venv and installing (a minute or two, once) ...'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo 'Python cannot make an environment here. On Debian and Ubuntu:  apt-get install python3-venv'; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check 'pip>=25.1'
	@touch $@

.venv/.installed: .venv/.created pyproject.toml
	@$(BIN)/python -m pip install -q -e .
	@touch $@

.venv/.dev: .venv/.created pyproject.toml
	@$(BIN)/python -m pip install -q -e . --group dev
	@touch $@ .venv/.installed

.venv/.lab: .venv/.installed
	@$(BIN)/python -m pip install -q -e '.[lab]'
	@touch $@

.venv/.docs: .venv/.dev
	@$(BIN)/python -m pip install -q -e '.[docs]'
	@touch $@
