/* SPDX-License-Identifier: BSD-2-Clause */
/* Which lines the ports of a VM print, and which port gets what is typed. */
#include "hv/vm/console.h"

#include <string.h>

#include "hv/virtio/virtio_console.h"
#include "hv/virtio/virtio_rng.h"
#include "hv/virtio/virtio_vsock.h"
#include "hv/vm/serial.c"
#include "tests/unit/support.h"

#include "tests/unit/platform_parts.h"

static struct virtio_console_config console = {
	.base = {.kind = &virtio_console,
		 .features = VIRTIO_CONSOLE_F_MULTIPORT | VIRTIO_CONSOLE_F_EMERG_WRITE},
	.n_ports = 2,
};
static const struct virtio_config rng = {.kind = &virtio_rng, .next = &console.base};
static const struct virtio_config vsock = {.kind = &virtio_vsock};

static struct {
	_Alignas(64) char room[KIB(16)];
	struct platform_wiring wiring;
	struct vcpu vcpu;
	struct vm_config config;
} all;
static struct vm *const vm = (struct vm *)all.room;
static struct virtio *device;
static struct console_piece piece;
static char shown[1000], raw[100];
static bool is_attached, holds;

void vm_output_put(struct vm *of, const char *line, size_t len)
{
	strncat(shown, line, len);
}

bool vm_output_put_raw(struct vm *of, uint8_t byte)
{
	if (is_attached)
		strncat(raw, (const char *)&byte, 1);
	return is_attached;
}

bool vm_output_holds(struct vm *of)
{
	return holds;
}

static int set_up(void **state)
{
	static const struct cpu_topology topology = TOPOLOGY_ONE_CPU;
	const struct platform_config config = {.topology = &topology,
					       .phys_bits = 40,
					       .tsc_hz = 1000000000,
					       .extras = {.n_virtio = 3},
					       .virtio = &rng};

	memset(&all, 0, sizeof(all));
	console.base.next = &vsock;
	assert_true(offsetof(struct vm, platform) + platform_whole_size(1, config.extras) <=
		    sizeof(all.room));
	vm->name = "a";
	vm->vcpu = &all.vcpu;
	vm->config = &all.config;
	all.config.virtio = &rng;
	all.config.has_console_port = true;
	console.port[0] = (struct virtio_console_port){
		.is_there = true, .is_shown = true, .has_input = true, .label = "c"};
	console.port[1] =
		(struct virtio_console_port){.is_there = true, .is_shown = true, .label = "agent"};
	platform_place_parts(&vm->platform, 1, config.extras);
	assert_int_equal(platform_init(&vm->platform, &all.wiring, &config), OK);
	device = &platform_virtio(&vm->platform)[1];
	shown[0] = raw[0] = '\0';
	is_attached = holds = false;
	return 0;
}

static void send(unsigned port, const char *text)
{
	piece = (struct console_piece){.port = port, .n_sent = (uint32_t)strlen(text)};
	memcpy(piece.sent, text, strlen(text));
	vm_console_end(vm, device, &piece, false);
}

static void type(const char *text)
{
	while (*text != '\0')
		vm_put_input(vm, (uint8_t)*text++);
}

static void a_port_in_the_place_of_com1_prints_the_vms_lines(void **state)
{
	send(0, "one\r\ntw");
	send(0, "o\n$ ");
	assert_string_equal(shown, "a: one\na: two\n");
	vm_flush_output(vm);
	assert_string_equal(shown, "a: one\na: two\na: $ \n");
}

static void another_port_has_its_label(void **state)
{
	send(0, "begun");
	send(1, "x\ny");
	send(0, ", done\n");
	assert_string_equal(shown, "a: begun\na/agent: x\na/agent: y\na: , done\n");
}

static void a_port_without_a_terminal_is_silent(void **state)
{
	console.port[1].is_shown = false;
	send(1, "x\n");
	console.port[1] = (struct virtio_console_port){.is_shown = true};
	send(1, "x\n");
	assert_string_equal(shown, "");
}

static void an_attached_console_shows_the_port_in_com1s_place_alone(void **state)
{
	is_attached = true;
	send(0, "x\r\n");
	send(1, "y\n");
	assert_string_equal(raw, "x\r\n");
	assert_string_equal(shown, "a/agent: y\n");
}

