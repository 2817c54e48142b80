/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For use in a Linux guest: show and change a piece of guest-physical memory
 * that the kernel does not use, and end the virtual machine with a verdict.
 *
 *     region read ADDRESS             print the text at ADDRESS
 *     region write ADDRESS TEXT       write TEXT and a NUL to ADDRESS
 *     region exit CODE                end through isa-debug-exit at port 0xf4
 *
 * Needs root and /dev/mem. The kernel refuses addresses that it uses itself: leave
 * memory out with "memmap=SIZE$ADDRESS", or name a region that the kernel does not know.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>

enum { PAGE = 4096, EXIT_PORT = 0xf4 };

static uint64_t parse_number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (end == text || *end != '\0')
		errx(2, "not a number: %s", text);
	return value;
}

/* Map the rest of the page that contains 'address'; '*size' is its length. */
static volatile char *map(const char *text, size_t *size)
{
	uint64_t address = parse_number(text), offset = address % PAGE;
	int file = open("/dev/mem", O_RDWR);
	char *page;

	if (file < 0)
		err(1, "/dev/mem");
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file,
		    (off_t)(address - offset));
	if (page == MAP_FAILED)
		err(1, "%s", text);
	*size = PAGE - offset;
	return page + offset;
}

static void region_read(const char *address)
{
	size_t size;
	volatile char *text = map(address, &size);

	for (size_t i = 0; i < size && text[i] != '\0'; i++)
		putchar(text[i]);
	putchar('\n');
}

static void region_write(const char *address, const char *text)
{
	size_t size;
	volatile char *to = map(address, &size);

	if (strlen(text) >= size)
		errx(1, "%s: the text reaches into the next page", address);
	for (size_t i = 0; i <= strlen(text); i++)
		to[i] = text[i];
}

static void vm_exit(const char *code)
{
	if (ioperm(EXIT_PORT, 4, 1) != 0)
		err(1, "port %#x", EXIT_PORT);
	outl((unsigned)parse_number(code), EXIT_PORT);
	errx(1, "this machine has no isa-debug-exit");
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		region_read(argv[2]);
	else if (argc == 4 && strcmp(argv[1], "write") == 0)
		region_write(argv[2], argv[3]);
	else if (argc == 3 && strcmp(argv[1], "exit") == 0)
		vm_exit(argv[2]);
	else
		errx(2, "usage: region read ADDRESS | write ADDRESS TEXT | exit CODE");
	return 0;
}
