# make demo   trains a small network, builds it for PYNQ-Z2, simulates it bit by bit, prices it
# make test   passes the tests
# make lint   ruff and mypy
#
# Each makes the virtual environment .venv first, with the versions of constraints.txt.
# PYTHON=python3.11 chooses the interpreter, PIP_ARGS adds to pip's command line.

PYTHON ?= python3
PIP_ARGS ?=
PYTEST_ARGS ?= -n auto
OUT ?= out

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

demo: $(READY)
	mkdir -p $(OUT)
	$(BIN)/python examples/digits.py $(OUT)/digits.pt
	$(BIN)/hwgen build $(OUT)/digits.pt --board pynq-z2 --out $(OUT)/digits
	$(BIN)/hwgen sim $(OUT)/digits
	$(BIN)/hwgen estimate $(OUT)/digits.pt --board pynq-z2

test: $(READY)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(READY): pyproject.toml constraints.txt setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) $(OUT) build dist *.egg-info

.PHONY: demo test lint clean
