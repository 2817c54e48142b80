/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers that decide how addresses translate are those of the saved state. */
#include "hv/vcpu/saved_paging.h"

#include "hv/host/msr.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vmx/vmcs.h"
#include "tests/unit/support.h"

static struct vcpu own, vcpu = {.saved_in = &own};

static void set(unsigned field, uint64_t value)
{
	vmcs_set_guest_field(&own.saved.vmcs, (enum vmcs_field)field, value);
}

static void the_registers_of_paging_are_the_processors(void **state)
{
	struct guest_memory memory = {0};
	struct guest_paging paging;

	set(VMCS_GUEST_CR0, CR0_PE | CR0_NE);
	set(VMCS_GUEST_CR3, 0x5000);
	set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
	set(VMCS_GUEST_EFER, 0x500);
	set(VMCS_GUEST_PDPTE0 + 6, 0x7001);
	vcpu_read_saved_paging(&vcpu, &memory, &paging);
	assert_ptr_equal(paging.memory, &memory);
	assert_int_equal(paging.cr0, CR0_PE | CR0_NE);
	assert_int_equal(paging.cr3, 0x5000);
	assert_int_equal(paging.cr4, CR4_PAE | CR4_VMXE);
	assert_int_equal(paging.efer, 0x500);
	assert_int_equal(paging.pdpte[3], 0x7001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_registers_of_paging_are_the_processors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
