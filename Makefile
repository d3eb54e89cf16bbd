# DiffusionNet for Blender.  `make` alone lists the targets.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
# Tests work on small meshes: on a busy machine, more threads than one only wait for each other.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# Each of two processes has a Blender of its own, and takes one file of tests after the other.
AT_ONCE := -n 2 --dist loadfile
PLATFORMS ?= linux-x64 windows-x64 macos-x64 macos-arm64
PYTHONS ?= 3.11 3.13
# Kinds of zips are kept apart: they have one name.
ZIPS := dist$(if $(OFFICIAL),/official)$(if $(WITH_TORCH),/with-torch)

# An environment is ready when its stamp is newer than the pins that it was made from.
EXTRAS := torch test develop
SETUP := tools/setup.sh pyproject.toml requirements/constraints.txt
READY := .venv/ready
READY_TRAINING := .venv/ready-training
READY_DOCS := .venv/ready-docs

# The suites that touch Blender, run on every Blender that is supported.
MATRIX := 4.2 4.5 5.2
VERSIONS := import bpy, numpy, platform, scipy; print("Blender", bpy.app.version_string, "Python", \
	platform.python_version(), "NumPy", numpy.__version__, "SciPy", scipy.__version__, flush=True)
MATRIX_TESTS := tests/scene tests/operators tests/torch_installer tests/samples tests/packaging

.PHONY: help
help: ## this list
	@grep -hE '^[a-z_-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

$(READY): $(SETUP) requirements/blender-4.5.txt
	@tools/setup.sh .venv 3.11 4.5 $(EXTRAS)
	@touch $@

$(READY_TRAINING): $(READY)
	@tools/setup.sh .venv 3.11 4.5 $(EXTRAS) train
	@touch $@

$(READY_DOCS): $(READY)
	@tools/setup.sh .venv 3.11 4.5 $(EXTRAS) docs
	@touch $@

.venv-4.2/ready: $(SETUP) requirements/blender-4.2.txt
	@tools/setup.sh .venv-4.2 3.11 4.2 test
	@touch $@

.venv-5.2/ready: $(SETUP) requirements/blender-5.2.txt
	@tools/setup.sh .venv-5.2 3.13 5.2 test
	@touch $@

.PHONY: setup setup-training
setup: $(READY) ## make .venv: Blender 4.5 as a module, torch (CPU), the tools
setup-training: $(READY_TRAINING) ## and what the sample characters and the training data need

.PHONY: docs
docs: $(READY_DOCS) ## build the documentation site, into build/site; a link that leads nowhere is an error
	@NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --quiet --clean
	@echo "build/site/index.html: $$(du -sh build/site | cut -f1)"

.PHONY: demo demo-rig demo-transfer demo-conform demo-refit demo-faces demo-animals
.PHONY: contact-sheet docs-images docs-window
demo: $(READY) ## segment a character: a .blend and a picture in build/demo
	@$(PYTHON) -m demo.run

demo-rig: $(READY) ## rig the samples: a .blend for each and a picture in build/demo
	@$(PYTHON) -m demo.rig
	@$(PYTHON) -m demo.rig --model animal_parts samples/dana.glb $(wildcard $(ANIMALS)/horse.glb $(ANIMALS)/wolf.glb)

demo-transfer: $(READY) ## carry a texture and skin weights over: a .blend and a picture in build/demo
	@$(PYTHON) -m demo.transfer

demo-conform: $(READY) ## bend one sample's mesh onto the other: a .blend and a picture in build/demo
	@$(PYTHON) -m demo.conform

demo-refit: $(READY) ## fit one sample's clothes to the other's body: a .blend and a picture in build/demo
	@$(PYTHON) -m demo.refit

demo-faces: $(READY_TRAINING) ## move expressions to a sample's face: a .blend and a picture in build/demo
	@$(PYTHON) -m demo.faces

contact-sheet: $(READY_TRAINING) ## characters of CHARACTERS and MAKEHUMAN in each other's textures: a picture of the documentation
	@$(PYTHON) -m demo.contact_sheet --characters $(CHARACTERS) --makehuman $(MAKEHUMAN)
	@$(PYTHON) -m demo.publish build/contact_sheet/textures.png docs/images/characters-textures.webp

demo-animals: $(READY) ## carry a texture and an armature from animals of ANIMALS to others: a picture of the documentation
	@$(PYTHON) -m demo.animals --animals $(ANIMALS)
	@$(PYTHON) -m demo.publish build/demo/animals.png docs/images/animals-transfer.webp --crop 40 260 1560 620

