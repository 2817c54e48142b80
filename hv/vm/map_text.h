/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* How a job has ended. */
enum map_end {
	MAP_ENDS_UNSAID, /* its VM has ended without a word of the job */
	MAP_EXIT,
	MAP_SIGNAL,
	MAP_TIMEOUT,
	MAP_CRASH,
	MAP_MEMORY,
	MAP_ENDED, /* by the operator */
	N_MAP_ENDS
};

struct map_result {
	uint32_t job;
	const char *name; /* of its clone */
	enum map_end end;
	uint8_t status, signal; /* of MAP_EXIT and MAP_SIGNAL, else 0 */
	const char *reason;	/* of MAP_CRASH and MAP_MEMORY */
};

/* What only the console's line has, because it differs from run to run. */
struct map_cost {
	uint64_t ms, private_kib;
};

/* What was kept of the job: see hv/vm/map_results.h. */
struct map_kept {
	bool stdout_is_cut, stderr_is_cut;
	unsigned n_files;
};

/* status.json: a line of JSON. Returns its length. */
#define MAP_STATUS_MAX 1400
size_t map_text_status(const struct map_result *result, const struct map_kept *kept,
		       char ret[MAP_STATUS_MAX]);

/* One line of JSON without its newline. Returns its length. The reason is cut if need be. */
#define MAP_TEXT_MAX 480
size_t map_text_line(const struct map_result *result, const struct map_cost *cost,
		     char ret[MAP_TEXT_MAX]);

/* The end, and status and signal, of a status of wait(2). */
void map_decode_wait(uint16_t wait_status, struct map_result *ret);
