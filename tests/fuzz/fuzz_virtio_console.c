/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver of a console that does anything: 8 bytes of input for each register, each change of
 * memory and each piece of work. The oracle: a piece takes only typed bytes that are there,
 * gives only what fits, and only of ports that are there; the work ends; and after a reset the
 * device serves a driver that keeps to the rules.
 */
#include <string.h>

#include "hv/devices/virtio_mmio.h"
#include "hv/virtio/virtio_console.h"
#include "tests/fuzz/virtio_fuzz.h"

#define FEATURES (VIRTIO_CONSOLE_F_MULTIPORT | VIRTIO_CONSOLE_F_EMERG_WRITE)

static const struct virtio_console_config configs[] = {
	{.base = {.kind = &virtio_console, .features = FEATURES | VIRTIO_F_RING_PACKED},
	 .n_ports = 2,
	 .port = {{.is_there = true, .is_console = true, .has_input = true},
		  {.is_there = true, .name = "agent"}}},
	{.base = {.kind = &virtio_console, .features = FEATURES},
	 .n_ports = 2,
	 .port = {{.is_there = false}, {.is_there = true, .has_input = true}}},
	{.base = {.kind = &virtio_console, .n_absent = 4},
	 .n_ports = 1,
	 .port = {{.is_there = true, .is_console = true, .has_input = true}}},
};
static struct console_piece piece;

static void set(uint64_t off, uint32_t value)
{
	(void)virtio_mmio_class.write(
		&device, &(struct io_access){.off = VIRTIO_MMIO_LENGTH - VIRTIO_MMIO_SIZE + off,
					     .size = 4,
					     .value = value});
}

static void work(void)
{
	struct virtio_host host = {.memory = &memory, .console = &piece};

	piece.n_taken = piece.n_sent = 0;
	piece.port = UINT32_MAX;
	assert(virtio_serve(&device, &host) == OK);
	assert(piece.n_taken <= piece.n_typed && piece.n_sent <= sizeof(piece.sent));
	assert(piece.n_sent == 0 || piece.port < VIRTIO_CONSOLE_PORTS_MAX);
	memmove(piece.typed, piece.typed + piece.n_taken, piece.n_typed - piece.n_taken);
	piece.n_typed -= piece.n_taken;
}

static void say(const uint8_t *step)
{
	const uint8_t message[8] = {step[1] % 3, 0, 0, 0, step[2] % 9, 0, step[3] % 3, 0};

	put(BUFFER_AT(VIRTIO_CONSOLE_CONTROL_SEND), message, sizeof(message));
	offer(VIRTIO_CONSOLE_CONTROL_SEND, 8 + step[4] % 2, 0);
}

static void act(const uint8_t *step)
{
	uint8_t byte;

	switch (step[0] % 8) {
	case 0:
		start(virtio_features(&device) & ~(uint64_t)(step[1] % 8));
		break;
	case 1: /* anything, in the queues and buffers */
		put(RAM + (step[1] | step[2] << 8) % (AREA * VIRTIO_CONSOLE_QUEUES), step + 4, 4);
		break;
	case 2:
		set((uint64_t)step[1] * 4 % VIRTIO_MMIO_SIZE, step[4] | (uint32_t)step[5] << 8);
		break;
	case 3:
		offer(step[1] % VIRTIO_CONSOLE_QUEUES, step[2] | (uint32_t)step[3] << 8,
		      step[4] % 8);
		break;
	case 4:
		say(step);
		break;
	case 5: /* typed */
		piece.n_typed = step[1] % (VIRTIO_CONSOLE_TYPED + 1);
		memset(piece.typed, step[2], piece.n_typed);
		virtio_console_look(&device);
		break;
	case 6:
		piece.is_held = step[1] % 2;
		(void)virtio_console_take_emergency(&device, &byte);
		break;
	case 7:
		for (unsigned i = 0; i <= step[2] % 16u; i++)
			work();
		break;
	}
}

/* A driver that keeps to the rules: its port sends, and gets what is typed. */
static void check_answer(const struct virtio_console_config *config)
{
	unsigned port = config->port[0].has_input ? 0 : 1;
	unsigned receive = port == 0 ? VIRTIO_CONSOLE_RECEIVE : VIRTIO_CONSOLE_RECEIVE_1;
	char answer[3];

	start(virtio_features(&device) & ~VIRTIO_F_RING_PACKED);
	piece = (struct console_piece){.typed = "ok", .n_typed = 2};
	if (config->n_ports > 1)
		say((const uint8_t[STEP]){4, (uint8_t)port, VIRTIO_CONSOLE_PORT_OPEN, 1, 0});
	offer(receive, 8, 2);
	for (unsigned i = 0; i < 100 && virtio_has_work(&device); i++)
		work();
	assert(!virtio_has_work(&device) && !(device.status & VIRTIO_NEEDS_RESET));
	assert(piece.n_typed == 0);
	assert(guest_read(&memory, at(BUFFER_AT(receive)), answer, 2) == OK);
	assert(memcmp(answer, "ok", 2) == 0);
	put(BUFFER_AT(receive + 1), "yes", 3);
	offer(receive + 1, 3, 0);
	work();
	assert(piece.n_sent == 3 && piece.port == port && memcmp(piece.sent, "yes", 3) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_set_up;
	const struct virtio_console_config *config;

	if (size == 0)
		return 0;
	if (!is_set_up)
		(void)setup(NULL);
	is_set_up = true;
	config = &configs[data[0] % ARRAY_SIZE(configs)];
	virtio_init(&device, &config->base);
	piece = (struct console_piece){0};
	start(virtio_features(&device));
	for (size_t i = 1; i + STEP <= size; i += STEP)
		act(data + i);
	check_answer(config);
	return 0;
}
