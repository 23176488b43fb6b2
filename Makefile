# `make demo` and `make test` need only Python 3.11 or newer: each installs what is missing, once.
# Written for GNU make 3.81, which is what macOS has.

# Without compiled code, each process that a test starts would compile the program first.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := .peers/.ready
BROWSERS := .peers/browser/.ready
BENCH_PEERS := build/bench/.peers-ready
BENCH_OWN := build/bench/own/.ready
SOURCES := transcoder tests fixtures infra layers bench examples

# The first of these that is new enough; `make PYTHON=/path/to/python3 …` sets another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$python; break; fi; done)

# For AWS: `make deploy STAGE=dev ARCH=x86_64`. The Python version of the managed runtime compiles the package.
# A file that is no configuration is refused later, with a sentence.
ARCH ?= $(shell $(PYTHON) -c 'import json, sys; c = json.load(open("infra/cdk.json"))["context"]; \
	print({**c["transcoder"], **c.get("stages", {}).get(sys.argv[1], {})}.get("arch", "arm64"))' '$(STAGE)' 2>/dev/null || echo arm64)
STAGE ?=
EXAMPLE ?=
PYTHON313 ?= $(shell for python in python3.13 $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python3.13); do \
	if $$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then echo $$python; break; fi; done)
INFRA_READY := $(VENV)/.infra-ready
CDK := infra/node_modules/.bin/cdk

.PHONY: help demo test test-around test-fast peers browsers screenshots recording soak faults fuzz mutate attack bench bench-quick bench-missing budget check fix lock clean layer package film infra test-infra versions synth diff deploy prune destroy

help:
	@echo "make demo    generate a small HLS stream, turn it into demo.mp4 through the emulated Lambda, and print a comparison"
	@echo "make test    run the tests of the program"
	@echo "make test-around  run those of what is around it: the page in browsers, AWS's own programs, the stack, the sites, the wheel, tools"
	@echo "make test-fast  run the tests that run the program in their own process, and those of the rules: a minute and a quarter"
	@echo "make peers   install AWS's own programs, Express and hadolint for the tests that use them; without them these tests are skipped"
	@echo "make browsers  install what the tests of the web page need beside chromium and firefox-esr; without it these tests are skipped"
	@echo "make screenshots  write pictures of each state of the web page to build/screenshots, and those of the README to docs/pictures"
	@echo "make recording  record \`transcoder get\` in a terminal for the README: docs/pictures/get.svg; needs Linux"
	@echo "make soak    check that nothing grows during a thousand invocations in one execution environment; takes two minutes"
	@echo "make faults  download from origins that misbehave, N=1000 times, and count silent losses; SEED=… repeats, RUN=… replays one"
	@echo "make fuzz    give each parser changed inputs for MINUTES=1 (or INPUTS=… of them); PARSER=… only one; SEED=… repeats"
	@echo "make mutate  change the program in N=150 small ways, and print the changes that no test notices; SEED=… repeats, PATHS=… keeps to these"
	@echo "make attack  send hostile bodies and texts to the emulated Lambda, and print what each costs"
	@echo "make bench   measure this program beside ffmpeg, streamlink, yt-dlp and others; CELLS='40/ts', ONLY='warm ffmpeg', RUNS=5"
	@echo "make bench-quick  the same with three cells and two runs"
	@echo "make bench-missing  show what each of them makes of a playlist that lacks a segment"
	@echo "make budget  check processor time, imports at start and sizes of packages against bench/budget.toml"
	@echo "make check   check formatting, lint and types"
	@echo "make fix     format, and fix what can be fixed automatically"
	@echo "make lock    update the pinned dependencies to the newest versions (requirements/*.txt)"
	@echo "make layer   build dist/ffmpeg-layer-ARCH.zip, the Lambda layer with ffmpeg (ARCH=arm64, the default, or x86_64)"
	@echo "make package build dist/function-ARCH.zip, the Lambda function (needs Python 3.13: PYTHON313=/path/to/python3.13)"
	@echo "make synth   write the CloudFormation templates to infra/cdk.out; needs Node.js; EXAMPLE=… takes one of infra/examples"
	@echo "make deploy  deploy layer, package and stack to AWS; needs Node.js with npm, and credentials (docs/operating.md); STAGE=dev"
	@echo "make diff    show what make deploy would change in AWS"
	@echo "make prune   delete the stacks in us-east-1 that the configuration no longer needs, after asking"
	@echo "make destroy empty the bucket and delete the stack and those beside it, after asking for each"
	@echo "make infra   install what only synth and deploy need (half a gigabyte); \`make test-around\` then tests the stack too"
	@echo "make test-infra  run only the tests of packages and stack"
	@echo "make clean   remove everything that was generated or installed, including .venv"

demo: $(READY)
	PYTHONPATH=tests $(BIN)/python fixtures/demo.py

# Tests wait for a peer some of the time: five processes keep two cores busy, and take from each other what is left at the end.
# Two of them begin with the long tests, which mostly wait. A process more collects all tests once more, for eight seconds.
PYTEST := $(BIN)/python -m pytest -n 5 --dist worksteal --durations 40

