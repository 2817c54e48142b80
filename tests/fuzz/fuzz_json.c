/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text as JSON. An accepted text is a tree within the text, whose members have unique keys; a
 * refused one has a message.
 */
#include <stdlib.h>
#include <string.h>

#include "hv/backends/json.h"
#include "hv/lib/assert.h"
#include "tests/unit/support.h"

/* Keys are unique among a container's members; array items have none. */
static void check_keys(const struct json *json)
{
	for (const struct json *j = json->first; j != NULL; j = j->next) {
		assert((j->key != NULL) == (json->type == JSON_OBJECT));
		for (const struct json *k = j->next; j->key != NULL && k != NULL; k = k->next)
			assert(strcmp(j->key, k->key) != 0);
	}
}

/* Nesting is limited, and so is this recursion. */
static void check(const struct json *json, size_t len)
{
	assert(json->len > 0 && json->at < len && json->len <= len - json->at);
	assert(json->first == NULL || json->type == JSON_ARRAY || json->type == JSON_OBJECT);
	if (json->type == JSON_STRING)
		assert(strlen(json->text) + 2 <= json->len);
	if (json->type == JSON_BOOL)
		assert(json->number <= 1);
	check_keys(json);
	for (const struct json *j = json->first; j != NULL; j = j->next) {
		assert(j->at > json->at && j->at + j->len < json->at + json->len);
		check(j, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char memory[1 << 20] __attribute__((aligned(16)));
	/* The first byte may make memory scarce. */
	size_t arena_size = size > 0 && data[0] == '#' ? size * 8 : sizeof(memory);
	struct arena arena = {.base = memory, .size = arena_size};
	char *text = malloc(size + 1); /* of its own, so that ASan checks its ends */
	struct diag diag = {.file = "f"};
	struct word word = {.text = text};
	struct json *json = NULL;
	enum status status;

	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	word.text = text + (size > 0 && text[0] == '#');
	word.len = strlen(word.text);
	word.start = word_cursor(word.text, word.len);
	log_reset();
	status = json_read(&word, &arena, &diag, &json);
	assert((status == ERR_INVAL) == (diag.n_errors == 1) && (diag.n_errors == 0 || *logged));
	if (status == OK)
		check(json, word.len);
	free(text);
	return 0;
}
