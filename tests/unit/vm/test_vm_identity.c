/* SPDX-License-Identifier: BSD-2-Clause */
/* When clones get their GUIDs and seeds, over the real tree. */
#include <string.h>

#include "hv/vm/vm_identity.c"

#include "hv/frame/frame.h"
#include "hv/guest/region_map.h"
#include "tests/unit/all_vcpus.h"
#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"

#define N_CPUS	 2
#define N_CLONES 3

/* The first one is the template. The local APICs come after the struct. */
static _Alignas(8) char rooms[1 + N_CLONES][sizeof(struct vm) + N_CPUS * sizeof(struct lapic)];
static struct vcpu vcpu[1 + N_CLONES][N_CPUS];
static struct vm_config config;
static struct mem_map map;
static struct ept_layer *layer;

static struct vm *at(unsigned n)
{
	return (void *)rooms[n];
}

uint16_t random_machine(void)
{
	return 0x1234;
}

void random_fill(void *buf, size_t len)
{
	static uint8_t next;

	next++;
	memset(buf, next, len);
}

static void make(unsigned n)
{
	static const struct cpu_topology topology = {.n_cpus = N_CPUS,
						     .count = {N_CPUS, 1, 1, 1, 1}};
	struct vm *vm = at(n);

	memset(rooms[n], 0, sizeof(rooms[n]));
	memset(vcpu[n], 0, sizeof(vcpu[n]));
	vm->config = &config;
	vm->mem = &map;
	vm->memory = (struct guest_memory){.ept = &vm->ept, .map = &map};
	vm->vcpu = vcpu[n];
	vm->n_vcpus = N_CPUS;
	vm->index = n;
	vm->name = "v";
	vm->template = n > 0 ? at(0) : NULL;
	irqchip_reset(&vm->platform.irqchip, &topology, 46);
	vm_identity_make(vm);
}

/* A template that has had its GUID written, and clones that have not run. */
static int begin(void **state)
{
	struct mem_region ram = {.len = MIB(2), .kind = MEM_COW};

	machine_frames_add(MIB(16));
	config = (struct vm_config){.has_vmgenid = true};
	map = (struct mem_map){0};
	assert_int_equal(mem_map_add(&map, &ram), OK);
	assert_int_equal(ept_setup(), OK);
	make(0);
	assert_int_equal(ept_init(&at(0)->ept, 2, EPT_UNLIMITED), OK);
	assert_int_equal(region_map(&at(0)->ept, &ram), OK);
	assert_int_equal(vm_identity_write(at(0)), OK);
	assert_int_equal(vm_identity_hide(at(0)), OK);
	assert_int_equal(ept_freeze(&at(0)->ept, &layer), OK);
	while (ept_layer_freeze_some(layer, UINT32_MAX))
		;
	for (unsigned n = 1; n <= N_CLONES; n++) {
		make(n);
		ept_clone(&at(n)->ept, layer, EPT_UNLIMITED);
	}
	return 0;
}

static int end(void **state)
{
	for (unsigned n = 0; n <= N_CLONES; n++)
		ept_destroy(&at(n)->ept);
	ept_layer_put(layer);
	return 0;
}

static const uint8_t *in_memory(struct vm *vm)
{
	static uint8_t guid[16];

	assert_int_equal(guest_read(&vm->memory, (gpa_t){VMGENID_GPA}, guid, sizeof(guid)), OK);
	return guid;
}

static bool is_zero(const uint8_t *guid)
{
	static const uint8_t zeros[16];

	return memcmp(guid, zeros, sizeof(zeros)) == 0;
}

static const uint8_t *guid_of(const struct vm *vm)
{
	return vm->platform.fw_cfg.identity.guid;
}

static bool is_told(const struct vm *vm)
{
	return vm->platform.irqchip.ioapic.waiting & BIT(VMGENID_GSI);
}

/* Until its guest looks. The template's GUID is not there meanwhile. */
static void a_clone_whose_guest_does_not_look_has_no_page_for_its_guid(void **state)
{
	struct vm *clone = at(1);

	assert_true(is_zero(in_memory(clone)));
	assert_false(is_told(clone));
	for (unsigned i = 0; i < N_CPUS; i++)
		assert_int_equal(clone->vcpu[i].regs.requests, VCPU_REQUEST_IDENTITY);
	assert_int_equal(vm_identity_tell(clone), OK);
	assert_true(is_told(clone));
	assert_int_equal(clone->ept.n_owned, 0);
	assert_true(is_zero(in_memory(clone)));
	assert_int_equal(vm_identity_show(clone), OK);
	assert_memory_equal(in_memory(clone), guid_of(clone), 16);
	assert_memory_not_equal(guid_of(clone), guid_of(at(0)), 16);
	assert_true(is_zero(in_memory(at(0))));
}

