#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/run itself: time-outs and Ctrl-C leave nothing behind, two runs at once
# do not disturb each other, wrong usage differs from a refused configuration.
set -uo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${STENCIL_BUILD:-$top/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# A run could leave behind its folder, or a process that names the folder.
export TMPDIR=$work/tmp
mkdir "$TMPDIR" "$work/ramdisk"
cp "$build/tests/guest/hello.elf" "$work/ramdisk"
cat >"$work/hello.conf" <<'END'
vm hello -m 16M -kernel /hello.elf -append "name=me" -device isa-debug-exit,iobase=0xf4,iosize=4
END

run() {
	"$top/scripts/run" --no-build --host bochs --ramdisk "$work/ramdisk" "$@" "$work/hello.conf" \
		</dev/null
}

expect() {
	[ "$2" = "$3" ] || {
		echo "FAIL: $1: $2 instead of $3"
		failures=$((failures + 1))
	}
}

# find_processes WORD: those with WORD and with our folder on their command line.
find_processes() {
	local file line
	for file in /proc/[0-9]*/cmdline; do
		line=$(tr '\0' ' ' 2>/dev/null <"$file")
		[[ $line != *"$1"*"$TMPDIR"* ]] || echo "$line"
	done 2>/dev/null
}

expect_nothing_left() {
	expect "$1: folders left" "$(ls -A "$TMPDIR")" ''
	expect "$1: processes left" "$(find_processes '')" ''
}

"$top/scripts/run" --no-build --nonsense 2>/dev/null
expect 'an unknown option' $? 2
"$top/scripts/run" --no-build "$work/missing.conf" 2>/dev/null
expect 'a missing file' $? 2
run --cpu-model nonsense 2>/dev/null
expect 'an unknown model' $? 2
"$top/scripts/run" --no-build --host qemu --cpu-model ryzen 2>/dev/null
expect 'a model of another host' $? 2
expect 'the list of models' "$("$top/scripts/run" --no-build --host bochs --cpu-model help | grep -c haswell)" 1
# refuses WORD OPTION...: wrong usage, and the message has the word.
refuses() {
	local word=$1
	shift
	expect "$*" "$(run "$@" 2>&1 >/dev/null | grep -c -- "$word")" 1
	run "$@" >/dev/null 2>&1
	expect "$*" $? 2
}
refuses '1536 MiB' --host nested --memory 1537
refuses '--system' --host nested --system kvm
refuses '--cpu-model needs --host bochs' --host nested --cpu-model corei7_haswell_4770
refuses '16384 MiB' --memory 16385
refuses '--qemu-arg' --qemu-arg=-S
refuses '--ips' --host qemu --ips 1000
expect_nothing_left 'wrong usage'

run --timeout 2 >/dev/null 2>&1
expect 'a time-out' $? 124
expect_nothing_left 'a time-out'

for signal in INT TERM HUP; do
	setsid "$top/scripts/run" --no-build --host bochs --ramdisk "$work/ramdisk" "$work/hello.conf" \
		</dev/null >/dev/null 2>&1 &
	process=$!
	until [ -n "$(find_processes bochs-bin)" ]; do
		sleep 0.1
	done
	kill -"$signal" "$process"
	wait "$process"
	expect "SIG$signal" $? $((128 + $(kill -l "$signal")))
	expect_nothing_left "SIG$signal"
done

run --serial-out "$work/one" >"$work/streamed" 2>&1 &
one=$!
run --serial-out "$work/two" >/dev/null 2>&1 &
two=$!
wait "$one"
expect 'one of two at once' $? 0
wait "$two"
expect 'the other of two at once' $? 0
for file in one two streamed; do
	expect "what $file says" "$(grep -c '^hello: hello from me' "$work/$file")" 1
done
expect_nothing_left 'two at once'

[ "$failures" -eq 0 ]