static void typed_bytes_are_taken_once(void **state)
{
	type("hello");
	vm_take_input(vm); /* COM1 gets nothing */
	assert_int_equal(vm->platform.uart.rx_count, 0);
	vm_console_begin(vm, device, &piece);
	assert_int_equal(piece.n_typed, 5);
	assert_memory_equal(piece.typed, "hello", 5);
	assert_false(piece.is_held);
	piece.n_taken = 2;
	vm_console_end(vm, device, &piece, false); /* to be done again */
	vm_console_begin(vm, device, &piece);
	assert_int_equal(piece.n_typed, 5);
	piece.n_taken = 2;
	vm_console_end(vm, device, &piece, true);
	type("!");
	vm_console_begin(vm, device, &piece);
	assert_int_equal(piece.n_taken, 0);
	assert_memory_equal(piece.typed, "llo!", 4);
	assert_int_equal(piece.n_typed, 4);
}

static void they_go_to_com1_if_that_is_the_operators(void **state)
{
	all.config.has_console_port = false;
	type("h");
	vm_console_begin(vm, device, &piece);
	assert_int_equal(piece.n_typed, 0);
	vm_take_input(vm);
	assert_int_equal(vm->platform.uart.rx_count, 1);
}

static void output_may_be_held(void **state)
{
	holds = true;
	vm_console_begin(vm, device, &piece);
	assert_true(piece.is_held);
}

static void other_devices_have_no_part_in_it(void **state)
{
	type("x");
	piece = (struct console_piece){.n_sent = 1, .sent = "x", .n_taken = 1};
	vm_console_begin(vm, device - 1, &piece);
	assert_int_equal(piece.n_typed, 0);
	vm_console_end(vm, device - 1, &piece, true);
	assert_string_equal(shown, "");
	assert_true(vm_has_input(vm));
}

static void lines_by_a_socket_have_their_label(void **state)
{
	piece = (struct console_piece){.n_sent = 5, .sent = "line\n"};
	vm_console_end(vm, device + 1, &piece, true);
	assert_string_equal(shown, "a/vsock: line\n");
	holds = true;
	vm_console_begin(vm, device + 1, &piece);
	assert_true(piece.is_held);
	assert_int_equal(piece.n_sent, 0);
	device[1].status = VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK;
	device[1].queue[VIRTIO_VSOCK_SEND].is_ready = true;
	assert_true(vm_console_look(vm));
	assert_int_equal(device[1].notified, BIT(VIRTIO_VSOCK_SEND));
}

static void an_emergency_write_is_shown(void **state)
{
	vm_console_note(vm);
	virtio_write_space(device, 8, 4, 'e');
	vm_console_note(vm);
	virtio_write_space(device, 8, 4, '\n');
	vm_console_note(vm);
	assert_string_equal(shown, "a: e\n");
}

static void a_look_has_the_queues_served(void **state)
{
	assert_false(vm_console_look(vm));
	device->driver_features = VIRTIO_F_VERSION_1 | VIRTIO_CONSOLE_F_MULTIPORT;
	device->status = VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK;
	device->queue[VIRTIO_CONSOLE_RECEIVE_1].is_ready = true;
	assert_true(vm_console_look(vm));
	assert_int_equal(device->notified, BIT(VIRTIO_CONSOLE_RECEIVE_1));
	device->notified = 0;
	device->driver_features = VIRTIO_F_VERSION_1;
	assert_false(vm_console_look(vm));
}

#define CONSOLE_TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONSOLE_TEST(a_port_in_the_place_of_com1_prints_the_vms_lines),
		CONSOLE_TEST(another_port_has_its_label),
		CONSOLE_TEST(a_port_without_a_terminal_is_silent),
		CONSOLE_TEST(an_attached_console_shows_the_port_in_com1s_place_alone),
		CONSOLE_TEST(typed_bytes_are_taken_once),
		CONSOLE_TEST(they_go_to_com1_if_that_is_the_operators),
		CONSOLE_TEST(output_may_be_held),
		CONSOLE_TEST(other_devices_have_no_part_in_it),
		CONSOLE_TEST(lines_by_a_socket_have_their_label),
		CONSOLE_TEST(an_emergency_write_is_shown),
		CONSOLE_TEST(a_look_has_the_queues_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