# Without what is around the program, which few changes touch.
test: $(READY)
	$(PYTEST) $(addprefix --ignore=,$(shell cat tests/around.txt))

# The tests of what is around the program: the page in browsers, AWS's own programs, packages and stack, sites, the distribution, and tools.
test-around: $(READY)
	$(PYTEST) @tests/around.txt

# The tests that run the program in their own process, and those of rules and documents.
# Inputs that are drawn are fewer than in `make test`.
test-fast: $(READY)
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --hypothesis-profile fast @tests/in_process.txt

# Which mutants are drawn depends on SEED and the sources alone. PATHS='transcoder/core/media/mp4 transcoder/edge/fetch' keeps to these.
# They are tried with the list of `make test-fast` and with ALSO, which runs the program in the process of the tests, too, but takes longer.
ALSO ?= tests/app tests/pipeline
mutate: $(READY)
	PYTHONPATH=tests $(BIN)/python tests/mutation/run.py $(if $(filter command,$(firstword $(origin N))),--number $(N)) \
		$(if $(SEED),--seed $(SEED)) $(if $(PATHS),--paths $(PATHS)) $(if $(ALSO),--also $(ALSO))

soak: $(READY)
	PYTHONPATH=tests:fixtures $(BIN)/python tests/soak.py

# What is drawn depends on SEED and the run's number alone. KIND=cut keeps the runs whose kind of fault begins with that.
# LAYOUT=fragmented makes no plain MP4s; otherwise the source decides.
N ?= 1000
faults: $(READY)
	PYTHONPATH=tests:fixtures $(BIN)/python tests/faults/run.py --runs $(N) \
		$(if $(SEED),--seed $(SEED)) $(if $(RUN),--run $(RUN)) $(if $(KIND),--kind $(KIND)) $(if $(LAYOUT),--layout $(LAYOUT))

# Two parsers at a time. INPUTS=2000 gives each so many, which are the same for the same SEED; otherwise each has its MINUTES.
MINUTES ?= 1
fuzz: $(READY)
	PYTHONPATH=tests:fixtures $(BIN)/python tests/fuzz/run.py $(if $(INPUTS),--inputs $(INPUTS),--minutes $(MINUTES)) \
		$(if $(PARSER),--parser $(PARSER)) $(if $(SEED),--seed $(SEED)) $(if $(REPLAY),--replay $(REPLAY))

# ONLY=gzip keeps the lines whose names contain that. TIMEOUT=4 gives the function so many seconds: the deadline comes in the middle.
attack: $(READY)
	PYTHONPATH=.:tests:fixtures $(BIN)/python tests/attack/run.py $(if $(ONLY),--only '$(ONLY)') $(if $(TIMEOUT),--timeout $(TIMEOUT))

# CELLS='40/ts 0/cmaf-1gb' and ONLY='warm ffmpeg' select cells and contestants; `bench/run.py --help` names all of them. For a quiet machine.
bench: $(BENCH_PEERS) $(BENCH_OWN)
	PYTHONPATH=.:tests:fixtures $(BIN)/python -m bench.run $(if $(RUNS),--runs $(RUNS)) $(if $(CELLS),--cells $(CELLS)) $(if $(ONLY),--only $(ONLY))

bench-missing: $(BENCH_PEERS) $(BENCH_OWN)
	PYTHONPATH=.:tests:fixtures $(BIN)/python -m bench.missing_segment

bench-quick: $(BENCH_PEERS) $(BENCH_OWN)
	PYTHONPATH=.:tests:fixtures $(BIN)/python -m bench.run --quick --runs $(or $(RUNS),2) $(if $(ONLY),--only $(ONLY))

budget: $(BENCH_OWN)
	PYTHONPATH=.:tests:fixtures $(BIN)/python -m bench.budget

$(BENCH_PEERS): $(READY) bench/install bench/node/package-lock.json bench/node/convert.js requirements/bench.txt
	bench/install $(BIN)/python
	@touch $@

# What is measured runs with the dependencies of the program alone.
$(BENCH_OWN): $(READY) requirements/run.txt
	$(BIN)/python -m venv --clear build/bench/own
	build/bench/own/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	build/bench/own/bin/python -m pip uninstall --quiet --yes setuptools  # a function has none, and it takes part in each import
	@touch $@

peers: $(PEERS)

$(PEERS): $(READY) tests/aws/install tests/aws/node/package-lock.json examples/express/package-lock.json requirements/peers.txt requirements/rie.txt
	tests/aws/install $(BIN)/python
	@touch $@

browsers: $(BROWSERS)

$(BROWSERS): $(READY) tests/browser/install tests/browser/node/package-lock.json
	tests/browser/install
	@touch $@

screenshots: $(READY)
	PYTHONPATH=.:tests:fixtures $(BIN)/python tests/browser/screenshots.py

