#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs the commands of README.md and CONTRIBUTING.md, each line of their "sh" blocks, with other places
# for what they write. 'elsewhere' lists the commands that other tests run, such as
# the demonstration; they are left out here.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
build=${STENCIL_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

declare -A elsewhere=(
	['./scripts/run']='case demo_clones'
	['./scripts/test']='what runs this'
	['./scripts/test -L unit']='what runs this'
	['scripts/check format includes calls circles']='the tests check_*'
	['scripts/run --ramdisk /tmp/demo/ramdisk /tmp/demo/stencil.conf']='case demo_clones'
)

failures=0
ran=0
while IFS= read -r line; do
	[ -z "${elsewhere[$line]:-}" ] || continue
	case $line in
	./scripts/bench) line="scripts/bench --boots 1 --no-kvm --json $work/bench.json" ;;
	esac
	line=${line//\/tmp\/demo/$work/demo}
	line=${line//build\/BOOTX64.EFI/$build/BOOTX64.EFI}
	line=${line/#build\//$build/}
	line=${line/#ninja -C build/ninja -C $build}
	line=${line//\/dev\/sdX/$work/stick}
	line=${line#sudo }
	echo "\$ $line"
	bash -euc "$line" </dev/null || {
		echo "FAIL: $line"
		failures=$((failures + 1))
	}
	ran=$((ran + 1))
done < <(awk '/^```/ { inside = $0 == "```sh"; next } inside' README.md CONTRIBUTING.md)

cmp "$work/demo/stencil.img" "$work/stick" || failures=$((failures + 1))
for name in clone reset_page template_read_exits cpuid_exit pio_exit cow_first cow_steady \
		entry_to_guest efi_bytes; do
	grep -q "^  \"$name\": {" "$work/bench.json" || {
		echo "FAIL: no $name in the JSON file of scripts/bench"
		failures=$((failures + 1))
	}
done
[ "$ran" -ge 5 ] && [ "$failures" -eq 0 ]
