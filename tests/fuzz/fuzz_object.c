/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text as arguments of -object, one a line, opened over a small ramdisk. A refusal must have a
 * message and leave no file behind; an accepted object must keep its promises.
 */
#include <stdlib.h>
#include <string.h>

#include "hv/backends/backend_open.h"
#include "hv/backends/object.h"
#include "hv/lib/assert.h"
#include "tests/fuzz/fuzz_frames.h"
#include "tests/unit/support.h"

static char page[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct image files[4];

static struct image *make_files(void)
{
	files[0] =
		(struct image){.path = "/f", .mode = 0644, .size = sizeof(page), .aligned = true};
	files[1] = (struct image){.path = "/odd", .mode = 0444, .size = 5000};
	files[2] = (struct image){.path = "/empty", .mode = 0644};
	files[3] = (struct image){.path = "/d", .type = IMAGE_DIRECTORY, .mode = 0755};
	files[0].base = files[1].base = virt_to_phys(page);
	for (size_t i = 0; i + 1 < ARRAY_SIZE(files); i++)
		files[i].next = &files[i + 1];
	return files;
}

static unsigned n_files(const struct image_list *list)
{
	unsigned n = 0;

	for (const struct image *image = list->first; image != NULL; image = image->next)
		n++;
	return n;
}

static void check_backend(const struct backend *b)
{
	const struct image *image = b->image;
	struct image_work work;

	assert(b->size > 0 && (!b->prealloc || b->reserve));
	assert(!b->prealloc || b->kind != MEM_ROM);
	assert((b->context != NULL) == (b->prealloc_context != NULL));
	assert(b->has_host_nodes == (b->policy != POLICY_DEFAULT));
	assert(b->has_host_nodes == ((b->host_nodes[0] | b->host_nodes[1]) != 0));
	assert(b->kind != MEM_SHARED || (image != NULL && b->share && !b->readonly));
	assert(b->kind != MEM_ROM || (image != NULL && b->readonly));
	if (image == NULL)
		return;
	assert(image->aligned && is_aligned(image->base, PAGE_SIZE));
	assert(b->offset <= image->size && b->size <= image->size - b->offset);
	assert(b->type == BACKEND_RAM || is_aligned(b->size | b->offset, PAGE_SIZE));
	work = backend_discards(b);
	(void)image_work_some(&work, UINT64_MAX);
}

static enum status read_line(char *text, const struct object_lists *lists, struct arena *arena,
			     struct diag *diag)
{
	struct word *word = arena_alloc(arena, sizeof(*word));

	if (word == NULL)
		return ERR_NOMEM;
	word->text = text;
	word->len = strlen(text);
	word->start = word_cursor(word->text, word->len);
	return object_read(word, lists, arena, diag);
}

static void run(char *text, struct arena *arena)
{
	static const struct backend_defaults defaults = {.merge = true, .dump = true};
	struct image_list images = {.first = make_files(), .arena = arena};
	struct thread_context *contexts = NULL;
	struct backend *backends = NULL;
	struct rng_object *rngs = NULL;
	struct object_lists lists = {&backends, &contexts, &rngs};
	struct diag diag = {.file = "f"};

	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		unsigned n_errors = diag.n_errors;
		enum status status = read_line(line, &lists, arena, &diag);

		if (status == ERR_NOMEM)
			return;
		assert((status == ERR_INVAL) == (diag.n_errors > n_errors));
	}
	objects_resolve(backends, contexts, &defaults, &diag);
	for (struct backend *b = backends; b != NULL; b = b->next) {
		unsigned n_errors = diag.n_errors, n = n_files(&images);
		bool was_broken = b->broken;
		enum status status = backend_open(b, &images, &diag);

		assert(b->broken == (status != OK));
		assert(status == OK || was_broken || diag.n_errors > n_errors);
		assert(status == OK || n_files(&images) == n);
		if (status == OK)
			check_backend(b);
	}
	assert(diag.n_errors == 0 || *logged != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char memory[1 << 17] __attribute__((aligned(16)));
	/* The first byte may make memory scarce. */
	size_t arena_size = size > 0 && data[0] == '#' ? 1024 + 4 * size : sizeof(memory);
	struct arena arena = {.base = memory, .size = arena_size};
	char *text = malloc(size + 1); /* of its own, so that ASan checks its ends */

	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (arena.size > sizeof(memory))
		arena.size = sizeof(memory);
	fuzz_frames_reset();
	log_reset();
	run(text + (size > 0 && text[0] == '#'), &arena);
	free(text);
	return 0;
}
