#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each rule of scripts/check is broken once, in a copy of the tree, and must report that.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
built=$(realpath "${STENCIL_BUILD:-build}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$work" 2>/dev/null
git -C "$work" init -q
export STENCIL_BUILD=$work/build
mkdir -p "$STENCIL_BUILD/CMakeFiles"
cp -rs "$built"/CMakeFiles/image_*.dir "$STENCIL_BUILD/CMakeFiles"
cp "$built/compile_commands.json" "$built/stencil.elf" "$STENCIL_BUILD"
ln -s "$built"/CTestTestfile.cmake "$built"/tests "$STENCIL_BUILD"
failures=0

# breaks CHECK FILE [WORD]: with standard input as FILE, CHECK fails and prints WORD.
breaks() {
	local file=$work/$2 output
	[ ! -e "$file" ] || mv "$file" "$work/kept"
	cat >"$file"
	if output=$("$work/scripts/check" "$1" 2>&1) || ! grep -q "${3:-broken}" <<<"$output"; then
		echo "FAIL: $1 does not report $2"
		failures=$((failures + 1))
	fi
	rm "$file"
	[ ! -e "$work/kept" ] || mv "$work/kept" "$file"
}

# object SOURCE [PART]: standard input as SOURCE, and its object in a part of the image.
object() {
	cat >"$work/$1"
	(cd "$STENCIL_BUILD" && gcc -c -o "CMakeFiles/image_${2:-run}.dir/$1.o" "$work/$1") || exit
	echo "-o CMakeFiles/image_${2:-run}.dir/$1.o" >>"$STENCIL_BUILD/compile_commands.json"
}

# REUSE-IgnoreStart
licence='/* SPDX-License-Identifier: BSD-2-Clause */'
breaks licences hv/broken.h GPL-3.0-only <<<'/* SPDX-License-Identifier: GPL-3.0-only */'
# REUSE-IgnoreEnd
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
object hv/ept/broken.c <<<'void broken_above(void); void broken(void) { broken_above(); }'
object hv/vm/broken_above.c <<<'void broken_above(void) {}'
breaks calls hv/ept/broken.h broken_above </dev/null
rm "$work/hv/vm/broken_above.c"
object hv/ept/broken_back.c <<<'void broken(void); void broken_above(void) { broken(); }'
breaks circles hv/ept/broken.h 'calls: .*broken_back' </dev/null
rm "$work"/hv/ept/broken*.c
object hv/config/broken.c start <<<'void broken(void) {}'
object hv/vm/broken_run.c <<<'void broken(void); void broken_run(void) { broken(); }'
breaks start hv/ept/broken.h broken_run </dev/null
rm "$work/hv/config/broken.c" "$work/hv/vm/broken_run.c"
object hv/ept/broken.c <<<'void broken_symbol(void) {}'
breaks unused hv/ept/broken.h broken_symbol </dev/null
rm "$work/hv/ept/broken.c"
breaks start scripts/start < <(cat scripts/start; echo 'broken | hv/main.c | nothing')
breaks calls scripts/seams < <(cat scripts/seams; echo 'broken | lib | host | nothing')
echo '#include "hv/ept/broken.h"' >"$work/hv/ept/broken_back.h"
breaks circles hv/ept/broken.h 'includes: .*broken_back' <<<'#include "hv/ept/broken_back.h"'
rm "$work/hv/ept/broken_back.h"
breaks circles scripts/rooms < <(cat scripts/rooms; echo 'broken | broken | nothing')
breaks picture scripts/rooms docs/rooms.svg < <(cat scripts/rooms; echo 'broken | lib | nothing')
breaks picture docs/start.dot docs/start.svg < <(sed 's/guest runs/guest sleeps/' docs/start.dot)
breaks picture docs/bench.md docs/bench.svg < <(sed 's/^reset_base  *[0-9]* /reset_base 1 /' docs/bench.md)
breaks picture docs/bench.svg docs/bench.svg < <(sed 's/by the pages written/by the weather/' docs/bench.svg)
breaks functions hv/broken.c <<<"$licence
int f(void)
{
$(printf '\tg();\n%.0s' {1..60})
}"
breaks parameters hv/broken.c <<<"$licence
int f(int a, int (*b)(int, int), int c, int d, int e, int g) { return a; }"
breaks fields hv/vmx/vmcs_field.h VMCS_GUEST_SMBASE < <(
	sed 's/^enum vmcs_field {$/&VMCS_GUEST_SMBASE = 0x4828,/' hv/vmx/vmcs_field.h)
# branch TEXT: an image with an indirect branch.
branch() {
	gcc -nostdlib -static -Wl,-e0 -Wl,-Ttext=0x1000 -x assembler -o "$work/image" - <<<".text
$1" && cat "$work/image"
}
breaks branches build/stencil.elf broken_branch < <(branch 'broken_branch: call *8(%rax)')
breaks branches build/stencil.elf 'rax: in the first half' < <(branch '__x86_indirect_thunk_rax: jmp *%rax')
name=broken_name
breaks names hv/broken.h <<<"$licence
/* See $name(). */"
breaks names hv/broken.h broken_name.c <<<"$licence
/* See broken_name.c. */"
breaks names docs/broken.md hv/broken_room <<<'See hv/broken_room/.'
breaks voice hv/broken.h <<<"$licence
/* All but
 * for one. */"
breaks voice docs/broken.md <<<'The VM goes on.'
breaks docs hv/config/vm_options.c no_such_option < <(sed 's/{"append"/{"no_such_option"/' hv/config/vm_options.c)
breaks docs hv/monitor/command.c no_such_command < <(sed 's/{"quit"/{"no_such_command"/' hv/monitor/command.c)
breaks docs docs/configuration.md 'no vga among' < <(sed 's/.-vga none., //' docs/configuration.md)
breaks docs docs/configuration.md 'broken among the options' < <(sed 's,-append TEXT,-broken,' docs/configuration.md)
breaks docs hv/config/read.c 'broken among the host options' < <(sed 's/{"smt", /{"broken", /' hv/config/read.c)
breaks docs docs/configuration.md 'no smt among the host options' < <(grep -v '^| .-smt ' docs/configuration.md)
breaks docs docs/configuration.md 'no vmgenid among the drivers' < <(grep -v '^| .-device vmgenid' docs/configuration.md)
breaks docs docs/configuration.md 'no merge among the backend' < <(grep -v '^| .merge. ' docs/configuration.md)
breaks docs hv/config/template_lines.c 'no broken among the clone' < <(sed 's/"count parallel/"broken parallel/' hv/config/template_lines.c)
breaks docs docs/monitor.md 'no info tree among the commands' < <(grep -v '^| .info tree' docs/monitor.md)
breaks docs scripts/demo/guest/first.c 'differs from scripts/demo/guest/first.c' < <(sed 's/"guest"/"other"/' scripts/demo/guest/first.c)
breaks docs docs/troubleshooting.md 'no row for: triple fault' < <(sed 's/.triple fault., //' docs/troubleshooting.md)
breaks docs hv/vmx/controls.c 'no message: no XSAVE' < <(sed 's/"no XSAVE:/"no XSAVES:/' hv/vmx/controls.c)
breaks docs boot/main.c 'no row for: the firmware is broken' < <(sed 's/the firmware does not know the image it started/the firmware is broken/' boot/main.c)
breaks docs docs/clones.cast 'no line like: stencil: end: ok' < <(grep -v 'end: ok' docs/clones.cast)
breaks docs docs/clones.cast 'not a recording' < <(sed 's/^.0.4, /[9.4, /' docs/clones.cast)
breaks docs docs/qmp.md 'docs/qmp.md: no security.md#nowhere' < <(sed 's/(security.md)/(security.md#nowhere)/' docs/qmp.md)
breaks docs docs/qmp.md 'docs/qmp.md: no nothing.md' < <(sed 's/(security.md)/(nothing.md)/' docs/qmp.md)
breaks limits docs/limits.md 'says 49, the source 48' < <(sed 's/| 48 bytes |/| 49 bytes |/' docs/limits.md)
breaks limits hv/config/config.h 'says 48, the source 47' < <(sed 's/\(define VM_NAME_MAX\t*\) *48/\1 47/' hv/config/config.h)
breaks docs docs/guest-interface.md "'0x506', 'pvpanic'" < <(sed 's/| 0x505 |/| 0x506 |/' docs/guest-interface.md)
breaks docs hv/devices/platform.c "'0x81', 'ioport80'" < <(sed 's/{0x80, 1/{0x81, 1/' hv/devices/platform.c)
breaks docs hv/devices/fw_cfg.c opt/stencil/broken < <(sed 's,opt/stencil/mac,opt/stencil/broken,' hv/devices/fw_cfg.c)
breaks docs hv/vcpu/cpuid_fit.c broken_feature < <(sed 's/"umip"/"broken_feature"/' hv/vcpu/cpuid_fit.c)
breaks docs hv/vcpu/guest_msr.c IA32_XSS < <(sed 's/IA32_MCG_CAP/IA32_XSS/' hv/vcpu/guest_msr.c)
breaks docs hv/loader/pvpanic.dsl BROK0001 < <(sed 's/QEMU0001/BROK0001/' hv/loader/pvpanic.dsl)
breaks docs docs/guest-interface.md '0x535d is 0x535c' < <(sed 's/| 0x535c |/| 0x535d |/' docs/guest-interface.md)
breaks promises docs/security.md broken_promise < <(cat docs/security.md; printf '\140test_broken_promise\140')
breaks version VERSION "begins with '$(grep -m 1 '^[0-9]' CHANGES)', VERSION is 99.0.0" <<<'99.0.0'
git -C "$work" -c user.name=name -c user.email=mail commit -q --allow-empty -m empty
for tag in v99.0.0 "v$(cat VERSION)"; do
	git -C "$work" tag "$tag"
	breaks version CHANGES "$tag" < <(sed 's/^0.*/&, not yet released/' CHANGES)
	git -C "$work" tag -d "$tag" >/dev/null
done
breaks words hv/broken.c <<<"$licence
/* $(rev <<<ODOT) */"
breaks spdx hv/broken.c <<<'int a;'
breaks spdx scripts/broken <<<'#!/bin/sh'
breaks shell scripts/broken <<<'#!/bin/sh
if'
breaks shell scripts/broken <<<"#!/bin/sh
cd \$1"
breaks python scripts/broken.py <<<'if'
echo "\"command\": \"cc -Wextra -Werror -o broken.o -c $work/tests/unit/lib/test_broken.c\"" \
	>>"$STENCIL_BUILD/compile_commands.json"
breaks clang tests/unit/lib/test_broken.c <<<'const char *const broken[] = {"a", "b" "c", "d", "e"};'
breaks cppcheck hv/broken.c <<<"$licence
int f(void) { int a[2]; return a[2]; }"

# promises TEST FIGURE: how a run goes in which the test has printed the figure.
promises() {
	cat >"$work/report.xml" <<-END
		<testsuite><testcase name="$1" status="run"><system-out>$2</system-out></testcase></testsuite>
	END
	"$work/scripts/promises" "$work/report.xml" 2>/dev/null
}
promises fuzz_insn 'stat::number_of_executed_units: 999999999' || failures=$((failures + 1))
for figure in 'stat::number_of_executed_units: 1' 'broken'; do
	promises fuzz_insn "$figure" && {
		echo "FAIL: scripts/promises takes $figure"
		failures=$((failures + 1))
	}
done

# Of tests that failed, the end of their output is shown again.
cat >"$work/report.xml" <<END
<testsuite><testcase name="good" status="run" time="1"><system-out>fine</system-out></testcase>
<testcase name="bad" status="fail" time="2.6"><system-out>first$(yes line | head -n 60)
last</system-out></testcase></testsuite>
END
output=$("$work/scripts/failures" "$work/report.xml")
if [ "$(head -n 1 <<<"$output")" != "--- bad failed after 3 s. It ends:" ] || [ "$(tail -n 1 <<<"$output")" != last ] ||
	grep -q 'first\|good' <<<"$output"; then
	echo "FAIL: scripts/failures prints: $output"
	failures=$((failures + 1))
fi

# Without the breaks, the copy passes. The slow checks are left out: the tree passes them in tests of their own.
for check in includes calls circles start unused picture branches functions parameters docs limits names version voice words spdx licences; do
	"$work/scripts/check" $check || failures=$((failures + 1))
done
[ "$failures" -eq 0 ]
