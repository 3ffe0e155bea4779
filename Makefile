# SPDX-License-Identifier: GPL-2.0
#
# The front door: each verb is a program of tools/, which take these variables.
#
#   KIT=<name>    one kit (default: all)
#   BASE=<ver>    base kernel (default: the first in BASE)
#   LINUX_SRC=    a kernel tree or tarball to take the base from
#   LINUX=        your kernel tree, for make am
#   QEMU=         a QEMU binary to use instead of the one found
#   JOBS=         processes of a build (default: one per CPU)

VERBS := setup tree export build demo check bench bisect am mutate

export KIT BASE LINUX LINUX_SRC QEMU JOBS

.PHONY: help $(VERBS) clean
.NOTPARALLEL:

help:
	@echo "make setup              install what is missing (Debian packages), fetch the base and QEMU"
	@echo "make demo               build all, boot a Linux guest under KVM in QEMU"
	@echo "make check              all tests; ends with 'N passed, N failed, N skipped'"
	@echo "make tree               work tree build/<base>/linux: base and a commit per patch"
	@echo "make export             its commits back to patches/ and series"
	@echo "make build              kernels and selftests"
	@echo "make bench              measure, compare with the references, draw"
	@echo "make bisect             every prefix of the series builds and boots"
	@echo "make mutate             planted bugs are caught by the tests"
	@echo "make am LINUX=<tree>    git am the series on a kernel tree of yours"
	@echo "make clean              remove build products (the work tree stays)"
	@echo
	@echo "KIT=<kit> restricts to: $(patsubst arch-%/machine,%,$(wildcard arch-*/machine))"
	@echo "BASE=<version> is one of: $(shell sed -n 's/^\[\(.*\)\]/\1/p' BASE)"
	@echo "More in README.md and Documentation/."

$(VERBS):
	@tools/$@

# The work tree may hold commits that exist nowhere else.
clean:
	@for d in build/*; do \
		case $$d in *.*) ;; *) rm -rf "$$d" ;; esac; done; \
	for d in build/*/*; do \
		case $$d in */linux|'build/*/*') ;; *) rm -rf "$$d" ;; esac; done; \
	echo "removed all but the work tree: $$(ls -d build/*/linux 2>/dev/null)"
