#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/mkimage without a boot: the same input gives the same bytes, the partition tables are right,
# also on a larger stick, locked files are listed, and what cannot work is refused.
set -uo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${STENCIL_BUILD:-$top/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$PATH:/usr/sbin:/sbin
cd "$work" || exit
failures=0

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

mkimage() {
	"$top/scripts/mkimage" --efi "${efi:-$build/BOOTX64.EFI}" "$@"
}

# refused TEXT OPTION...: mkimage fails, and says TEXT
refused() {
	local text=$1
	shift
	! mkimage --output refused "$@" >log 2>&1 || fail "accepted: $*"
	grep -qF -- "$text" log || fail "$*: no '$text' in: $(cat log)"
	[ ! -e refused ] || fail "$*: leaves a file"
	[ -z "$(find . -name 'refused.*')" ] || fail "$*: leaves a temporary file"
}

echo 'vm one -m 16M -kernel /hello.elf' >conf
mkdir files
# A Multiboot header that loads the file at 1 MiB.
printf '\x02\xb0\xad\x1b\0\0\1\0\xfe\x4f\x51\xe4\0\0\x10\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\x10\0' >files/hello.elf
head -c 5000 /dev/zero >>files/hello.elf
"$top/guest-tools/mkramdisk" files archive
files=(--config conf --ramdisk archive)
openssl rsa -in /usr/share/ovmf/PkKek-1-snakeoil.key -passin pass:snakeoil -out key 2>/dev/null
certificate=/usr/share/ovmf/PkKek-1-snakeoil.pem

for kind in '' --iso --embed --lock '--iso --lock'; do
	# shellcheck disable=SC2086 # a list of words
	mkimage $kind "${files[@]}" --output one && mkimage $kind "${files[@]}" --output two
	cmp one two || fail "$kind: not the same bytes twice"
done

for kind in disk iso; do
	option=$([ $kind = disk ] || echo --iso)
	mkimage ${option:+"$option"} "${files[@]}" --output "$kind"
	sgdisk -v "$kind" | grep -q 'No problems found' || fail "$kind: $(sgdisk -v "$kind")"
	truncate -s 80M "$kind"
	sgdisk -v "$kind" | grep -q 'No problems found' && fail "$kind: nothing to mend on a larger stick"
	sgdisk -e "$kind" >/dev/null || fail "$kind: sgdisk -e"
	sgdisk -v "$kind" | grep -q 'No problems found' || fail "$kind on a larger stick: $(sgdisk -v "$kind")"
done

for volume in 1048576 $((200 * 512)); do
	image=$([ "$volume" -eq 1048576 ] && echo disk || echo iso)
	[ "$(od -An -tx1 -v -j $((volume + 446)) -N 66 "$image" | tr -d ' \n' | sed 's/^0*//')" = 55aa ] ||
		fail "$image: a partition table in the volume, or no boot sector"
done

# The list of a locked image, and nothing in that of an embedded one.
list() {
	objcopy --dump-section .hashes=list "$1" copy && tr -d '\0' <list | grep -v '^#'
}
mkimage --lock "${files[@]}" --output locked
mcopy -i locked@@1M ::/EFI/BOOT/BOOTX64.EFI locked.efi
[ "$(list locked.efi)" = "$(sha256sum <conf | cut -c 1-64)  stencil.conf
$(sha256sum <archive | cut -c 1-64)  ramdisk.cpio" ] || fail "locked to: $(list locked.efi)"
mkimage --embed --lock "${files[@]}" --output embedded
[ -z "$(list embedded)" ] || fail "embedded, yet locked to: $(list embedded)"

# What a server has: only what Stencil asks for.
mkdir -p served/01-52-54-00-12-34-56/deeper
echo 'host -fetch http://10.0.2.2/x' >fetch
cp conf served/stencil.conf
cp archive served/ramdisk.cpio
cp conf served/01-52-54-00-12-34-56/jobs.cpio
cp conf served/01-52-54-00-12-34-56/handover.cpio
cp conf served/01-52-54-00-12-34-56/deeper/jobs.cpio
mkimage --embed --lock --config fetch --fetch served --output fetching
[ "$(list fetching)" = "$(sha256sum <conf | cut -c 1-64)  fetch/01-52-54-00-12-34-56/jobs.cpio
$(sha256sum <archive | cut -c 1-64)  fetch/ramdisk.cpio
$(sha256sum <conf | cut -c 1-64)  fetch/stencil.conf" ] || fail "fetching, and locked to: $(list fetching)"
refused '--fetch needs --lock or --sign' --config fetch --fetch served
refused '--fetch needs a folder' --lock --fetch
refused 'fetch: no such folder' --lock --config fetch --fetch fetch
refused 'files: has no stencil.conf, ramdisk.cpio or jobs.cpio' --lock --config fetch --fetch files

mkimage --embed "${files[@]}" --sign key $certificate --output signed
sbverify --cert $certificate signed >log 2>&1 || fail "signature: $(cat log)"
for file in "$build/BOOTX64.EFI" embedded signed; do
	objdump -p "$file" | grep -qw NX_COMPAT || fail "$file: no NX_COMPAT"
	objcopy --dump-section .sbat=sbat "$file" copy
	grep -qa '^stencil,[1-9]' sbat || fail "$file: no .sbat"
done

# Room for files that runs hand over, and the configuration after that.
mkimage "${files[@]}" --room 200 --handover conf --output roomy
mcopy -n -i roomy@@1M ::/stencil/handover.conf later
cmp -s conf later || fail 'handover.conf is another file'
truncate -s 190M filling
MTOOLS_SKIP_CHECK=1 mcopy -i roomy@@1M filling ::/stencil/handover.cpio || fail '--room 200: 190 MiB do not fit'
refused 'only that takes files of a run' --lock --handover conf "${files[@]}"
refused '--room needs a disk image' --embed --room 1 "${files[@]}"
refused '--room x: not a number of MiB' --room x "${files[@]}"
refused '--room needs a number of MiB' --room

refused 'takes an embedded EFI file' --embed --iso "${files[@]}"
refused 'a key and a certificate' "${files[@]}" --sign key
refused 'nokey: no such file' "${files[@]}" --sign nokey $certificate
refused 'cannot sign' "${files[@]}" --sign conf $certificate
efi=conf refused 'not an EFI file' --lock "${files[@]}"
efi=locked.efi refused 'already has a section .hashes' --lock "${files[@]}"
efi=signed refused 'is signed, and a change breaks the signature' --unchecked --embed --config conf
refused 'unknown option --nonsense (try --help)' --nonsense
refused '--config needs a file' --config
refused 'files: a folder, and not a file: mkramdisk makes an archive of it' --ramdisk files
refused 'conf: not a cpio archive' --ramdisk conf
refused 'none: no such file' --config none
echo 'vm one -m 16M -kernel /nello.elf' >wrong
refused "wrong:1:23: could not open kernel file '/nello.elf'" --config wrong --ramdisk archive
refused 'wrong: no image of a configuration that would be refused' --config wrong --ramdisk archive
refused "could not open kernel file '/hello.elf'" --config conf
mkimage --unchecked --config wrong --output unchecked || fail 'refused: --unchecked'
: >empty
cp archive elf
printf MZ | dd of=elf conv=notrunc status=none
for efi in conf empty elf; do
	refused "$efi: not an EFI file" "${files[@]}"
done
efi=files refused 'files: a folder, and not a file' "${files[@]}"
efi=''
STENCIL_BUILD=none "$top/scripts/mkimage" 2>log && fail 'accepted: no EFI file'
grep -q 'none/BOOTX64.EFI: no such file' log || fail "no EFI file: $(cat log)"
mkimage --output given || fail 'refused: --efi'
STENCIL_BUILD=$build "$top/scripts/mkimage" --output default || fail 'refused: the default of --efi'
cmp given default || fail "the default of --efi is not Stencil's own file"
cp archive large
truncate -s 4G large
refused 'an EFI file holds less than 4 GiB' --embed --ramdisk large
truncate -s 420G large
refused 'larger than 99 files' --ramdisk large

[ "$failures" -eq 0 ]
