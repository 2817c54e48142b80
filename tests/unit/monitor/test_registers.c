/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's registers as a guest believes them to be, and as the monitor shows them. */
#include "hv/monitor/registers.h"

#include <string.h>

#include "hv/host/console.h"
#include "hv/host/msr.h"
#include "hv/monitor/examine.h"
#include "tests/unit/support.h"

static char said[4096];

void console_write_raw(const char *text, size_t len)
{
	strncat(said, text, len);
}

static const struct cpuid_model model = {.cr4_allowed = CR4_PAE};
static struct vcpu vcpu;

static void set(enum vmcs_field field, uint64_t value)
{
	vmcs_set_guest_field(&vcpu.saved.vmcs, field, value);
}

static int set_up(void **state)
{
	vcpu = (struct vcpu){.number = 1, .cpuid = &model, .saved_in = &vcpu};
	*said = '\0';
	return 0;
}

static void registers_are_read_as_the_guest_sees_them(void **state)
{
	struct dump_cpu cpu;

	for (unsigned i = 0; i < 16; i++)
		vcpu.regs.gpr[i] = 100 + i;
	vcpu.saved.cr2 = 0x2000;
	set(VMCS_GUEST_RSP, 0x1000);
	set(VMCS_GUEST_CR0, CR0_PE | CR0_NE);
	set(VMCS_CR0_SHADOW, CR0_CD); /* and PE, which it does not decide */
	set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
	set(VMCS_CR4_SHADOW, 0);
	registers_read(&vcpu, &cpu);
	assert_int_equal(cpu.gpr[RAX], 100 + RAX);
	assert_int_equal(cpu.gpr[R15], 100 + R15);
	assert_int_equal(cpu.gpr[RSP], 0x1000);
	assert_int_equal(cpu.cr[0], CR0_PE | CR0_CD);
	assert_int_equal(cpu.cr[2], 0x2000);
	assert_int_equal(cpu.cr[4], CR4_PAE);
}

static void a_register_has_its_value(void **state)
{
	vcpu.regs.gpr[RSP] = 1;
	vcpu.regs.gpr[R9] = 9;
	set(VMCS_GUEST_RSP, 0x1000);
	set(VMCS_GUEST_RIP, 0x2000);
	assert_int_equal(registers_value(&vcpu, R9), 9);
	assert_int_equal(registers_value(&vcpu, RSP), 0x1000);
	assert_int_equal(registers_value(&vcpu, EXAMINE_RIP), 0x2000);
}

static void an_unusable_segment_has_no_rights(void **state)
{
	struct dump_cpu cpu;

	set(VMCS_GUEST_DS_SEL, 0x18);
	set(vmcs_segment_field(VMCS_GUEST_ES_AR, SEG_DS), 0xc093);
	set(vmcs_segment_field(VMCS_GUEST_ES_AR, SEG_LDTR), BIT(16) | 0x82);
	registers_read(&vcpu, &cpu);
	assert_int_equal(cpu.segment[DUMP_DS].selector, 0x18);
	assert_int_equal(cpu.segment[DUMP_DS].rights, 0xc093);
	assert_int_equal(cpu.segment[DUMP_LDTR].rights, 0);
}

static void registers_are_shown_in_qemus_layout(void **state)
{
	vcpu.regs.gpr[RAX] = 0xa;
	vcpu.regs.requests = VCPU_REQUEST_HALT;
	set(VMCS_GUEST_RIP, 0x100000);
	set(VMCS_GUEST_RFLAGS, BIT(1) | BIT(6));
	set(VMCS_GUEST_CS_SEL, 0x10);
	set(VMCS_GUEST_CS_LIMIT, UINT32_MAX);
	set(VMCS_GUEST_CS_AR, 0xa09b);
	set(VMCS_GUEST_SS_AR, 0xc0f3);
	set(VMCS_GUEST_GDTR_BASE, 0x5000);
	set(VMCS_GUEST_GDTR_LIMIT, 0x27);
	registers_show(&vcpu);
	assert_memory_equal(said, "CPU#1\nRAX=000000000000000a RBX=0000000000000000 ", 45);
	assert_non_null(strstr(said, "\nRIP=0000000000100000 RFL=00000042 [---Z---] CPL=3 HLT=1\n"
				     "ES =0000 0000000000000000 00000000 00000000\n"
				     "CS =0010 0000000000000000 ffffffff 00a09b00\n"
				     "SS =0000 0000000000000000 00000000 00c0f300\n"));
	assert_non_null(strstr(said, "\nGDT=     0000000000005000 00000027\n"
				     "IDT=     0000000000000000 00000000\n"
				     "CR0=00000000 CR2=0000000000000000 "
				     "CR3=0000000000000000 CR4=00000000\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(registers_are_read_as_the_guest_sees_them, set_up),
		cmocka_unit_test_setup(a_register_has_its_value, set_up),
		cmocka_unit_test_setup(an_unusable_segment_has_no_rights, set_up),
		cmocka_unit_test_setup(registers_are_shown_in_qemus_layout, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
