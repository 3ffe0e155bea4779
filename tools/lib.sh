# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the programs of tools/ share: messages, steps and logs, the ini reader
# for BASE and arch-*/machine, paths, and the kernel's make. Source it first.

set -euo pipefail

unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS \
	ARCH CROSS_COMPILE CFLAGS LDFLAGS KBUILD_OUTPUT O V cross
export LC_ALL=C

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/kvm-mmu-series
LOGDIR=$TOP/build/log
JOBS=${JOBS:-$(nproc)}
unset LOG
LOG=

# --- messages ---------------------------------------------------------------

say()  { printf '%s%s\n' "${STEP_INDENT:-}" "$*"; }
note() { say "note: $*" >&2; }
die()  { printf 'error: %s\n' "$*" >&2; exit 1; }

# usage_exit STATUS: prints the comment block at the top of the program and leaves.
usage_exit() {
	awk 'NR > 3 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
	exit "$1"
}

case ${1:-} in -h|--help) usage_exit 0;; esac

min_sec() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# steps_begin N: N steps follow. Programs that call each other are indented.
steps_begin() {
	STEP_N=$1 STEP_K=0 STEP_T0=$SECONDS
	STEP_INDENT=${STEP_INDENT_NEXT:-}
	export STEP_INDENT_NEXT="$STEP_INDENT    "
}

step() {
	STEP_K=$((STEP_K + 1))
	say "[$STEP_K/$STEP_N $(min_sec $((SECONDS - STEP_T0)))] $*"
	[ -z "$LOG" ] || printf '=== %s\n' "$*" >> "$LOG"
}

# log_open NAME: full output goes to build/log/NAME.log from here on.
log_open() {
	LOG=$LOGDIR/$1.log
	mkdir -p "$(dirname "$LOG")"
	: > "$LOG"
}

# logged CMD...: runs it with its output in the log; returns its status.
logged() {
	printf '$ %s\n' "$*" >> "$LOG"
	"$@" >> "$LOG" 2>&1 < /dev/null
}

# must WHAT CMD...: as logged, but a failure ends the program with the reason.
must() {
	local what=$1
	shift
	logged "$@" && return
	grep -E 'error|Error|undefined reference|No space' "$LOG" | tail -n 5 >&2 || tail -n 10 "$LOG" >&2
	die "$what failed: see ${LOG#"$TOP"/}"
}

# lock FILE WHAT: one at a time, until the program ends; inherited by what it calls.
lock() {
	mkdir -p "$(dirname "$1")"
	exec 9> "$1"
	flock -n 9 && return
	say "waiting: $2 is in use by another run"
	flock 9
}

# --- results of tests ---------------------------------------------------------

# result pass|fail|skip NAME [WHY]: one line of RESULTS, shown as it comes.
result() {
	[ -z "${RESULTS:-}" ] || printf '%s\t%s\t%s\n' "$1" "$2" "${3:-}" >> "$RESULTS"
	say "$(printf '%-4s  %s%s' "$1" "$2" "${3:+: $3}")"
}

# totals FILE...: prints "N passed, N failed, N skipped", fails if any failed.
totals() {
	cat "$@" /dev/null | awk -F'\t' '{ n[$1]++ }
		END { printf "%d passed, %d failed, %d skipped\n", n["pass"], n["fail"], n["skip"]
		      exit n["fail"] > 0 || n["pass"] == 0 }'
}

# --- data: BASE and arch-*/machine ----------------------------------------------

# ini_sections FILE [TYPE]: names of "[TYPE name]" sections, or of "[name]".
ini_sections() {
	awk -v type="${2:-}" '/^\[.*\]/ {
		s = substr($0, 2, index($0, "]") - 2)
		n = split(s, w, " ")
		if (type == "" && n == 1) print w[1]
		if (type != "" && n == 2 && w[1] == type) print w[2] }' "$1"
}

