/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/map_text.h"

#include "hv/backends/json_escape.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

static const char *const ends[N_MAP_ENDS] = {
	[MAP_EXIT] = "exit",   [MAP_SIGNAL] = "signal", [MAP_TIMEOUT] = "timeout",
	[MAP_CRASH] = "crash", [MAP_MEMORY] = "memory", [MAP_ENDED] = "ended",
};

static bool has_reason(const struct map_result *result)
{
	return result->end == MAP_CRASH || result->end == MAP_MEMORY;
}

/* Add the reason, and what closes the object. */
static size_t add_reason(const char *reason, char *text, size_t len, size_t size)
{
	char escaped[JSON_ESCAPED_SIZE];
	size_t n = strlen(reason);

	len += format(text + len, size - len, ", \"reason\": \"");
	while (n > 0 && len < size - sizeof(escaped) - 2) {
		size_t taken = json_escape(reason, n, escaped);

		reason += taken;
		n -= taken;
		len += format(text + len, size - len, "%s", escaped);
	}
	return len + format(text + len, size - len, "\"}");
}

static size_t begin(const struct map_result *result, char *text, size_t size)
{
	return format(text, size,
		      "{\"job\": %u, \"name\": \"%s\", \"end\": \"%s\", \"status\": %u, "
		      "\"signal\": %u",
		      result->job, result->name, ends[result->end], result->status, result->signal);
}

static size_t end(const struct map_result *result, char *text, size_t len, size_t size)
{
	if (has_reason(result))
		return add_reason(result->reason, text, len, size);
	return len + format(text + len, size - len, "}");
}

static const char *truth(bool is_true)
{
	return is_true ? "true" : "false";
}

size_t map_text_status(const struct map_result *result, const struct map_kept *kept,
		       char ret[MAP_STATUS_MAX])
{
	size_t len = begin(result, ret, MAP_STATUS_MAX);

	len += format(ret + len, MAP_STATUS_MAX - len,
		      ", \"stdout_cut\": %s, \"stderr_cut\": %s, \"files\": %u",
		      truth(kept->stdout_is_cut), truth(kept->stderr_is_cut), kept->n_files);
	len = end(result, ret, len, MAP_STATUS_MAX - 1);
	ret[len] = '\n';
	return len + 1;
}

size_t map_text_line(const struct map_result *result, const struct map_cost *cost,
		     char ret[MAP_TEXT_MAX])
{
	size_t len = begin(result, ret, MAP_TEXT_MAX);

	len += format(ret + len, MAP_TEXT_MAX - len, ", \"ms\": %lu, \"private_kib\": %lu",
		      cost->ms, cost->private_kib);
	return end(result, ret, len, MAP_TEXT_MAX);
}

void map_decode_wait(uint16_t wait_status, struct map_result *ret)
{
	enum { SIGNAL = 0x7f, STATUS_SHIFT = 8 };

	ret->signal = wait_status & SIGNAL;
	ret->end = ret->signal == 0 ? MAP_EXIT : MAP_SIGNAL;
	ret->status = ret->signal == 0 ? (uint8_t)(wait_status >> STATUS_SHIFT) : 0;
}
