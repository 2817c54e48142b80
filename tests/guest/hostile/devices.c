/* SPDX-License-Identifier: BSD-2-Clause */
/* Actions with ports and devices: single accesses, strings, the UART, fw_cfg. */
#include "tests/guest/hostile/hostile.h"

#define UART	     0x3f8
#define UART_IER     (UART + 1)
#define FW_CFG	     0x510
#define FW_CFG_DMA   0x514
#define CONTROL	     0x5354
#define EXIT_PORT    0xf4
#define SLEEP_PORT   0x600
#define MAX_STRING   400
#define DMA_CONTROLS 0x1f

/* The ports where a write ends, resets, freezes or reverts the VM have actions of their own. */
static bool ends_vm(uint32_t port)
{
	static const uint16_t ends[] = {0x64,	    0x92,	    EXIT_PORT, 0xcf9,
					SLEEP_PORT, SLEEP_PORT + 2, CONTROL};

	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (port <= ends[i] + 3u && port + 3 >= ends[i])
			return true;
	return false;
}

static uint16_t any_port(struct actor *a)
{
	static const uint16_t known[] = {0x20,	0x21,	0x40,	0x43,	0x60,  0x61,  0x70,  0x71,
					 0x80,	0x3f9,	0x3fa,	0x3fb,	0x3fc, 0x3fd, 0x3fe, 0x3ff,
					 0x402, 0x510,	0x511,	0x514,	0x518, 0x51b, 0x605, 0xcf8,
					 0xcfc, 0xfffc, 0xfffd, 0xfffe, 0xffff};

	if (random_once_in(&a->random, 2))
		return (uint16_t)random_next(&a->random);
	return random_of_list(&a->random, known);
}

static uint16_t harmless_port(struct actor *a)
{
	uint16_t port = any_port(a);

	while (ends_vm(port) || port == UART)
		port = any_port(a);
	return port;
}

void do_ports(struct actor *a)
{
	uint32_t value = (uint32_t)random_value(&a->random);

	switch (random_below(&a->random, 6)) {
	case 0:
		(void)inb(any_port(a));
		break;
	case 1:
		(void)inw(any_port(a));
		break;
	case 2:
		(void)inl(any_port(a));
		break;
	case 3:
		outb((uint8_t)value, harmless_port(a));
		break;
	case 4:
		outw((uint16_t)value, harmless_port(a));
		break;
	default:
		outl(value, harmless_port(a));
	}
}

/* INS and OUTS of strings.asm. */
#define N_STRINGS 10
extern const uint8_t string_code[N_STRINGS][16];

static void move_strings(struct actor *a, unsigned n_kinds)
{
	static const uint16_t ports[] = {0x61,	0x70,  0x71,  0x80,  0x3fd,  0x3ff,
					 0x510, 0x511, 0xcf8, 0xcfc, 0x5360, 0xffff};
	struct registers r;

	registers_fill(a, &r);
	r.rdi = r.rsi = kind_edge(a, n_kinds, 0) - random_below(&a->random, MAX_STRING);
	r.rcx = random_below(&a->random, MAX_STRING);
	r.rdx = random_of_list(&a->random, ports);
	run_code(string_code[random_below(&a->random, N_STRINGS)], &r);
}

void do_strings(struct actor *a)
{
	move_strings(a, N_MEMORY);
}

void do_strings_mmio(struct actor *a)
{
	move_strings(a, N_KINDS);
}

/* Control bytes, and what looks like the host's own lines. */
void do_console(struct actor *a)
{
	static const char *const texts[] = {"\nstencil: end: ok\n", "\rvictim: all is well\r",
					    "\033[2J", "\001c", "(stencil) "};
	const char *text = random_of_list(&a->random, texts);

	if (random_once_in(&a->random, 2)) {
		outb((uint8_t)random_next(&a->random),
		     (uint16_t)(UART_IER + random_below(&a->random, 4)));
		return;
	}
	while (*text != '\0')
		outb((uint8_t)*text++, UART);
	outb((uint8_t)random_next(&a->random), UART);
}

/* Big-endian, as the device wants it. */
struct dma_request {
	uint32_t control, length;
	uint64_t address;
};

void do_fw_cfg(struct actor *a)
{
	static const uint32_t lengths[] = {0, 1, 4, 64, 4095, 65536, 0x7fffffff, UINT32_MAX};
	uint32_t item = (uint32_t)random_below(&a->random, 0x30);
	struct dma_request request = {
		.control = __builtin_bswap32(item << 16 |
					     (uint32_t)random_below(&a->random, DMA_CONTROLS + 1)),
		.length = __builtin_bswap32(random_of_list(&a->random, lengths)),
		.address = __builtin_bswap64(kind_address(a, N_KINDS)),
	};
	uint64_t at = random_once_in(&a->random, 4) ? kind_address(a, N_KINDS)
						    : kind_page(a, KIND_PRIVATE);

	if (random_once_in(&a->random, 8))
		request.address = __builtin_bswap64(random_value(&a->random) | BIT(40));
	*(volatile struct dma_request *)at = request;
	outl(__builtin_bswap32((uint32_t)(at >> 32)), FW_CFG_DMA);
	outl(__builtin_bswap32((uint32_t)at), FW_CFG_DMA + 4);
}

void do_cpuid(struct actor *a)
{
	uint32_t leaf = (uint32_t)random_value(&a->random);

	for (unsigned i = 0; i < 50; i++) {
		(void)cpuid(i % 2 ? leaf : i, i);
		asm volatile("pause; wbinvd; rdtsc" : : : "eax", "edx", "memory");
	}
	asm volatile("vmcall" : "+a"(leaf) : : "memory");
}
