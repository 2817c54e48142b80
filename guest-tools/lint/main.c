/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stencil-lint: check a configuration with the hypervisor's own sources, without the machine. A
 * machine accepts what the linter accepts, if it has the ramdisk and the memory that were given.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <sys/mman.h>

#include "guest-tools/lint/help.h"
#include "guest-tools/lint/lint.h"
#include "guest-tools/lint/request.h"
#include "hv/config/read.h"
#include "hv/monitor/info.h"
#include "hv/vmx/mask.h"

#define ARENA_SIZE MIB(512)
_Static_assert(PHYS_BITS_MAX == CONFIG_PHYS_BITS_MAX);

/* Read the whole file into the arena. NULL: reported. */
static const char *read_config(const char *path, struct arena *arena, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	size_t room = ARENA_SIZE / 4, len;
	char *text = arena->base + arena->used;

	if (file == NULL) {
		fprintf(stderr, "stencil lint: %s: %s\n", path, strerror(errno));
		return NULL;
	}
	errno = 0;
	len = fread(text, 1, room, file);
	if (ferror(file) || len == room) {
		fprintf(stderr, "stencil lint: %s: %s\n", path,
			len == room ? "too large" : strerror(errno));
		len = room;
	}
	fclose(file);
	if (len == room)
		return NULL;
	arena->used += len;
	*ret_len = len;
	return text;
}

static void check_mask(const struct host_config *host, struct diag *diag)
{
	const char *unknown;
	uint32_t set;

	if (host->mask != NULL && !vmx_mask_read(host->mask, &set, &unknown))
		diag_error(diag, host->mask_place, "unknown feature: '%s'", unknown);
}

static void check_info(const struct info_config *info, struct diag *diag)
{
	for (; info != NULL; info = info->next)
		if (!info_is_command(info->command))
			diag_error(diag, info->place, "unknown command: '%s'", info->command);
}

/* Returns the exit status. */
static int check(const struct request *request, struct arena *arena)
{
	struct image_list images = {.arena = arena};
	struct diag diag = {.file = request->config};
	struct config config = {0};
	const char *text = NULL;
	enum status status;
	size_t len = 0;

	if (request->config != NULL)
		text = read_config(request->config, arena, &len);
	if (request->config != NULL && text == NULL)
		return EX_NOINPUT;
	if (request->ramdisk != NULL && !lint_read_ramdisk(request->ramdisk, arena, &images))
		return EX_NOINPUT;
	diag.text = text;
	diag.len = len;
	if (text != NULL)
		status = config_parse(text, len, arena, &diag, &config);
	else
		status = config_parse_objects(request->objects, request->n_objects, arena, &diag,
					      &config);
	if (status == ERR_NOMEM)
		return EX_OSERR;
	check_info(config.host.info, &diag);
	check_mask(&config.host, &diag);
	config.phys_bits = request->phys_bits;
	if (config_open(&config, &images, &diag) != OK)
		status = ERR_INVAL;
	if (text != NULL && status == OK && diag.n_errors == 0)
		lint_check_fetch(&config, text, len, &diag);
	if (text != NULL && status == OK && diag.n_errors == 0)
		lint_check_start(&config, &diag);
	if (request->json && !lint_print_json(&config))
		return EX_OSERR;
	return status == OK && diag.n_errors == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static struct request request;
	struct arena arena = {.size = ARENA_SIZE};

	request_parse(&request, argc, argv);
	if (request.help_option != LINT_HELP_NONE)
		return lint_help(request.help_option, request.help_text) ? EXIT_SUCCESS
									 : EXIT_FAILURE;
	arena.base = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena.base == MAP_FAILED) {
		perror("stencil lint: memory");
		return EX_OSERR;
	}
	if (!lint_add_memory(request.memory))
		return EX_OSERR;
	return check(&request, &arena);
}
