#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The same source in two folders, built with another time, user and locale, gives the same EFI file.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# build FOLDER [NAME=VALUE]...: build the EFI file of a copy of the source there.
build() {
	folder=$work/$1
	shift
	mkdir -p "$folder"
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp -P --parents -t "$folder"
	(
		cd "$folder"
		env "$@" cmake -G Ninja -B build -S . >log 2>&1 &&
			env "$@" ninja -C build stencil.efi >>log 2>&1
	) || {
		cat "$folder/log"
		exit 1
	}
}

build one LC_ALL=C TZ=UTC
build two/with/a/longer/name LC_ALL=C.UTF-8 TZ=Asia/Tokyo USER=other SOURCE_DATE_EPOCH=1
cmp "$work/one/build/BOOTX64.EFI" "$work/two/with/a/longer/name/build/BOOTX64.EFI"