docs-images: demo demo-rig demo-transfer demo-conform demo-refit demo-faces ## make the pictures of the documentation again
	@$(PYTHON) -m demo.publish build/demo/cleo.png docs/images/demo.webp
	@$(PYTHON) -m demo.publish build/demo/transfer.png docs/images/transfer.webp
	@$(PYTHON) -m demo.publish build/demo/conform.png docs/images/conform.webp --crop 60 170 1570 710
	@$(PYTHON) -m demo.publish build/demo/refit.png docs/images/refit.webp
	@$(PYTHON) -m demo.publish build/demo/faces.png docs/images/faces.webp --crop 60 250 1540 598
	@$(PYTHON) -m demo.library
	@$(PYTHON) -m demo.publish build/demo/library.png docs/images/library-report.webp
	@$(PYTHON) -m demo.publish build/demo/rig.png docs/images/rig.webp
	@$(PYTHON) -m demo.publish build/demo/rig_animals.png docs/images/rig_animals.webp

# One for each picture of a window: where it is in build/app, and what the documentation calls it. Shown
# is the viewport with its sidebar: a whole window cannot be read on a page.
WINDOWS := panel/progress:progress panel/segmented:segmented \
	character/before:character-before character/objects:character-objects character/parts:character-parts \
	preferences/preferences:preferences editing/assigned:assigned editing/separated:separated \
	transfer/transferred:transfer-panel train/learning:train-panel
