/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's driver, its UART, the VM's queue and a console with a speed. The processor's loop is
 * played by this test.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "hv/vm/output.c"
#include "hv/vm/serial.c"
#include "tests/unit/support.h"

#include "tests/unit/irqchip_room.h"
#include "tests/unit/machine_frames.h"

#define UART	    0x3f8
#define IER_THRE    2
#define IIR_NONE    1
#define IIR_THRE    2
#define LSR_THRE    0x20
#define VECTOR	    0x34
#define N_LINES	    20000
#define LINE_FORMAT "line %05u of a guest that prints more than its line can carry\n"

static union {
	struct vm vm;
	uint8_t bytes[sizeof(struct vm) + sizeof(union platform_room)];
} room;
static struct vm *const vm = &room.vm;
static struct platform_wiring wiring;
static struct vm_config config;
static struct vcpu vcpu;
static size_t budget;	    /* bytes that the console takes at present */
static char parts[1 << 20]; /* raw output */
static size_t n_parts;
static unsigned n_shown, n_lost, n_pages;

bool console_offer_part(const char *data, size_t len)
{
	if (len > budget)
		return false;
	budget -= len;
	assert_true(n_parts + len < sizeof(parts));
	memcpy(parts + n_parts, data, len);
	n_parts += len;
	parts[n_parts] = '\0';
	return true;
}

bool console_offer(const char *data, size_t len)
{
	char expect[100];
	unsigned lost;

	if (len > budget)
		return false;
	budget -= len;
	if (n_shown == UINT_MAX) {
		assert_memory_equal(data, "v: begins\n", len);
		n_shown = 0;
		return true;
	}
	if (sscanf(data, "stencil: warning: v: %u lines lost", &lost) == 1) {
		n_lost += lost;
		return true;
	}
	snprintf(expect, sizeof(expect), "v: " LINE_FORMAT, n_shown + n_lost);
	assert_memory_equal(data, expect, len);
	n_shown++;
	return true;
}

bool console_poll(void)
{
	return false;
}

void sched_charge_work(struct share *share, uint64_t ticks)
{
}

void sched_charge_ended(uint16_t weight, uint64_t ticks)
{
}

void sched_request(struct vcpu *of, uint32_t requests)
{
	assert_ptr_equal(of, &vcpu);
	vcpu.regs.requests |= requests;
}

static uint8_t in(unsigned off)
{
	struct io_access access = {.addr = UART + off, .size = 1};

	return (uint8_t)platform_port_read(&vm->platform, &access);
}

static void out(unsigned off, uint8_t value)
{
	struct io_access access = {.addr = UART + off, .size = 1, .value = value};
	uint32_t wish = platform_port_write(&vm->platform, &access);

	if (wish & WISH_SERIAL)
		vm_put_output(vm, (uint8_t)wish);
	if (vm->output.n_pages > n_pages)
		n_pages = vm->output.n_pages;
}

/* The console carries 'bytes' more, and the vCPU serves its requests. */
static void pass(size_t bytes)
{
	budget = bytes;
	while (vm_output_work() && budget > 200)
		;
	if (vcpu.regs.requests & VCPU_REQUEST_UART) {
		vcpu.regs.requests = 0;
		vm_hold_uart(vm);
	}
}

static int begin(void **state)
{
	struct platform_config platform = {
		.topology = sockets(1), .phys_bits = 40, .tsc_hz = 1000000};

	machine_frames_add(MIB(1));
	memset(&room, 0, sizeof(room));
	config = (struct vm_config){.serial_backpressure = true};
	vm->name = "v";
	vm->config = &config;
	vm->vcpu = &vcpu;
	vm->n_vcpus = 1;
	vcpu = (struct vcpu){};
	turns = (struct output_turns){};
	line_len = 0;
	raw = (struct raw_output){};
	attached = NULL;
	n_parts = 0;
	assert_int_equal(platform_init(&vm->platform, &wiring, &platform), OK);
	n_shown = n_lost = n_pages = 0;
	budget = 0;
	return 0;
}

static void print_line(unsigned n, void (*wait)(void))
{
	char text[100];

	snprintf(text, sizeof(text), LINE_FORMAT, n);
	for (const char *c = text; *c; c++) {
		wait();
		out(0, (uint8_t)*c);
	}
}

static void drain(void)
{
	for (unsigned i = 0; vm_output_work(); i++) {
		assert_true(i < 10000);
		budget = 10000;
	}
}

static void look_at_lsr(void)
{
	for (unsigned i = 0; !(in(5) & LSR_THRE); i++) {
		assert_true(i < 1000);
		pass(200);
	}
}

static void a_guest_that_looks_at_lsr_loses_nothing(void **state)
{
	for (unsigned n = 0; n < N_LINES; n++)
		print_line(n, look_at_lsr);
	drain();
	assert_int_equal(n_shown, N_LINES);
	assert_int_equal(n_lost, 0);
	assert_int_equal(n_pages, OUTPUT_PAGES_HELD);
}

/* A FIFO is filled after each look, as drivers do. */
static void look_each_fifo(void)
{
	static unsigned n;

	if (n++ % UART_FIFO_SIZE == 0)
		look_at_lsr();
}

