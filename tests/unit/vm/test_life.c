/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Actions on a VM that meet others: the files of the machine, with the rest of the machine played
 * by this test, which does what another processor might do in the middle.
 */
#include "hv/vcpu/vcpu.c"
#include "hv/vm/life.c"
#include "hv/vm/merge_scan.h"
#include "hv/vm/vm.c"
#include <string.h>

#include "tests/unit/all_vcpus.h"
#include "tests/unit/support.h"

uint64_t tsc_hz = 1000000000;

#define N_VCPUS 2
#define WEIGHT	300

static struct vcpu vcpu[N_VCPUS];
static struct cpu cpu;
static struct mem_map no_memory;
static struct vm vm;
static struct ept_layer layer;
static void (*meanwhile)(void); /* what another processor does during the action */
static unsigned n_made_ready, n_ended;
static bool freezes;
static unsigned n_pieces; /* of a freeze */
static unsigned n_charged, n_gone;
static unsigned n_reverted, n_reloaded;
static unsigned n_pays;	    /* for the console */
static size_t n_log_before; /* bytes of the log then */

struct cpu *cpus[CPU_MAX];
unsigned n_cpus;

static void happen(void)
{
	void (*act)(void) = meanwhile;

	meanwhile = NULL;
	if (act)
		act();
}

void vm_merge_pause(struct vm *of)
{
}

void platform_reset(struct platform *platform)
{
	happen();
}

void template_revert(struct vm *clone)
{
	n_reverted++;
	happen();
}

void template_revert_loaded(struct vm *clone)
{
	n_reverted++;
}

bool template_freeze(struct vm *of)
{
	if (freezes)
		vm.layer = &layer;
	return freezes && --n_pieces == 0;
}

void vm_net_leave(struct vm *of)
{
}

bool template_lines_wait = true;

void template_retry_waiting(void)
{
}

void template_vm_ends(struct vm *of)
{
	n_ended++;
}

void template_vm_gone(struct vm *of)
{
}

static unsigned n_discards; /* pieces that are left */

bool vm_discard_some(struct vm *of)
{
	return n_discards > 0 && --n_discards > 0;
}

static unsigned n_frees; /* the same */

bool vm_free_some(struct vm *of)
{
	assert_int_equal(n_discards, 0);
	return n_frees > 0 && --n_frees > 0;
}

void vm_release(struct vm *of)
{
	assert_int_equal(n_discards + n_frees, 0);
}

void map_report(struct vm *of, uint64_t n_private)
{
}

void vm_flush_output(struct vm *of)
{
}

/* Before the line it is about. */
void vm_output_pays(struct vm *of)
{
	assert_ptr_equal(of, &vm);
	n_pays++;
	n_log_before = strlen(logged);
}

void vm_output_put(struct vm *of, const char *line, size_t len)
{
}

void vcpu_load(struct vcpu *of, struct cpu *on)
{
}

void vcpu_put(struct vcpu *of)
{
}

void vcpu_reload(struct vcpu *of)
{
	assert_int_equal(n_reverted, 1);
	n_reloaded++;
}

void vcpu_forget_vmcs(struct vcpu *of)
{
	of->last_cpu = NULL;
}

void vcpu_report_registers(const struct vcpu *of, enum log_level level)
{
}

void vmcs_fail(const char *what, enum vmcs_field field)
{
	__builtin_trap();
}

void sched_charge_work(struct share *share, uint64_t ticks)
{
	assert_ptr_equal(share, &vm.share);
	n_charged += ticks > 0;
}

void sched_move_used(struct share *from, uint64_t *to)
{
	*to += from->used;
	from->used = 0;
}

void sched_remove(unsigned n, uint16_t weight, uint64_t ticks)
{
	n_gone += n;
	assert_int_equal(weight, WEIGHT);
	n_charged += ticks > 0;
}

void sched_add(struct vcpu *vcpus, unsigned n)
{
}

void sched_make_ready(struct vcpu *vcpus, unsigned n)
{
	n_made_ready += n;
}

void sched_pause(struct vcpu *vcpus, unsigned n, bool on)
{
}

void sched_request(struct vcpu *of, uint32_t requests)
{
	vcpu_request(of, requests);
}

