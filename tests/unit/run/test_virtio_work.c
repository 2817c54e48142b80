/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that a balloon gives back are free after all processors have forgotten them, not before.
 */
#include "hv/run/virtio.c"

#include "hv/ept/merged.h"
#include "hv/virtio/virtio_balloon.h"
#include "hv/vm/tell.h"
#include "tests/unit/virtio_driver.h"

#define PAGES (RAM + MIB(4))

static const struct virtio_config config = {.kind = &virtio_balloon,
					    .features = VIRTIO_BALLOON_F_REPORTING};
static struct vm vm;
static struct vcpu vcpus[2];
static unsigned n_flushes, n_stops, n_begun, n_ended;
static uint64_t free_at_flush;
static uint16_t n_used_at_flush;

/* The flush waits for others: it holds nothing that they may need. */
void vcpu_flush(struct vcpu *vcpu, uint64_t generation)
{
	assert_ptr_equal(vcpu, &vcpus[1]);
	assert_true(vcpu->has_moved_on);
	assert_int_equal(generation, vm.ept.generation);
	assert_int_equal(vm.lock.next, vm.lock.serving);
	assert_int_equal(vm.devices_lock.next, vm.devices_lock.serving);
	vcpu->ept_generation = generation;
	vcpu->has_moved_on = false;
	free_at_flush = frame_available();
	n_used_at_flush = n_used(VIRTIO_BALLOON_INFLATE);
	n_flushes++;
}

void random_fill(void *buf, size_t len)
{
	fail();
}

void stop_for_memory(struct vcpu *vcpu, gpa_t gpa)
{
	n_stops++;
}

void vm_net_look(struct vm *of)
{
}

enum status vm_net_connect(struct vm *of, struct virtio *to)
{
	return OK;
}

void vm_console_note(struct vm *of)
{
	fail();
}

/* Both hold the devices and no memory: they take locks of their own. */
void vm_console_begin(struct vm *of, const struct virtio *from, struct console_piece *piece)
{
	assert_int_equal(vm.lock.next, vm.lock.serving);
	assert_int_not_equal(vm.devices_lock.next, vm.devices_lock.serving);
	n_begun++;
}

void vm_console_end(struct vm *of, const struct virtio *from, const struct console_piece *piece,
		    bool is_taken)
{
	assert_int_equal(vm.lock.next, vm.lock.serving);
	assert_int_not_equal(vm.devices_lock.next, vm.devices_lock.serving);
	assert_true(is_taken);
	n_ended++;
}

void vm_balloon_look(struct vm *of)
{
	assert_ptr_equal(of, &vm);
}

struct virtio *platform_busy_virtio(struct platform *platform)
{
	return virtio_has_work(&device) ? &device : NULL;
}

void platform_update_virtio(struct platform *platform)
{
}

void vm_kick_receivers(struct vm *of)
{
}

static int set_up(void **state)
{
	setup(state);
	merged_reset();
	vm = (struct vm){.ept = ept, .vcpu = vcpus, .n_vcpus = 2};
	vm.memory = (struct guest_memory){.ept = &vm.ept, .map = &map};
	memory = (struct guest_memory){.ept = &vm.ept, .map = &map};
	for (unsigned i = 0; i < 2; i++)
		vcpus[i] = (struct vcpu){.vm = &vm, .ept = &vm.ept};
	n_flushes = n_stops = n_begun = n_ended = 0;
	start_device(&config, config.features);
	for (uint32_t i = 0; i < 100; i++)
		put(PAGES + i * PAGE_SIZE, "own", 4);
	put16(USED(0) + 2, 0);
	return 0;
}

static int tear_down(void **state)
{
	ept = vm.ept;
	memory.ept = &ept;
	return teardown(state);
}

static void give(unsigned n)
{
	for (uint32_t i = 0; i < n; i++)
		put(BUFFER + 4 * i, &(uint32_t){(uint32_t)(PAGES / PAGE_SIZE) + i}, 4);
	describe(DESC(0), 0, (struct desc){BUFFER, 4 * n, 0, 0});
	offer(0, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	vcpus[1].ept_generation = vm.ept.generation;
}

static void frames_are_free_after_the_flush(void **state)
{
	uint64_t before;

	give(100);
	before = frame_available();
	assert_int_equal(virtio_work_some(&vcpus[1]), OK);
	assert_int_equal(n_flushes, 1);
	assert_int_equal(free_at_flush, before);
	assert_int_equal(frame_available(), before + 64);
	assert_int_equal(virtio_work_some(&vcpus[1]), OK);
	assert_int_equal(n_flushes, 2);
	assert_int_equal(free_at_flush, before + 64);
	assert_int_equal(frame_available(), before + 100);
	/* The driver has its chain back when all of them are gone. */
	assert_int_equal(n_used_at_flush, 0);
	assert_int_equal(virtio_work_some(&vcpus[1]), OK);
	assert_int_equal(n_used(0), 1);
	assert_int_equal(n_flushes, 2);
	assert_int_equal(n_stops, 0);
	assert_int_equal(n_begun, 3);
	assert_int_equal(n_ended, 3);
}

static void without_frames_there_is_nothing_to_wait_for(void **state)
{
	give(0);
	while (virtio_work_some(&vcpus[1]) == OK)
		;
	assert_int_equal(n_flushes, 0);
	assert_int_equal(n_stops, 0);
}

#define WORK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORK_TEST(frames_are_free_after_the_flush),
		WORK_TEST(without_frames_there_is_nothing_to_wait_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
