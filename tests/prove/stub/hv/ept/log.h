/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Replaces hv/ept/log.h in proofs: a log that keeps nothing, and may or may not have room. */
#include "hv/lib/status.h"
#include "hv/lib/types.h"

struct ept_log_item {
	uint64_t slot, leaf;
};

struct ept_log {
	phys_t chunk;
	uint64_t n_chunks;
	struct ept_log_item first[1]; /* unused */
};

struct ept_log_cursor {
	struct ept_log_item *start, *at; /* equal: nothing is there */
	phys_t chunk;
	struct ept_log *log;
};

extern volatile int any_int;

void ept_log_drop_latest(struct ept_log *log);
static inline void ept_log_init(struct ept_log *log)
{
	log->chunk = 0;
	log->n_chunks = 0;
}

static inline bool ept_log_has_room(const struct ept_log *log)
{
	(void)log;
	return any_int != 0;
}

#define EPT_LOG_FRAMES_FOR_TABLE 3

/* Room for further items may need any number of frames within its bound. */
static inline unsigned ept_log_frames_for(const struct ept_log *log, unsigned n)
{
	(void)log;
	(void)n;
	return (unsigned)any_int % (EPT_LOG_FRAMES_FOR_TABLE + 1);
}

static inline void ept_log_grow(struct ept_log *log, phys_t frame)
{
	(void)log;
	(void)frame;
}

static inline void ept_log_add(struct ept_log *log, struct ept_log_item item)
{
	(void)log;
	(void)item;
}

static inline struct ept_log_cursor ept_log_begin(struct ept_log *log)
{
	return (struct ept_log_cursor){
		.start = log->first, .at = log->first, .chunk = log->chunk, .log = log};
}

static inline bool ept_log_step_back(struct ept_log_cursor *cursor)
{
	(void)cursor;
	return false;
}

static inline struct ept_log_item *ept_log_next(struct ept_log_cursor *cursor)
{
	(void)cursor;
	return NULL;
}

static inline void ept_log_free(struct ept_log *log)
{
	(void)log;
}
