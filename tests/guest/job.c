/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Becomes a template. Each clone does its job, statements with ";" between them:
 *	out TEXT, err TEXT   TEXT and a newline to standard output, or error
 *	lines N              N lines of 64 bytes to standard output, each with its number
 *	put NAME N           a file of N such lines; ends with 1 if it is not kept
 *	exit N, signal N     ends, with this status or by this signal
 *	hang, fault, reset, off, freeze, fill    what a job must not do
 */
#include "tests/guest/lib/lib.h"

#define CONTROL	   0x5354
#define FREEZE	   1
#define FW_CFG	   0x510
#define DIRECTORY  0x19
#define ENTRY_SIZE 64
#define JOB_SIZE   4096
#define LINE_SIZE  64
#define FILL_START UINT64_C(0x800000)
#define FILL_END   UINT64_C(0xf00000)

enum { STDOUT = 0x5364, STDERR = 0x5368, FILE = 0x536c, PUT = 0x5370, END = 0x5374 };

static char job[JOB_SIZE + 1];
static char lines[1024][LINE_SIZE];

static void write(uint16_t port, const char *text, size_t n)
{
	asm volatile("rep outsb" : "+S"(text), "+c"(n) : "d"(port) : "memory");
}

static void fw_cfg_read(void *to, size_t n)
{
	for (uint8_t *byte = to; n > 0; n--)
		*byte++ = inb(FW_CFG + 1);
}

static bool find_job(void)
{
	struct {
		uint8_t size[4], number[2], reserved[2];
		char name[ENTRY_SIZE - 8];
	} entry;
	uint8_t n[4];

	outw(DIRECTORY, FW_CFG);
	fw_cfg_read(n, sizeof(n));
	for (unsigned i = 0; i < n[3]; i++) {
		fw_cfg_read(&entry, sizeof(entry));
		if (memcmp(entry.name, "opt/stencil/job", 16) == 0) {
			outw((uint16_t)(entry.number[0] << 8 | entry.number[1]), FW_CFG);
			return true;
		}
	}
	return false;
}

/* NAME of a statement "NAME REST"; the rest. NULL: it is another one. */
static const char *is_statement(const char *text, const char *name)
{
	size_t len = strlen(name);

	if (memcmp(text, name, len) != 0 || (text[len] != ' ' && text[len] != '\0'))
		return NULL;
	return text[len] == ' ' ? text + len + 1 : text + len;
}

static uint32_t number(const char *text)
{
	uint32_t n = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (uint32_t)(*text - '0');
	return n;
}

static void say(uint16_t port, const char *text)
{
	write(port, text, strlen(text));
	outb('\n', port);
}

static void write_lines(uint16_t port, uint32_t n)
{
	const uint32_t at_once = sizeof(lines) / LINE_SIZE;

	for (uint32_t i = 0; i < n; i++) {
		char *line = lines[i % at_once];

		memset(line, '.', LINE_SIZE - 1);
		line[LINE_SIZE - 1] = '\n';
		for (uint32_t rest = i, at = 8; at > 0; rest /= 10)
			line[--at] = (char)('0' + rest % 10);
		if (i % at_once == at_once - 1)
			write(port, lines[0], sizeof(lines));
	}
	write(port, lines[0], n % at_once * LINE_SIZE);
}

static void put(const char *name)
{
	size_t len = 0;

	while (name[len] != ' ' && name[len] != '\0')
		len++;
	write(FILE, name, len);
	outb(0, FILE);
	write_lines(FILE, number(name + len + 1));
	outl(1, PUT);
	if (inl(PUT) != 0)
		outl(1 << 8, END);
}

static _Noreturn void misbehave(const char *text)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_idt = {0, 0};

	if (is_statement(text, "fault"))
		asm volatile("lidt %0\n\tud2" : : "m"(no_idt));
	if (is_statement(text, "reset"))
		outb(0xfe, 0x64);
	if (is_statement(text, "freeze"))
		outl(FREEZE, CONTROL);
	if (is_statement(text, "fill"))
		for (uint64_t at = FILL_START; at < FILL_END; at += PAGE_SIZE)
			*(volatile uint64_t *)at = at;
	if (is_statement(text, "off"))
		exit_vm(0);
	for (;;) /* also after a refused freeze */
		cpu_pause();
}

static void perform(const char *text)
{
	const char *rest;

	if ((rest = is_statement(text, "out")))
		say(STDOUT, rest);
	else if ((rest = is_statement(text, "err")))
		say(STDERR, rest);
	else if ((rest = is_statement(text, "lines")))
		write_lines(STDOUT, number(rest));
	else if ((rest = is_statement(text, "put")))
		put(rest);
	else if ((rest = is_statement(text, "exit")))
		outl(number(rest) << 8, END);
	else if ((rest = is_statement(text, "signal")))
		outl(number(rest), END);
	else
		misbehave(text);
}

static void perform_all(void)
{
	char *text = job;

	for (;;) {
		char *end = text;
		bool is_last;

		while (*end != ';' && *end != '\n' && *end != '\0')
			end++;
		is_last = *end != ';';
		*end = '\0';
		perform(text);
		if (is_last)
			break;
		for (text = end + 1; *text == ' ';)
			text++;
	}
}

void payload(void)
{
	bool has_file = find_job();
	size_t len = 0;

	report(has_file && inl(PUT) == UINT32_MAX, "this VM has no job");
	outl(FREEZE, CONTROL);
	do
		fw_cfg_read(&job[len], 1);
	while (job[len++] != '\n');
	if (job[0] == '\n') {
		report(inl(PUT) == UINT32_MAX, "clone %u has no job", inl(CONTROL));
		return;
	}
	perform_all();
	report(false, "the VM is still there after '%s'", job);
}
