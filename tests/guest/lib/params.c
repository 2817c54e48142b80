/* SPDX-License-Identifier: BSD-2-Clause */
/* The loader's information and the command line, copied before anything can overwrite it. */
#include "tests/guest/lib/internal.h"
#include "tests/guest/lib/lib.h"

#define PVH_MAGIC 0x336ec578u

static char line[2048];

const struct multiboot_info *multiboot(void)
{
	return boot_magic == MULTIBOOT_LOADED ? (const void *)(uintptr_t)boot_info : NULL;
}

const struct pvh_info *pvh(void)
{
	const struct pvh_info *info = (const void *)(uintptr_t)boot_info;

	return multiboot() == NULL && info->magic == PVH_MAGIC ? info : NULL;
}

const void *multiboot2(uint32_t type)
{
	const uint32_t *tag = (const uint32_t *)(uintptr_t)boot_info + 2;

	if (boot_magic != MULTIBOOT2_LOADED)
		return NULL;
	while (tag[0] != type && tag[0] != MB2_END)
		tag += (tag[1] + 7) / 8 * 2;
	return tag[0] == type ? tag + 2 : NULL;
}

void params_init(void)
{
	const struct multiboot_info *mb = multiboot();
	const char *from = NULL;

	if (mb != NULL && (mb->flags & MB_CMDLINE))
		from = (const char *)(uintptr_t)mb->cmdline;
	else if (multiboot2(MB2_CMDLINE) != NULL)
		from = multiboot2(MB2_CMDLINE);
	else if (pvh() != NULL)
		from = (const char *)pvh()->cmdline;
	if (from == NULL)
		return;
	for (size_t i = 0; i < sizeof(line) - 1 && from[i] != '\0'; i++)
		line[i] = from[i];
}

const char *command_line(void)
{
	return line;
}

static const char *skip_name(const char *word, const char *name)
{
	while (*name != '\0' && *word == *name) {
		word++;
		name++;
	}
	return *name == '\0' ? word : NULL;
}

static bool ends_word(char c)
{
	return c == '\0' || c == ' ';
}

/* The text after NAME= or NAME; NULL if the line has no such word. */
static const char *find_value(const char *at, const char *name)
{
	while (*at != '\0') {
		const char *rest = skip_name(at, name);

		if (rest != NULL && *rest == '=')
			return rest + 1;
		if (rest != NULL && ends_word(*rest))
			return rest;
		while (!ends_word(*at))
			at++;
		while (*at == ' ')
			at++;
	}
	return NULL;
}

bool line_param(const char *text, const char *name, char *ret, size_t size)
{
	const char *value = find_value(text, name);
	size_t n = 0;

	if (value == NULL)
		return false;
	for (; n + 1 < size && !ends_word(value[n]); n++)
		ret[n] = value[n];
	ret[n] = '\0';
	return true;
}

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return 99;
}

uint64_t line_number(const char *text, const char *name, uint64_t otherwise)
{
	const char *s = find_value(text, name);
	uint64_t value = 0;
	unsigned base = 10;

	if (s == NULL || ends_word(*s))
		return otherwise;
	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	for (; !ends_word(*s); s++) {
		if (digit_of(*s) >= base) {
			report(false, "parameter %s is no number", name);
			finish();
		}
		value = value * base + digit_of(*s);
	}
	return value;
}

bool line_given(const char *text, const char *name)
{
	return find_value(text, name) != NULL;
}

bool param_given(const char *name)
{
	return line_given(line, name);
}

uint64_t param_number(const char *name, uint64_t otherwise)
{
	return line_number(line, name, otherwise);
}

bool param_is(const char *name, const char *value)
{
	char text[64];

	return line_param(line, name, text, sizeof(text)) && str_equal(text, value);
}

uint64_t ram_top(void)
{
	const struct multiboot_info *mb = multiboot();

	if (mb == NULL || !(mb->flags & MB_MEMORY))
		return (uint64_t)(uintptr_t)image_end;
	return (UINT64_C(1024) + mb->mem_upper) * 1024;
}
