/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers that gdb reads and writes, of a vCPU that is a variable. */
#include "hv/gdb/registers.h"

#include <string.h>

#include "hv/devices/lapic.h"
#include "hv/host/msr.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vmx/vmcs.h"
#include "tests/unit/support.h"

static const struct cpuid_model model = {.cr4_allowed = CR4_PAE};
static struct vcpu vcpu;
static struct lapic lapic;
static uint64_t area[128];

static void set(enum vmcs_field field, uint64_t value)
{
	vmcs_set_guest_field(&vcpu.saved.vmcs, field, value);
}

static int set_up(void **state)
{
	memset(area, 0, sizeof(area));
	lapic = (struct lapic){.tpr = 0x30};
	vcpu = (struct vcpu){.cpuid = &model, .saved_in = &vcpu, .lapic = &lapic};
	vcpu.xsave_area = area;
	set(VMCS_GUEST_EFER, EFER_LMA);
	set(VMCS_GUEST_CS_AR, BIT(13));
	return 0;
}

static const struct gdb_register *find(const char *name)
{
	for (unsigned i = 0; i < gdb_n_registers; i++)
		if (strcmp(gdb_registers[i].name, name) == 0)
			return &gdb_registers[i];
	fail_msg("there is no register %s", name);
	return NULL;
}

static uint64_t get(const char *name)
{
	uint64_t value[GDB_REGISTER_MAX / 8];

	gdb_get_register(&vcpu, find(name), (uint8_t *)value);
	return value[0];
}

static enum status put(const char *name, uint64_t low)
{
	uint64_t value[GDB_REGISTER_MAX / 8] = {low};

	return gdb_set_register(&vcpu, find(name), (const uint8_t *)value);
}

/* Those that can be set have the value then; general ones keep it when others are set. */
static void what_is_set_is_read(void **state)
{
	unsigned n_set = 0;

	for (unsigned i = 0; i < gdb_n_registers; i++) {
		const char *name = gdb_registers[i].name;

		if (put(name, i + 2) != OK)
			continue;
		n_set++;
		if (strcmp(name, "eflags") != 0 && strcmp(name, "ftag") != 0)
			assert_int_equal(get(name), i + 2);
	}
	assert_int_equal(n_set, 16 + 2 + 8 + 4 + 16 + 1 + 2);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(get(gdb_registers[i].name), i + 2);
}

static void what_vm_entry_refuses_is_refused(void **state)
{
	assert_int_equal(put("rip", UINT64_C(0x800000000000)), ERR_UNSUPPORTED);
	assert_int_equal(put("fs_base", UINT64_C(0x800000000000)), ERR_UNSUPPORTED);
	assert_int_equal(put("mxcsr", 0x10000), ERR_UNSUPPORTED);
	assert_int_equal(put("cr0", 1), ERR_UNSUPPORTED);
	assert_int_equal(put("cs", 8), ERR_UNSUPPORTED);
	assert_int_equal(put("rip", UINT64_C(0x100000000)), OK);
	set(VMCS_GUEST_CS_AR, 0);
	assert_int_equal(put("rip", UINT64_C(0x100000000)), ERR_UNSUPPORTED);
	set(VMCS_GUEST_EFER, 0);
	assert_int_equal(put("rip", UINT64_C(0x100000000)), ERR_UNSUPPORTED);
}

static void flags_keep_what_an_event_needs(void **state)
{
	set(VMCS_GUEST_RFLAGS, 0x202);
	assert_int_equal(put("eflags", 0x101), OK); /* TF is not gdb's */
	assert_int_equal(get("eflags"), 0x3);
	vcpu.guest.event = INTR_VALID;
	assert_int_equal(put("eflags", 0x203), ERR_UNSUPPORTED);
	assert_int_equal(put("eflags", 0x2), OK);
	vcpu.guest.event = 0;
	set(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_STI);
	assert_int_equal(put("eflags", 0x202), ERR_UNSUPPORTED);
}

static void what_is_initial_is_read_as_reset(void **state)
{
	memset(area, 0xaa, 416);
	assert_int_equal(get("fctrl"), 0x37f);
	assert_int_equal(get("ftag"), 0xffff);
	assert_int_equal(get("mxcsr"), 0x1f80);
	assert_int_equal(get("st0"), 0);
	assert_int_equal(get("xmm0"), 0);
	assert_int_equal(put("ftag", 0xfffc), OK);
	assert_int_equal(get("ftag"), 0xfffc);
	assert_int_equal(area[XSAVE_HEADER / 8], 3);
}

static void system_registers_are_read(void **state)
{
	vcpu.saved.cr2 = 0x2000;
	vcpu.saved.switched_msr[SWITCHED_KERNEL_GS_BASE] = 0x4000;
	set(VMCS_GUEST_CR3, 0x3000);
	set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
	assert_int_equal(get("cr2"), 0x2000);
	assert_int_equal(get("cr3"), 0x3000);
	assert_int_equal(get("cr4"), CR4_PAE);
	assert_int_equal(get("cr8"), 3);
	assert_int_equal(get("efer"), EFER_LMA);
	assert_int_equal(get("k_gs_base"), 0x4000);
	assert_int_equal(get("cr0"), 0);
	assert_int_equal(get("cs"), 0);
	assert_int_equal(get("fiseg"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_set_is_read, set_up),
		cmocka_unit_test_setup(what_vm_entry_refuses_is_refused, set_up),
		cmocka_unit_test_setup(flags_keep_what_an_event_needs, set_up),
		cmocka_unit_test_setup(what_is_initial_is_read_as_reset, set_up),
		cmocka_unit_test_setup(system_registers_are_read, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