recording: $(READY)
	PYTHONPATH=.:tests:fixtures $(BIN)/python tests/recording.py

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(SOURCES)

fix: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(READY): requirements/dev.txt pyproject.toml
	@if test -z "$(PYTHON)"; then echo "No Python 3.11 or newer was found; set its path: make PYTHON=/path/to/python3" >&2; exit 1; fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is not Python 3.11 or newer; set another: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "$(PYTHON) cannot create virtual environments; install its venv module (often in a package named python3-venv)" >&2; exit 1; }
	@echo "Installing dependencies into $(VENV), which takes a minute or two"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

CDK_OPTIONS = --context arch=$(ARCH) $(if $(STAGE),--context stage=$(STAGE))
FILM := dist/canary-film.ts
FUNCTION_ZIP := dist/function-$(ARCH).zip
LAYER_ZIP := dist/ffmpeg-layer-$(ARCH).zip
MAKE_FUNCTION = $(BIN)/python -m infra.packages.function --arch $(ARCH) --python "$(PYTHON313)"
MAKE_LAYER = $(BIN)/python -m layers.ffmpeg.build --arch $(ARCH)

layer: $(READY)
	$(MAKE_LAYER)

package: $(READY)
	$(MAKE_FUNCTION)

film: $(FILM)

$(FILM): infra/packages/film.py | $(READY)
	$(BIN)/python -m infra.packages.film

# The same, but only if a source has changed.
$(LAYER_ZIP): $(wildcard layers/ffmpeg/* infra/packages/*.py) | $(READY)
	$(MAKE_LAYER)

$(FUNCTION_ZIP): $(shell find transcoder -name '*.py') $(wildcard transcoder/page/* transcoder/page/words/*) $(wildcard infra/packages/*) requirements/lambda.txt | $(READY)
	$(MAKE_FUNCTION)

# The stack's own dependencies are large (half a gigabyte), so only those who deploy install them.
infra: $(INFRA_READY)

$(INFRA_READY): $(READY) requirements/infra.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/infra.txt
	@touch $@

test-infra: $(INFRA_READY) $(LAYER_ZIP) $(FUNCTION_ZIP) $(FILM)
	PYTHON313="$(PYTHON313)" $(BIN)/python -m pytest tests/infra

versions: $(READY)
	@$(BIN)/python -m infra.versions "$(PYTHON313)"

# The versions are checked before half a gigabyte is installed, and before anything is built.
synth: versions $(INFRA_READY) $(LAYER_ZIP) $(FUNCTION_ZIP) $(FILM)
	$(BIN)/python -m infra.app --arch $(ARCH) $(if $(EXAMPLE),--example $(EXAMPLE)) $(if $(STAGE),--stage $(STAGE))

$(CDK): infra/package-lock.json
	cd infra && npm ci --no-audit --no-fund
	@touch $@

DEPLOYABLE := versions $(INFRA_READY) $(CDK) $(LAYER_ZIP) $(FUNCTION_ZIP) $(FILM)

# The stacks in us-east-1 that the configuration no longer names are none that the CDK knows of.
LEFTOVERS = $(BIN)/python -m infra.leftovers $(if $(STAGE),--stage $(STAGE))

deploy: $(DEPLOYABLE)
	cd infra && node_modules/.bin/cdk deploy --all $(CDK_OPTIONS)
	@$(LEFTOVERS)

diff: $(DEPLOYABLE)
	cd infra && node_modules/.bin/cdk diff $(CDK_OPTIONS)
	@$(LEFTOVERS)

prune: $(READY)
	$(LEFTOVERS) --delete

destroy: $(DEPLOYABLE)
	$(BIN)/python -m infra.empty_bucket $(if $(STAGE),--stage $(STAGE))
	cd infra && node_modules/.bin/cdk destroy --all $(CDK_OPTIONS)
	$(LEFTOVERS) --all

# The lock files name no index, so that each machine uses its own.
LOCK_ANY := $(BIN)/uv pip compile --quiet --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
	--custom-compile-command 'make lock'
LOCK := $(LOCK_ANY) --universal --python-version 3.11
# One lock file for both architectures: it has the hashes of all wheels, and the dependencies are the same.
LOCK_LAMBDA := $(LOCK_ANY) --python-version 3.13 --python-platform x86_64-manylinux_2_28

lock: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	$(LOCK) --upgrade pyproject.toml -o requirements/run.txt
	$(LOCK) --upgrade --extra s3 pyproject.toml requirements/dev.in -c requirements/run.txt -o requirements/dev.txt
	$(LOCK) requirements/peers.in -o requirements/peers.txt
	$(LOCK) --upgrade requirements/bench.in -o requirements/bench.txt
	$(LOCK) --upgrade requirements/infra.in -c requirements/dev.txt -o requirements/infra.txt
	$(LOCK_LAMBDA) --upgrade requirements/lambda.in -c requirements/run.txt -o requirements/lambda.txt

clean:
	rm -rf $(VENV) .peers fixtures/media build dist infra/cdk.out infra/node_modules *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis demo.mp4
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