static void a_guest_that_fills_the_fifo_loses_nothing(void **state)
{
	for (unsigned n = 0; n < N_LINES; n++)
		print_line(n, look_each_fifo);
	drain();
	assert_int_equal(n_shown, N_LINES);
	assert_int_equal(n_lost, 0);
	assert_in_range(n_pages, OUTPUT_PAGES_HELD, OUTPUT_PAGES_HELD + 1);
}

/* The interrupt may be an older one, from just before the line was held. */
static void wait_for_interrupt(void)
{
	struct lapic *lapic = vm->platform.irqchip.lapic;
	uint8_t iir;

	do {
		for (unsigned i = 0; lapic_pending_vector(lapic) < 0; i++) {
			assert_true(i < 1000);
			pass(200);
		}
		lapic_accept(lapic, VECTOR);
		iir = in(2) & 0x0f;
		page_write(&vm->platform.irqchip, lapic,
			   (struct io_access){.off = 0xb0, .size = 4});
	} while (iir == IIR_NONE);
	assert_int_equal(iir, IIR_THRE);
}

static void mmio_set(uint64_t addr, uint32_t value)
{
	struct io_access access = {.addr = addr, .size = 4, .value = value};

	(void)platform_mmio_write(&vm->platform, 0, &access);
}

static void a_guest_that_waits_for_interrupts_loses_nothing(void **state)
{
	mmio_set(APIC_BASE_ADDR + 0xf0, 0x1ff);
	mmio_set(IOAPIC_BASE, 0x10 + 2 * PLATFORM_UART_GSI);
	mmio_set(IOAPIC_BASE + 0x10, VECTOR);
	out(1, IER_THRE);
	for (unsigned n = 0; n < N_LINES; n++)
		print_line(n, wait_for_interrupt);
	drain();
	assert_int_equal(n_shown, N_LINES);
	assert_int_equal(n_lost, 0);
}

static void do_not_wait(void)
{
	static unsigned n;

	if (n++ % 100 == 0)
		pass(10);
}

static void a_guest_that_does_not_look_loses_its_oldest_lines(void **state)
{
	for (unsigned n = 0; n < N_LINES; n++)
		print_line(n, do_not_wait);
	drain();
	assert_in_range(n_shown, 1, N_LINES - 1);
	assert_int_equal(n_shown + n_lost, N_LINES);
	assert_int_equal(n_pages, OUTPUT_PAGES_MAX);
}

static void without_backpressure_the_line_is_never_held(void **state)
{
	config.serial_backpressure = false;
	for (unsigned n = 0; n < N_LINES; n++) {
		assert_true(in(5) & LSR_THRE);
		print_line(n, do_not_wait);
	}
	drain();
	assert_true(n_lost > 0);
	assert_int_equal(n_shown + n_lost, N_LINES);
}

static void send(const char *text, void (*wait)(void))
{
	for (const char *c = text; *c; c++) {
		wait();
		out(0, (uint8_t)*c);
	}
}

/* All bytes of the attached VM pass, at its line's speed, and no others' in between. */
static void an_attached_vm_has_the_console(void **state)
{
	char line_of[100];

	send("begins", look_at_lsr);
	vm_output_attach(vm, "v", 0x77);
	send("\x1b[31mstencil: end: ok\r\n\x1b[H", look_at_lsr);
	drain();
	assert_string_equal(parts, "\x1b[31mstencil: end: ok\r\n\x1b[H");
	n_parts = 0;
	for (unsigned n = 0; n < 3000; n++)
		print_line(n, look_at_lsr);
	assert_true(vm_output_detach(NULL));
	assert_false(vm_output_detach(NULL));
	assert_true(vcpu.regs.requests & VCPU_REQUEST_UART);
	assert_int_equal(n_shown, 0);
	assert_true(vm_output_is_raw());
	n_shown = UINT_MAX; /* "begins" comes first */
	drain();
	assert_false(vm_output_is_raw());
	for (unsigned n = 0; n < 3000; n++) {
		snprintf(line_of, sizeof(line_of), LINE_FORMAT, n);
		assert_memory_equal(parts + n * strlen(line_of), line_of, strlen(line_of));
	}
	assert_string_equal(strrchr(parts, '\x1b'),
			    "\x1b[!p\nstencil: console: 0000000000000077: end of the raw output of "
			    "VM v\n");
	assert_int_equal(n_shown, 0);
}

static void the_end_of_an_attached_vm_lets_go(void **state)
{
	vm_output_attach(vm, "v", 0x77);
	send("last words", look_at_lsr);
	vm_output_leave(vm);
	assert_false(vm_output_put_raw(vm, 'x'));
	drain();
	assert_memory_equal(parts, "last words\x1b[!p\nstencil: ", 24);
	assert_false(vm_output_is_raw());
	n_parts = 0;
	vm_output_attach(NULL, "gone", 0x78);
	drain();
	assert_memory_equal(parts, "\x1b[!p\nstencil: console: ", 23);
	assert_false(vm_output_is_raw());
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_guest_that_looks_at_lsr_loses_nothing),
		TEST(a_guest_that_fills_the_fifo_loses_nothing),
		TEST(a_guest_that_waits_for_interrupts_loses_nothing),
		TEST(a_guest_that_does_not_look_loses_its_oldest_lines),
		TEST(without_backpressure_the_line_is_never_held),
		TEST(an_attached_vm_has_the_console),
		TEST(the_end_of_an_attached_vm_lets_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
