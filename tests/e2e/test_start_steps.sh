#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A machine that hangs in a step of start-up has printed that step's name, and nothing after it:
# BOOTX64-hang.EFI (tests/hang) on QEMU, with the serial port in a file.
set -uo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${STENCIL_BUILD:-$top/build}
work=$(mktemp -d)
qemu=
trap '[ -z "$qemu" ] || kill "$qemu"; rm -rf "$work"' EXIT
failures=0

# The last line of the serial port, without its return.
last_line() {
	tail -n 1 "$work/serial" 2>/dev/null | tr -d '\r\0'
}

# hang FUNCTION LINE: with a hang in FUNCTION the serial port ends with LINE, and stays so.
hang() {
	echo "# hang in $1" >"$work/stencil.conf"
	rm -f "$work/serial"
	"$top/scripts/mkimage" --unchecked --efi "$build/tests/hang/BOOTX64-hang.EFI" \
		--config "$work/stencil.conf" --output "$work/disk.img" >/dev/null || exit
	setpriv --pdeathsig KILL qemu-system-x86_64 -nodefaults -no-user-config -machine q35 \
		-accel tcg -cpu max -smp 2 -m 256 -bios /usr/share/ovmf/OVMF.fd -no-reboot \
		-drive "if=virtio,format=raw,file=$work/disk.img" -device VGA -display none \
		-serial "file:$work/serial" </dev/null &
	qemu=$!
	for _ in {1..240}; do
		[ "$(last_line)" != "$2" ] || break
		sleep 0.5
	done
	sleep 1
	[ "$(last_line)" = "$2" ] || {
		echo "FAIL: a hang in $1 leaves '$(last_line)' instead of '$2'"
		failures=$((failures + 1))
	}
	kill "$qemu"
	wait "$qemu" 2>/dev/null
	qemu=
}

hang paging_init 'stencil: memory: '
hang acpi_init 'stencil: ACPI: '
hang tsc_init 'stencil: TSC: '
hang smp_init 'stencil: processors: '
[ "$failures" -eq 0 ]
