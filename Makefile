# make run    the portal on this machine, nothing but Python 3.11 needed
# make test   every check and every test
# make bench  how fast the engine is, as ratios (long: up to ten million members)
# make soak   killed processes and failing providers, large: make soak SOAK="payouts --payouts 1000"
# make check  the quick checks: format, lint, types, import contracts, migrations

PYTHON ?= $(or $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done),python3)

.PHONY: run test check format bench soak

run:
	@$(PYTHON) tools/venv.py requirements.txt
	@exec .venv/bin/python -m tools.run

test:
	@$(PYTHON) tools/venv.py requirements-dev.txt
	@.venv/bin/python -m tools.test

check:
	@$(PYTHON) tools/venv.py requirements-dev.txt
	@.venv/bin/python -m tools.check

bench:
	@$(PYTHON) tools/venv.py requirements-dev.txt
	@.venv/bin/python -m tools.bench $(BENCH)

soak:
	@$(PYTHON) tools/venv.py requirements-dev.txt
	@.venv/bin/python -m tools.soak $(or $(SOAK),payouts)

format:
	@$(PYTHON) tools/venv.py requirements-dev.txt
	@.venv/bin/ruff format -q . && .venv/bin/ruff check -q --fix-only .
