/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* The keys of the status page, from the bytes of a terminal. Pure. Times are in any unit. */
enum status_key {
	STATUS_KEY_NONE,
	STATUS_KEY_UP,
	STATUS_KEY_DOWN,
	STATUS_KEY_PAGE_UP,
	STATUS_KEY_PAGE_DOWN,
	STATUS_KEY_HOME,
	STATUS_KEY_END,
	STATUS_KEY_ENTER,
	STATUS_KEY_BACK, /* Esc, or q */
};

/* Zeroed, it has seen nothing. */
struct status_keys {
	enum { STATUS_KEYS_PLAIN, STATUS_KEYS_ESCAPE, STATUS_KEYS_SEQUENCE } state;
	char number;	/* the first character of the sequence */
	uint64_t since; /* of the escape */
};

/* The key that this byte completes. */
enum status_key status_keys_type(struct status_keys *keys, uint8_t byte, uint64_t now);
/* An escape that is 'limit' old and has nothing after it is the key Esc. */
enum status_key status_keys_wait(struct status_keys *keys, uint64_t now, uint64_t limit);