static int setup(void **state)
{
	memset(&vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	memset(&layer, 0, sizeof(layer));
	vm.name = "t";
	vm.vcpu = vcpu;
	vm.n_vcpus = N_VCPUS;
	vm.share.weight = WEIGHT;
	vm.mem = &no_memory;
	for (unsigned i = 0; i < N_VCPUS; i++) {
		vcpu[i].vm = &vm;
		vcpu[i].number = (uint16_t)i;
		vcpu[i].last_cpu = &cpu;
	}
	n_made_ready = n_ended = n_charged = n_gone = 0;
	n_reverted = n_reloaded = 0;
	freezes = false;
	n_pieces = 1;
	n_discards = n_frees = 0;
	return 0;
}

/* All vCPUs stop for the actions asked for. Returns how many are gone. */
static unsigned gather(void)
{
	for (unsigned i = 0; i < N_VCPUS; i++)
		__atomic_fetch_and(&vcpu[i].regs.requests, ~(uint32_t)VCPU_REQUEST_GATHER,
				   __ATOMIC_RELAXED);
	n_gone = 0;
	vm_gathered(&vm);
	assert_int_equal(n_gone, 0);
	vm_gathered(&vm);
	return n_gone;
}

static bool all_have(uint32_t request)
{
	bool have = true;

	for (unsigned i = 0; i < N_VCPUS; i++)
		have &= (vcpu[i].regs.requests & request) != 0;
	return have;
}

static void destroy(void)
{
	vm_end(&vm, VM_ENDED_WELL, "ended by the operator");
}

static void an_end_during_a_reset_is_not_lost(void **state)
{
	vm_gather(&vm, VM_RESET);
	meanwhile = destroy;
	assert_int_equal(gather(), 0);
	assert_int_equal(n_made_ready, N_VCPUS);
	assert_true(all_have(VCPU_REQUEST_GATHER));
	assert_int_equal(gather(), N_VCPUS);
	assert_int_equal(n_ended, 1);
}

static void a_reset_leaves_no_older_request(void **state)
{
	vm_gather(&vm, VM_RESET);
	vcpu_request(&vcpu[0], VCPU_REQUEST_HALT | VCPU_REQUEST_UART);
	vcpu_request(&vcpu[1], VCPU_REQUEST_LEAVE);
	assert_int_equal(gather(), 0);
	assert_int_equal(vcpu[0].regs.requests, VCPU_REQUEST_TIMER | VCPU_REQUEST_START);
	assert_int_equal(vcpu[1].regs.requests, VCPU_REQUEST_TIMER | VCPU_REQUEST_HALT);
	assert_true(vm.devices_changed);
}

static void a_press_reaches_the_devices_before_a_freeze(void **state)
{
	vm_press_power_button(&vm);
	vm_gather(&vm, VM_FREEZE);
	assert_int_equal(vm.platform.irqchip.ioapic.waiting, 0);
	assert_int_equal(gather(), 0);
	assert_int_equal(vm.platform.irqchip.ioapic.waiting, BIT(PM_POWER_BUTTON_GSI));
	assert_false(vcpu[0].regs.requests & VCPU_REQUEST_BUTTON);
	vm.platform.irqchip.ioapic.waiting = 0;
	vm_deliver_press(&vm);
	assert_int_equal(vm.platform.irqchip.ioapic.waiting, 0);
}

static void a_press_outlives_a_revert_but_no_reset(void **state)
{
	vm_press_power_button(&vm);
	vm_gather(&vm, VM_REVERT);
	assert_int_equal(gather(), 0);
	assert_true(vcpu[0].regs.requests & VCPU_REQUEST_BUTTON);
	vm_gather(&vm, VM_RESET);
	assert_int_equal(gather(), 0);
	assert_false(vcpu[0].regs.requests & VCPU_REQUEST_BUTTON);
	assert_int_equal(vm.platform.irqchip.ioapic.waiting, 0);
}

static void a_revert_beside_a_freeze_leaves_no_state_in_a_vmcs(void **state)
{
	vm_gather(&vm, VM_FREEZE);
	vm_gather(&vm, VM_REVERT);
	assert_int_equal(gather(), 0);
	for (unsigned i = 0; i < N_VCPUS; i++)
		assert_null(vcpu[i].last_cpu);
}

static void the_end_comes_first(void **state)
{
	vm_gather(&vm, VM_RESET);
	destroy();
	assert_int_equal(gather(), N_VCPUS);
	assert_int_equal(n_ended, 1);
	assert_int_equal(n_made_ready, 0);
}

static void a_vm_that_cannot_freeze_goes_on(void **state)
{
	vm_gather(&vm, VM_FREEZE);
	assert_int_equal(gather(), 0);
	assert_int_equal(n_made_ready, N_VCPUS);
	freezes = true;
	n_pieces = 1;
	vm_gather(&vm, VM_FREEZE);
	assert_int_equal(gather(), N_VCPUS);
	assert_int_equal(n_made_ready, N_VCPUS);
}

static unsigned count_lines(const char *with)
{
	unsigned n = 0;

	for (const char *at = strstr(logged, with); at; at = strstr(at + 1, with))
		n++;
	return n;
}

static void a_vm_pays_for_the_lines_about_its_end(void **state)
{
	log_reset();
	vm.name = "v";
	n_pays = 0;
	vm_end(&vm, VM_ENDED_WELL, "as wanted");
	assert_int_equal(gather(), N_VCPUS);
	assert_int_equal(n_pays, 1);
	assert_ptr_equal(strstr(logged, "VM v: ended"), logged + n_log_before);
}

/* Half of a hundred clones fail. */
static void end_clones(struct vm *template, enum log_level level)
{
	log_reset();
	log_set_level(level);
	n_pays = 0;
	for (unsigned i = 0; i < 100; i++) {
		setup(NULL);
		vm.name = "t-?";
		vm.template = template;
		vm_end(&vm, i % 2 ? VM_ENDED_WELL : VM_FAILED, "as wanted");
		assert_int_equal(gather(), N_VCPUS);
	}
	log_set_level(LOG_DEBUG);
}

static void clones_that_end_well_have_no_line(void **state)
{
	struct vm template = {0};

	end_clones(&template, LOG_INFO);
	assert_int_equal(n_pays, 8); /* those of which there are lines */
	assert_int_equal(count_lines("ended: as wanted\n"), 0);
	assert_int_equal(count_lines("error: VM t-?: failed: as wanted\n"), 8);
	assert_int_equal(count_lines("private memory"), 8);
	assert_int_equal(template.n_clones_ended, 100);
	assert_int_equal(template.n_clones_failed, 50);
	assert_int_equal(template.n_untold, 50 - 8);
	assert_true(template.has_new_sum);
}

static void at_debug_each_clone_has_its_lines(void **state)
{
	struct vm template = {0};

	end_clones(&template, LOG_DEBUG);
	assert_int_equal(count_lines("VM t-?: ended: as wanted\n"), 50);
	assert_int_equal(count_lines("VM t-?: failed: as wanted\n"), 50);
	assert_int_equal(count_lines("private memory"), 100);
}

/* Whether a clone that ends well has a line. */
static bool is_end_logged(struct clone_config *line, uint8_t by_operator)
{
	static struct vm template;

	setup(NULL);
	log_reset();
	log_set_level(LOG_INFO);
	vm.name = "c";
	vm.template = &template;
	vm.made_for = line;
	vm.by_operator = by_operator;
	vm_end(&vm, VM_ENDED_WELL, "as wanted");
	assert_int_equal(gather(), N_VCPUS);
	log_set_level(LOG_DEBUG);
	return count_lines("VM c: ended: as wanted\n") == 1;
}

static void a_clone_that_was_named_has_a_line(void **state)
{
	struct clone_config unnamed = {.count = 20}, named = {.count = 1, .name = "c"};

	assert_false(is_end_logged(NULL, 0));
	assert_false(is_end_logged(&unnamed, 0));
	assert_false(is_end_logged(&unnamed, VM_BY_OPERATOR));
	assert_true(is_end_logged(&named, 0));
	assert_true(is_end_logged(&unnamed, VM_BY_NAME));
}

/* The operator has made room, and continues a clone, which then pauses again. */
static void after_the_operator_has_acted_a_pause_is_logged_again(void **state)
{
	struct vm template = {0};

	vm.template = &template;
	for (unsigned i = 0; i < 100; i++)
		(void)vm_may_tell(&vm, VM_TOLD_PAUSED, LOG_WARNING);
	vm_pause(&vm, true);
	assert_false(vm_may_tell(&vm, VM_TOLD_PAUSED, LOG_WARNING));
	vm_pause(&vm, false);
	assert_true(vm_may_tell(&vm, VM_TOLD_PAUSED, LOG_WARNING));
}

static void the_time_of_an_action_is_charged(void **state)
{
	vm_gather(&vm, VM_RESET);
	assert_int_equal(gather(), 0);
	assert_int_equal(n_charged, 1);
	freezes = true;
	vm_gather(&vm, VM_FREEZE);
	assert_int_equal(gather(), N_VCPUS);
	assert_int_equal(n_charged, 2);
	vm.layer = NULL;
	destroy();
	assert_int_equal(gather(), N_VCPUS);
	assert_int_equal(n_charged, 3);
}

/* The first vCPU alone is scheduled again; its others stay where they are. */
static unsigned gather_first(enum vm_action action)
{
	assert_int_equal(vcpu[0].regs.requests & VCPU_REQUEST_GATHER, VCPU_REQUEST_GATHER);
	assert_true(vm.actions & action);
	n_gone = 0;
	vm_gathered(&vm);
	return n_gone;
}

static void a_large_vm_freezes_in_pieces(void **state)
{
	freezes = true;
	n_pieces = 3;
	vm_gather(&vm, VM_FREEZE);
	assert_int_equal(gather(), 0);
	assert_int_equal(n_made_ready, 1);
	assert_int_equal(gather_first(VM_FREEZE), 0);
	assert_int_equal(n_made_ready, 2);
	/* What is asked for meanwhile is dropped, as of any template. */
	vm_gather(&vm, VM_RESET);
	vm_gather(&vm, VM_REVERT);
	assert_int_equal(gather_first(VM_FREEZE), N_VCPUS);
	assert_int_equal(n_made_ready, 2);
}

/* Other VMs have their turn between two pieces, and it is charged for each. */
static void a_vm_that_ends_discards_its_memory_in_pieces(void **state)
{
	n_discards = 3;
	destroy();
	assert_int_equal(gather(), 0);
	assert_int_equal(n_made_ready, 1);
	vm_gather(&vm, VM_REVERT);
	assert_int_equal(gather_first(VM_END), 0);
	assert_int_equal(n_made_ready, 2);
	assert_int_equal(n_charged, 2);
	assert_int_equal(n_ended, 0);
	assert_int_equal(gather_first(VM_END), N_VCPUS);
	assert_int_equal(n_ended, 1);
	assert_int_equal(n_reverted, 0);
}

/* It has ended for all others before the first piece is freed, and no action reaches it. */
static void a_vm_that_ends_frees_its_memory_in_pieces(void **state)
{
	n_discards = 2;
	n_frees = 3;
	destroy();
	assert_int_equal(gather(), 0);
	assert_int_equal(n_ended, 0);
	assert_int_equal(gather_first(VM_END), 0);
	assert_int_equal(n_ended, 1);
	vm_gather(&vm, VM_REVERT);
	vm_gather(&vm, VM_END);
	assert_int_equal(gather_first(VM_FREE), 0);
	assert_int_equal(n_charged, 3);
	assert_int_equal(n_made_ready, 3);
	assert_int_equal(gather_first(VM_FREE), N_VCPUS);
	assert_int_equal(n_ended, 1);
	assert_int_equal(n_reverted, 0);
}

static bool reverts_at_once(uint32_t requests)
{
	n_reverted = n_reloaded = 0;
	vcpu[0].regs.requests = requests;
	if (vm_revert_at_once(&vcpu[0]))
		return n_reverted == 1 && n_reloaded == 1;
	assert_int_equal(n_reverted + n_reloaded, 0);
	return false;
}

/* Otherwise the vCPU leaves, and vm_gathered() reverts. */
static void only_a_vcpu_without_other_business_reverts_at_once(void **state)
{
	assert_false(reverts_at_once(0)); /* the VM has two */
	vm.n_vcpus = 1;
	assert_true(reverts_at_once(0));
	assert_true(reverts_at_once(VCPU_REQUEST_TIMER | VCPU_REQUEST_LEAVE));
	assert_false(reverts_at_once(VCPU_REQUEST_GATHER));
	assert_false(reverts_at_once(VCPU_REQUEST_VIRTIO | VCPU_REQUEST_TIMER));
	vcpu[0].is_stepping = 1;
	assert_false(reverts_at_once(0));
	vcpu[0].is_stepping = 0;
	vcpu[0].is_paused = true;
	assert_false(reverts_at_once(0));
	vcpu[0].is_paused = false;
	vm.is_debugged = true;
	assert_false(reverts_at_once(0));
}

/* It is a template first, and then given up. */
static void a_vm_that_freezes_does_not_end(void **state)
{
	freezes = true;
	n_pieces = 3;
	vm_gather(&vm, VM_FREEZE);
	assert_int_equal(gather(), 0);
	destroy();
	assert_int_equal(gather_first(VM_FREEZE), 0);
	assert_int_equal(n_pieces, 1);
	assert_int_equal(gather_first(VM_FREEZE), N_VCPUS);
	assert_int_equal(n_pieces, 0);
	assert_int_equal(n_ended, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_end_during_a_reset_is_not_lost),
		TEST(a_reset_leaves_no_older_request),
		TEST(a_press_reaches_the_devices_before_a_freeze),
		TEST(a_press_outlives_a_revert_but_no_reset),
		TEST(a_revert_beside_a_freeze_leaves_no_state_in_a_vmcs),
		TEST(the_end_comes_first),
		TEST(a_vm_that_cannot_freeze_goes_on),
		TEST(a_vm_pays_for_the_lines_about_its_end),
		TEST(clones_that_end_well_have_no_line),
		TEST(at_debug_each_clone_has_its_lines),
		TEST(a_clone_that_was_named_has_a_line),
		TEST(after_the_operator_has_acted_a_pause_is_logged_again),
		TEST(the_time_of_an_action_is_charged),
		TEST(a_large_vm_freezes_in_pieces),
		TEST(a_vm_that_ends_discards_its_memory_in_pieces),
		TEST(a_vm_that_ends_frees_its_memory_in_pieces),
		TEST(a_vm_that_freezes_does_not_end),
		TEST(only_a_vcpu_without_other_business_reverts_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
