#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each rule of scripts/check is broken once, in a copy of the tree, and must say so.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$work" 2>/dev/null
git -C "$work" init -q
failures=0

# breaks CHECK FILE: with standard input as FILE, CHECK fails; without it again not.
breaks() {
	cat >"$work/$2"
	if "$work/scripts/check" "$1" >/dev/null 2>&1; then
		echo "FAIL: $1 does not mind $2"
		failures=$((failures + 1))
	fi
	rm "$work/$2"
}

licence='/* SPDX-License-Identifier: BSD-2-Clause */'
breaks format hv/broken.h <<<"$licence
int  a ;"
breaks headers hv/broken.h <<<"$licence
uint64_t a;"
breaks includes hv/ept/broken.c <<<"$licence
#include \"hv/devices/uart.h\""
breaks includes boot/broken.c <<<"$licence
#include \"hv/vm/vm.h\""
breaks includes hv/vmx/broken.h <<<"$licence
#include \"hv/ept/ept.h\""
breaks functions hv/broken.c <<<"$licence
int f(void)
{
$(printf '\tg();\n%.0s' {1..60})
}"
breaks words hv/broken.c <<<"$licence
/* $(rev <<<ODOT) */"
breaks spdx hv/broken.c <<<'int a;'
breaks spdx scripts/broken <<<'#!/bin/sh'
breaks shell scripts/broken <<<'#!/bin/sh
if'
breaks shell scripts/broken <<<"#!/bin/sh
cd \$1"
breaks python scripts/broken.py <<<'if'
breaks cppcheck hv/broken.c <<<"$licence
int f(void) { int a[2]; return a[2]; }"

# Unbroken, the copy is as good as the tree it was made of.
for check in format headers includes functions words spdx shell python cppcheck; do
	"$work/scripts/check" $check || failures=$((failures + 1))
done
[ "$failures" -eq 0 ]