/* The page is the guest's before anything else is there. */
static void the_page_is_where_the_guest_faults(void **state)
{
	assert_true(vm_identity_is_at(at(1), (gpa_t){VMGENID_GPA}));
	assert_true(vm_identity_is_at(at(1), (gpa_t){VMGENID_GPA + PAGE_SIZE - 1}));
	assert_false(vm_identity_is_at(at(1), (gpa_t){VMGENID_GPA - 1}));
	assert_false(vm_identity_is_at(at(1), (gpa_t){VMGENID_GPA + PAGE_SIZE}));
	config.has_vmgenid = false;
	assert_false(vm_identity_is_at(at(1), (gpa_t){VMGENID_GPA}));
}

/* A device of the guest writes to the page: it is memory like any other. */
static void others_may_write_to_the_page(void **state)
{
	struct vm *clone = at(1);

	assert_int_equal(guest_write(&clone->memory, (gpa_t){VMGENID_GPA + 100}, "abc", 4), OK);
	assert_string_equal(guest_byte(&clone->memory, (gpa_t){VMGENID_GPA + 100}), "abc");
	assert_true(is_zero(in_memory(clone)));
	assert_int_equal(vm_identity_tell(clone), OK);
	assert_memory_equal(in_memory(clone), guid_of(clone), 16);
}

/* Its freeze is refused after the page was hidden. */
static void a_vm_that_stays_one_keeps_its_guid(void **state)
{
	struct vm *vm = at(3);
	uint8_t before[16];

	assert_int_equal(vm_identity_show(vm), OK);
	memcpy(before, in_memory(vm), sizeof(before));
	assert_int_equal(vm_identity_hide(vm), OK);
	assert_true(is_zero(in_memory(vm)));
	assert_int_equal(vm_identity_show(vm), OK);
	assert_memory_equal(in_memory(vm), before, sizeof(before));
}

static void memory_that_is_shared_is_not_hidden(void **state)
{
	map.region[0].kind = MEM_SHARED;
	assert_int_equal(vm_identity_hide(at(3)), OK);
	assert_int_equal(at(3)->ept.n_owned, 0);
	map.region[0].kind = MEM_COW;
}

static void each_clone_has_a_guid_of_its_own(void **state)
{
	for (unsigned n = 1; n <= N_CLONES; n++)
		assert_int_equal(vm_identity_show(at(n)), OK);
	for (unsigned n = 1; n <= N_CLONES; n++)
		for (unsigned other = 0; other < n; other++)
			assert_memory_not_equal(in_memory(at(n)), guid_of(at(other)), 16);
}

/* The second vCPU to run changes nothing, and does not interrupt again. */
static void a_guid_is_told_once(void **state)
{
	struct vm *clone = at(1);
	uint8_t first[16];

	assert_int_equal(vm_identity_tell(clone), OK);
	clone->platform.irqchip.ioapic.waiting = 0;
	assert_int_equal(vm_identity_tell(clone), OK);
	assert_false(is_told(clone));
	assert_int_equal(vm_identity_show(clone), OK);
	memcpy(first, in_memory(clone), sizeof(first));
	assert_int_equal(vm_identity_tell(clone), OK);
	assert_false(is_told(clone));
	assert_memory_equal(in_memory(clone), first, sizeof(first));
	/* A reset writes the same again. */
	assert_int_equal(guest_zero(&clone->memory, (gpa_t){VMGENID_GPA}, 16), OK);
	assert_int_equal(vm_identity_write(clone), OK);
	assert_memory_equal(in_memory(clone), first, sizeof(first));
}

static void a_revert_gives_another_guid_and_seed(void **state)
{
	struct vm *clone = at(1);
	struct identity *identity = &clone->platform.fw_cfg.identity;
	struct identity before;

	assert_int_equal(vm_identity_tell(clone), OK);
	assert_int_equal(vm_identity_show(clone), OK);
	before = *identity;
	ept_reset(&clone->ept);
	ept_reclaim(&clone->ept);
	clone->vcpu[1].regs.requests = 0;
	vm_identity_renew(clone);
	assert_int_equal(clone->vcpu[1].regs.requests, VCPU_REQUEST_IDENTITY);
	assert_true(is_zero(in_memory(clone)));
	assert_int_equal(vm_identity_tell(clone), OK);
	assert_true(is_told(clone));
	assert_int_equal(vm_identity_show(clone), OK);
	assert_memory_not_equal(identity->guid, before.guid, 16);
	assert_false(identity->has_seed);
	assert_memory_equal(in_memory(clone), identity->guid, 16);
	assert_memory_equal(identity->mac, before.mac, 6);
}