docs-window: test-app ## and those of Blender's window: steps of the tutorial, the animation of a click
	@$(PYTHON) -m tests.app.run train tutorial click
	@$(PYTHON) -m demo.steps build/app/tutorial docs/images/tutorial
	@$(PYTHON) -m demo.film build/app/click docs/images/click.webp
	@for both in $(WINDOWS); do \
		$(PYTHON) -m demo.publish build/app/$${both%:*}.png docs/images/$${both#*:}.webp \
			--crop 0 0 1322 902; done
	@$(PYTHON) -m demo.publish build/app/editing/borders.png build/app/editing/straight.png \
		docs/images/borders.webp --crop 460 340 860 830
	@$(PYTHON) -m demo.publish build/app/control/live.png docs/images/transfer-control.webp \
		--crop 60 560 1215 1600

.PHONY: test test-slow test-matrix $(addprefix test-,$(MATRIX))
test: $(READY_TRAINING) ## every test but the slow ones, on Blender 4.5
	$(ONE_THREAD) $(PYTHON) -m pytest $(AT_ONCE) -m "not slow"

test-slow: $(READY_TRAINING) ## the slow ones
	$(ONE_THREAD) $(PYTHON) -m pytest $(AT_ONCE) -m slow

test-matrix: $(addprefix test-,$(MATRIX)) ## the Blender suites on 4.2, 4.5 and 5.2

test-4.2: .venv-4.2/ready
test-4.5: $(READY)
test-5.2: .venv-5.2/ready
# Blender 4.2 as a module now and then ends with a corrupted heap, in its own code, some time after a
# USD file (2 of 14 runs on a busy machine, and none of many runs of either kind alone), and in a
# glTF import after a thousand other tests (2 of 2; none where those of the command line run alone).
# So these have processes of their own, and a suite that ends by a signal, not by a failure, a second
# try.
define on_blender
	@$(ONE_THREAD) $(dir $<)bin/python -m pytest $(1) || { [ $$? -gt 128 ] && \
		echo "Blender $* crashed: once more" && $(ONE_THREAD) $(dir $<)bin/python -m pytest $(1); }
endef
$(addprefix test-,$(MATRIX)): test-%:
	@$(dir $<)bin/python -c '$(VERSIONS)'
	$(call on_blender,-m "not usd and not slow" $(MATRIX_TESTS))
	$(call on_blender,-m "not usd and not slow" tests/cli)
	$(call on_blender,-m usd tests/cli)

.PHONY: test-app test-kills stalls
test-app: $(READY) ## click the panel of a real Blender; made once in BLENDER_APP (root, 1.3 GB)
	@$(PYTHON) -m tests.app.run

KILLS ?= 50
test-kills: $(READY) ## kill the process that computes at random moments, KILLS times (50)
	@$(PYTHON) -m tests.app.run kills --kills $(KILLS)

stalls: $(READY) ## how long Blender's window stalls with 200,000 vertices, and its start-up
	@$(PYTHON) -m tests.app.run large

.PHONY: lint format
lint: $(READY) ## check style and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

format: $(READY) ## mend style
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

.PHONY: package repository
package: $(READY) ## build and validate the extension, one zip per platform, in dist (WITH_TORCH=1, OFFICIAL=1)
	@$(PYTHON) -m tools.package --platforms $(PLATFORMS) --pythons $(PYTHONS) --output $(ZIPS) \
		$(if $(WITH_TORCH),--with-torch) $(if $(OFFICIAL),--official)

repository: package ## and an extension repository to host as plain files, in dist/repository
	@$(PYTHON) -m tools.repository $(ZIPS) $(ZIPS)/repository

# Models of body parts that are bundled.
BODY_MODELS := body_parts body_parts_fine body_layers

.PHONY: weights-body_parts weights-body_match weights-animals left-out accuracy ablation discretizations samples
.PHONY: bench bench-large bench-labels bench-laplacian bench-gradients bench-matching bench-characters bench-pairs bench-animals
# What the bundled weights start from: those of versions before, as git keeps them.
BEFORE_body_parts := 4d57e0b
BEFORE_body_parts_fine := 4d57e0b
BEFORE_body_match := b5b21ee
START := training/data/start
# What they learn from: at first fewer, then all; those of `unrigged` have seen no rigged character.
FIRST := --generated 1720 --dressed 450
UNRIGGED := --generated 1900 --dressed 900
FIGURES := $(UNRIGGED) --rigged 800
MATCHED := $(FIGURES) --bodies 500 --makehuman $(MAKEHUMAN)
RUNS := training/data/figures
CHARACTERS ?= ../shared/characters
MAKEHUMAN ?= ../shared/makehuman
ANIMALS ?= ../shared/animals

$(START)/%.safetensors:
	@mkdir -p $(START)
	git show $(BEFORE_$*):diffusionnet_blender/weights/$*.json > $(START)/$*.json
	git show $(BEFORE_$*):diffusionnet_blender/weights/$*.safetensors > $@

$(RUNS)/base.pt: $(READY_TRAINING) $(START)/body_parts.safetensors
	$(PYTHON) -m training.rigged_files --characters $(CHARACTERS)
	$(PYTHON) -m training.body_parts data $(FIGURES) --makehuman $(MAKEHUMAN)
	$(PYTHON) -m training.body_parts train --run front --kinds bare stylised mannequin $(FIRST) \
		--steps 2100 --start $(START)/body_parts.safetensors
	$(PYTHON) -m training.body_parts train --run base $(FIRST) --steps 9000 --start $(RUNS)/front.pt

weights-body_parts: $(RUNS)/base.pt ## train the three models of body parts again: 15 GB of data, hours
	$(PYTHON) -m training.body_parts train --run all $(FIGURES) --steps 7000 --start $(RUNS)/base.pt
	$(PYTHON) -m training.body_parts train --run main $(FIGURES) --steps 18000 --start $(RUNS)/all.pt
	$(PYTHON) -m training.body_parts train --run last $(FIGURES) --steps 3000 --rate 5e-4 \
		--often bare stylised --start $(RUNS)/main.pt
	$(PYTHON) -m training.body_parts snapshot --run last $(FIGURES) --earlier 36100 \
		--start $(START)/body_parts.safetensors

left-out: $(RUNS)/base.pt ## train without one pack of rigged characters in turn, and measure on it: hours
	$(PYTHON) -m training.body_parts train --run unrigged $(UNRIGGED) --steps 10000 \
		--start $(RUNS)/base.pt
	$(PYTHON) -m training.left_out train $(FIGURES) --start $(RUNS)/unrigged.pt
	$(PYTHON) -m training.left_out measure --before $(START)/body_parts.safetensors --write

weights-body_match: weights-body_parts $(START)/body_match.safetensors ## train and measure body_match again, after body_parts: hours
	$(PYTHON) -m training.body_match data $(MATCHED)
	$(PYTHON) -m training.body_match train $(MATCHED) --steps 7500 --start $(RUNS)/last.pt
	$(PYTHON) -m training.body_match snapshot $(MATCHED)
	$(PYTHON) -m training.body_match evaluate $(MATCHED) --before $(START)/body_match.safetensors

weights-animals: $(READY_TRAINING) ## train and measure the models of animals again, and fit what Find Model goes by: hours
	$(PYTHON) -m training.animal_files --animals $(ANIMALS)
	$(PYTHON) -m training.rigged_files --characters $(CHARACTERS)
	$(PYTHON) -m training.animal_parts data
	$(PYTHON) -m training.animal_parts train
	$(PYTHON) -m training.animal_parts snapshot
	$(PYTHON) -m training.animal_parts left-out
	$(PYTHON) -m training.animal_parts evaluate --write
	$(PYTHON) -m training.animal_match data
	$(PYTHON) -m training.animal_match train
	$(PYTHON) -m training.animal_match snapshot
	$(PYTHON) -m training.animal_match left-out
	$(PYTHON) -m training.animal_match evaluate
	$(PYTHON) -m training.figure_family data
	$(PYTHON) -m training.figure_family train
	$(PYTHON) -m training.figure_family fit
	$(PYTHON) -m training.figure_family evaluate --write

accuracy: $(READY_TRAINING) $(START)/body_parts.safetensors $(START)/body_parts_fine.safetensors ## measure the bundled models on unseen figures, half an hour each
	@for name in $(BODY_MODELS); do \
		$(PYTHON) -m training.calibrate $$name --left-out && \
		$(PYTHON) -m training.body_parts evaluate --name $$name --before $(START) || exit 1; done
	$(PYTHON) -m training.document

ablation: $(READY_TRAINING) ## what each piece of the method does, on bodies of our own, an hour, into docs/paper.md
	$(PYTHON) -m experiments.ablation run --cache build/experiments
	$(PYTHON) -m experiments.ablation write

discretizations: $(READY_TRAINING) ## the paper's test of other meshings, on bodies of our own, an hour, into docs/paper.md
	$(PYTHON) -m experiments.stand_ins.remeshings build/bodies-1500
	$(PYTHON) -m experiments.discretizations run --data build/bodies-1500 --cache build/experiments
	$(PYTHON) -m experiments.discretizations draw --data build/bodies-1500 --cache build/experiments
	$(PYTHON) -m experiments.discretizations write
	$(PYTHON) -m experiments.stand_ins.remeshings build/bodies-700 --vertices 700
	$(PYTHON) -m experiments.basis_size run --data build/bodies-700 --cache build/experiments
	$(PYTHON) -m experiments.basis_size write

samples: $(READY_TRAINING) ## make the sample characters again, from MakeHuman's assets in MAKEHUMAN
	$(PYTHON) -m training.make_samples --makehuman $(MAKEHUMAN)

bench-characters: $(READY_TRAINING) $(START)/body_parts.safetensors ## characters of several objects as imported and merged, into docs/models.md
	$(PYTHON) -m benchmarks.characters --characters $(CHARACTERS) --makehuman $(MAKEHUMAN) \
		--left-out --before $(START)/body_parts.safetensors --write

bench: $(READY_TRAINING) ## measure against a plain baseline up to 184k vertices, 15 min
	$(PYTHON) -m benchmarks.run

bench-large: $(READY_TRAINING) ## the same for half a million and a million vertices
	$(PYTHON) -m benchmarks.run --large

bench-labels: $(READY_TRAINING) ## right labels of a mesh and of its points alone
	$(PYTHON) -m benchmarks.stages

bench-laplacian: $(READY_TRAINING) ## the Laplacian beside robust_laplacian: seconds, memory, cancel
	$(PYTHON) -m benchmarks.laplacian

bench-gradients: $(READY_TRAINING) ## draw lengths of gradients at four sizes
	$(PYTHON) -m benchmarks.gradient_figure

bench-matching: $(READY_TRAINING) ## error of matches, textures and weights on unseen bodies, hours
	for case in clean resolutions loose rotated cut damaged "cut source" stylised; do \
		$(PYTHON) -m benchmarks.matching --model body_match --case "$$case" \
			--pairs $$([ "$$case" = clean ] && echo 100 || echo 20) || exit 1; done
	$(PYTHON) -m benchmarks.transfer --pairs 20
	$(PYTHON) -m benchmarks.fit_to_pair
	$(PYTHON) -m benchmarks.transfer_speed
	$(PYTHON) -m benchmarks.transfer_report

bench-animals: $(READY_TRAINING) ## matches between animals of unseen builds, and of unseen species, into docs/animals.md
	$(PYTHON) -m training.animal_files --animals $(ANIMALS)
	$(PYTHON) -m benchmarks.animals --write
	$(PYTHON) -m benchmarks.animals --left-out --write

bench-pairs: $(READY_TRAINING) $(START)/body_match.safetensors ## matches between characters of other makers and dressed bodies, into docs/transfer.md, hours
	$(PYTHON) -m benchmarks.character_pairs --characters $(CHARACTERS) --makehuman $(MAKEHUMAN) \
		--before $(START)/body_match.safetensors --write

FILES ?= 2000
bench-library: $(READY_TRAINING) ## a library of FILES files beside xargs, with kills and 100,000 items, into docs/library.md, hours
	$(PYTHON) -m benchmarks.library --files $(FILES)

# On a machine with a graphics processor: a Python whose torch has CUDA.
GPU_PYTHON ?= $(PYTHON)
.PHONY: bench-runtime bench-gpu
bench-runtime: $(READY_TRAINING) ## the paper's table of runtimes on the processor, into docs/paper.md, a quarter of an hour
	$(PYTHON) -m experiments.runtime run
	$(PYTHON) -m experiments.runtime write

bench-gpu: ## and on a graphics processor, by GPU_PYTHON, whose torch has CUDA: under ten minutes
	$(GPU_PYTHON) -m experiments.runtime run --device cuda
	$(GPU_PYTHON) -m experiments.runtime write

.PHONY: clean
clean: ## remove what was built; the environments stay
	rm -rf build dist