# ini_get FILE SECTION KEY [DEFAULT]: a value; an indented line continues it.
ini_get() {
	local value
	if value=$(awk -v want="[$2]" -v key="$3" '
		/^#/ { next }
		/^\[/ { on = ($0 == want); mine = 0; next }
		!on || /^[ \t]*$/ { mine = 0; next }
		/^[ \t]/ { if (mine) { sub(/^[ \t]+/, ""); v = v " " $0 } next }
		{ k = $0; sub(/[ \t]*=.*/, "", k); mine = (k == key)
		  if (mine) { v = $0; sub(/^[^=]*=[ \t]*/, "", v); found = 1 } }
		END { if (!found) exit 1; print v }' "$1"); then
		printf '%s\n' "$value"
	elif [ $# -gt 3 ]; then
		printf '%s\n' "$4"
	else
		die "${1#"$TOP"/}: section [$2] has no '$3'"
	fi
}

BASE=${BASE:-$(ini_sections "$TOP/BASE" | head -n 1)}
BUILD=$TOP/build/$BASE
export TREE=$BUILD/linux

base_get() { ini_get "$TOP/BASE" "$BASE" "$@"; }

check_base() {
	ini_sections "$TOP/BASE" | grep -qxF -- "$BASE" ||
		die "BASE=$BASE is not supported: BASE names $(ini_sections "$TOP/BASE" | xargs)"
}
check_base

all_kits() {
	local f
	for f in "$TOP"/arch-*/machine; do
		f=${f%/machine}
		printf '%s\n' "${f##*/arch-}"
	done
}

# kits: what KIT= selects, all of them by default.
kits() {
	local k
	for k in ${KIT:-$(all_kits)}; do
		printf '%s\n' "$k"
	done
}
for k in ${KIT:-}; do
	[ -e "$TOP/arch-$k/machine" ] || die "KIT=$k: no such kit; there is $(all_kits | xargs)"
done

kit_get() { local k=$1; shift; ini_get "$TOP/arch-$k/machine" "$@"; }
kit_sections() { ini_sections "$TOP/arch-$1/machine" "$2"; }
# checked_tests KIT: those that make check runs.
checked_tests() {
	local t
	for t in $(kit_sections "$1" test); do
		[ "$(kit_get "$1" "test $t" check yes)" = no ] || echo "$t"
	done
}
# kit_has KIT SECTION: [demo] and [bench NAME] are not in every kit.
kit_has() { grep -qE "^\[$2( |\])" "$TOP/arch-$1/machine"; }
# kits_with SECTION: the kits among those selected that have it.
kits_with() {
	local k
	for k in $(kits); do
		if kit_has "$k" "$1"; then printf '%s\n' "$k"; else note "arch-$k/machine has no [$1]"; fi
	done
}
kit_dir() { printf '%s\n' "$BUILD/$1"; }

# tolerated KIT: the splats a kit tolerates, as a file.
tolerated() {
	local f=$TOP/arch-$1/tolerated-splats
	if [ -e "$f" ]; then echo "$f"; else echo /dev/null; fi
}

# --- the machine we are on -----------------------------------------------------

have() { command -v "$1" > /dev/null 2>&1; }

# need CMD PACKAGE: the program, or how to get it.
need() { have "$1" || die "$1 is missing: run 'make setup', or: apt-get install $2"; }

# need_disk GB DIR WHAT
need_disk() {
	local free dir=$2
	while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
	free=$(df -Pk "$dir" | awk 'NR == 2 { print int($4 / 1048576) }')
	[ "$free" -ge "$1" ] ||
		die "$3 needs $1 GB free under $dir, there are $free GB: free some, or clone elsewhere"
}

# version_ge A B: is version A at least B?
version_ge() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

# --- kernel trees ------------------------------------------------------------

# tree_version TREE: "7.3.4"
tree_version() {
	awk -F' *= *' '$1 == "VERSION" { v = $2 } $1 == "PATCHLEVEL" { p = $2 }
		$1 == "SUBLEVEL" { s = $2; print v "." p "." s; exit }' "$1/Makefile"
}

# Trees that the tools make for themselves, "scratch" and "base", have their objects
# next to them as the work tree has: then ccache finds in one what another compiled.
tool_tree() { printf '%s\n' "$BUILD/$1/linux"; }
# tool_objects TREE KIT BUILD
tool_objects() { printf '%s\n' "$BUILD/$1/$2/$3"; }

# The patches of the series, in order, as paths under patches/.
series_patches() { sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$TOP/series"; }

# git without the user's configuration: results depend on nothing personal.
plain_git() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
	GIT_AUTHOR_NAME="KVM MMU series" GIT_AUTHOR_EMAIL=kvm-mmu-series@example.org \
	GIT_COMMITTER_NAME="KVM MMU series" GIT_COMMITTER_EMAIL=kvm-mmu-series@example.org \
		git -c gc.auto=0 -c advice.detachedHead=false "$@"
}

# The kernel's make and the selftests' give some names a meaning of their own.
plain_make() { env -u KIT -u BASE -u LINUX -u LINUX_SRC -u QEMU -u JOBS -u LOG make "$@"; }

# kit_cross KIT SECTION: the compiler's prefix, the section's own or the kit's.
kit_cross() { kit_get "$1" "$2" cross "$(kit_get "$1" kit cross)"; }

# kmake KIT SOURCE OBJECTS TARGET...: the kernel's make, reproducible. In its
# depend mode ccache need not run the preprocessor on its own; it finds what was
# compiled in another clone, whose paths differ. The compiler's prefix is $cross,
# if that is set.
kmake() {
	local cross=${cross:-$(kit_cross "$1" kit)} arch cc=ccache
	arch=$(kit_get "$1" kit arch)
	have ccache || cc=
	CCACHE_DEPEND=1 CCACHE_BASEDIR=$TOP CCACHE_NOHASHDIR=1 plain_make -C "$2" O="$3" ARCH="$arch" CROSS_COMPILE="$cross" LOCALVERSION= \
		CC="${cc:+$cc }${cross}gcc" HOSTCC="${cc:+$cc }gcc" \
		KBUILD_BUILD_USER=kvm-mmu KBUILD_BUILD_HOST=series \
		KBUILD_BUILD_TIMESTAMP='2026-01-01' -j"$JOBS" "${@:4}"
}

# --- what a patch changes for a build ------------------------------------------

# read_files TREE OBJECTS: the files below TREE that the objects were made from.
read_files() {
	find "$2" -name '.*.cmd' -print0 | xargs -0r grep -ohE "$1/[^ )]+" |
		sed "s|^$1/||" | sort -u
}

# changes TREE OLD NEW FILES: does NEW change one of the listed files, or what is built?
changes() {
	local f
	while read -r f; do
		case /$f in */Kconfig*|*/Makefile*|*/Kbuild*|/scripts/*|/tools/*) return 0 ;; esac
		! grep -qxF "$f" "$4" || return 0
	done < <(git -C "$1" diff --name-only "$2" "$3")
	return 1
}