/* Where the seed is read: hv/devices/fw_cfg.c. */
static void a_clone_has_not_its_template_s_seed(void **state)
{
	at(0)->platform.fw_cfg.identity.has_seed = true;
	at(0)->platform.fw_cfg.identity.job = "job"; /* or what was in the frame before */
	at(1)->platform.fw_cfg.identity = at(0)->platform.fw_cfg.identity;
	vm_identity_make(at(1));
	assert_false(at(1)->platform.fw_cfg.identity.has_seed);
	assert_null(at(1)->platform.fw_cfg.identity.job);
}

/* A clone that is frozen before it ran: its clones are told, it never is. */
static void a_clone_of_a_clone_that_never_ran_is_told(void **state)
{
	struct vm *middle = at(1), *clone = at(2);
	struct ept_layer *same;

	assert_int_equal(ept_freeze(&middle->ept, &same), OK);
	ept_destroy(&clone->ept);
	clone->template = middle;
	clone->platform.fw_cfg.identity = middle->platform.fw_cfg.identity;
	vm_identity_make(clone);
	ept_clone(&clone->ept, same, EPT_UNLIMITED);
	assert_int_equal(vm_identity_tell(clone), OK);
	assert_true(is_told(clone));
	assert_int_equal(vm_identity_show(clone), OK);
	assert_memory_equal(in_memory(clone), guid_of(clone), 16);
	assert_true(is_zero(in_memory(middle)));
	ept_layer_put(same);
}

static bool is_there(const struct vm *vm)
{
	unsigned level;

	return ept_lookup(&vm->ept, (gpa_t){VMGENID_GPA}, &level) & EPT_R;
}

/* The guest tries again, and never finds the page without the GUID. */
static void without_a_frame_the_page_stays_hidden(void **state)
{
	struct vm *clone = at(1);

	enum { NEEDED = 4 }; /* three tables and the page */

	for (uint64_t limit = 0; limit < NEEDED; limit++) {
		clone->ept.max_owned = limit;
		assert_int_equal(vm_identity_show(clone), ERR_NOMEM);
		assert_false(is_there(clone));
		assert_true(is_zero(in_memory(clone)));
	}
	clone->ept.max_owned = NEEDED;
	assert_int_equal(vm_identity_show(clone), OK);
	assert_memory_equal(in_memory(clone), guid_of(clone), 16);
}

/* Loaded from a saved state: its page is there, and has an old GUID. */
static void a_vm_whose_page_is_there_gets_the_guid_before_it_runs(void **state)
{
	struct vm *vm = at(1);

	assert_int_equal(guest_write(&vm->memory, (gpa_t){VMGENID_GPA}, "old", 3), OK);
	vm->ept.max_owned = vm->ept.n_owned;
	assert_int_equal(vm_identity_tell(vm), OK);
	assert_true(is_told(vm));
	assert_memory_equal(in_memory(vm), guid_of(vm), 16);
}

static void a_configured_guid_is_the_vm_s_not_its_clones(void **state)
{
	config.has_guid = true;
	memset(config.guid, 0xee, sizeof(config.guid));
	make(3);
	at(3)->template = NULL;
	ept_clone(&at(3)->ept, layer, EPT_UNLIMITED);
	assert_int_equal(vm_identity_show(at(3)), OK);
	assert_memory_equal(in_memory(at(3)), config.guid, 16);
	assert_int_equal(vm_identity_show(at(1)), OK);
	assert_memory_not_equal(in_memory(at(1)), config.guid, 16);
	ept_layer_put(layer); /* of the tree that this test has replaced */
}

static void without_the_device_nothing_is_told(void **state)
{
	struct vm *clone = at(1);

	config.has_vmgenid = false;
	clone->vcpu[0].regs.requests = 0;
	vm_identity_renew(clone);
	assert_int_equal(clone->vcpu[0].regs.requests, 0);
	assert_int_equal(vm_identity_write(clone), OK);
	assert_int_equal(vm_identity_hide(clone), OK);
	assert_int_equal(clone->ept.n_owned, 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_clone_whose_guest_does_not_look_has_no_page_for_its_guid),
		TEST(the_page_is_where_the_guest_faults),
		TEST(others_may_write_to_the_page),
		TEST(a_vm_that_stays_one_keeps_its_guid),
		TEST(memory_that_is_shared_is_not_hidden),
		TEST(each_clone_has_a_guid_of_its_own),
		TEST(a_guid_is_told_once),
		TEST(a_revert_gives_another_guid_and_seed),
		TEST(a_clone_has_not_its_template_s_seed),
		TEST(a_clone_of_a_clone_that_never_ran_is_told),
		TEST(without_a_frame_the_page_stays_hidden),
		TEST(a_vm_whose_page_is_there_gets_the_guid_before_it_runs),
		TEST(a_configured_guid_is_the_vm_s_not_its_clones),
		TEST(without_the_device_nothing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
