#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs the commands of the documents in order, each line of their "sh" blocks, with other places for
# what they write. 'elsewhere' lists the commands that other tests run, such as the demonstrations; they are left out here.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
build=${STENCIL_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

documents=(README.md CONTRIBUTING.md docs/{getting-started,fuzzing,sandboxes,appliance,walk-through}.md)
declare -A elsewhere=(
	['./scripts/run']='case demo_clones'
	['./scripts/test']='what runs this'
	['./scripts/test -L unit']='what runs this'
	['scripts/check format includes calls circles']='the tests check_*'
	['scripts/run --ramdisk /tmp/demo/ramdisk /tmp/demo/stencil.conf']='case demo_clones'
	['scripts/run --ramdisk /tmp/first/ramdisk /tmp/first/stencil.conf']='case demo_guest'
	['scripts/run --ramdisk /tmp/mine/ramdisk /tmp/mine/stencil.conf']='case demo_clones, with another init'
	['scripts/run --ramdisk /tmp/fuzzing/ramdisk /tmp/fuzzing/stencil.conf']='case demo_fuzzing'
	['scripts/run --ramdisk /tmp/sandboxes/ramdisk /tmp/sandboxes/stencil.conf']='case demo_sandboxes'
	['scripts/run --com2 5555 --ramdisk /tmp/walk/ramdisk --handover /tmp/walk/handover.conf --room 160 /tmp/walk/stencil.conf']='case walk'
)

declare -A met=()
export PATH=$work/usr/bin:$PATH # where the installed command is
failures=0
ran=0
while IFS= read -r line; do
	if [ -n "${elsewhere[$line]:-}" ]; then
		met[$line]=yes
		continue
	fi
	line=${line//\/tmp\//$work/}
	case $line in
	./scripts/bench) line="scripts/bench --boots 1 --no-kvm --json $work/bench.json" ;;
	esac
	line=${line//build\/BOOTX64.EFI/$build/BOOTX64.EFI}
	line=${line/#build\//$build/}
	line=${line/#ninja -C build/ninja -C $build}
	line=${line//\/dev\/sdX/$work/stick}
	line=${line//\/usr\/local/$work/usr}
	line=${line#sudo }
	echo "\$ $line"
	bash -euc "$line" </dev/null || {
		echo "FAIL: $line"
		failures=$((failures + 1))
	}
	case $line in
	dd\ if=*/stencil.img*)
		read -r _ in out _ <<<"$line"
		cmp "${in#if=}" "${out#of=}" || failures=$((failures + 1))
		truncate -s +64M "${out#of=}" # sticks are larger than images
		;;
	esac
	ran=$((ran + 1))
done < <(awk '/^```/ { inside = $0 == "```sh"; next } inside' "${documents[@]}")

for line in "${!elsewhere[@]}"; do
	[ -n "${met[$line]:-}" ] || {
		echo "FAIL: no document has: $line"
		failures=$((failures + 1))
	}
done
diff scripts/demo/walk/mistakes.said <(scripts/lint --ramdisk "$work/walk/ramdisk" scripts/demo/walk/mistakes.conf 2>&1) ||
	failures=$((failures + 1))
grep -q '[$]primes prime numbers from' "$work/mine/ramdisk/initrd" || {
	echo "FAIL: scripts/demo/clones/make takes no other init"
	failures=$((failures + 1))
}
for name in clone reset_page template_read_exits cpuid_exit pio_exit cow_first cow_steady \
		entry_to_guest efi_bytes; do
	grep -q "^  \"$name\": {" "$work/bench.json" || {
		echo "FAIL: no $name in the JSON file of scripts/bench"
		failures=$((failures + 1))
	}
done
[ "$ran" -ge 5 ] && [ "$failures" -eq 0 ]
