/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/arena.h"
#include "hv/backends/backend.h"
#include "hv/backends/diag.h"

/*
 * The configuration as data. Everything lives in the arena given to
 * config_parse(); lists are in the order of the text.
 */

enum serial_target { SERIAL_STDIO, SERIAL_NULL, SERIAL_NONE }; /* -serial, as QEMU names them */

/* -device pc-dimm,id=,memdev=,addr= */
struct dimm_config {
	struct dimm_config *next;
	const char *id;	    /* NULL: none given */
	const char *memdev; /* id of a backend of the same VM */
	uint64_t addr;	    /* 0: first fit in the device-memory window */
	struct diag_place place;
};

struct vm_config {
	struct vm_config *next;
	const char *name;
	struct diag_place place;

	uint64_t ram_size;	/* bytes, resolved: -m, else the backend's, else 128 MiB */
	uint64_t maxmem;	/* 0: no device memory */
	unsigned dimm_slots;
	const char *memory_backend_id;	/* as written, NULL if not */
	struct backend *memory_backend; /* resolved; NULL: anonymous private RAM */
	struct backend *backends;
	struct dimm_config *dimms;

	const char *kernel; /* paths in the ramdisk, NULL: none */
	const char *initrd; /* Linux: one path; Multiboot: QEMU's module list, as written */
	const char *append;
	struct diag_place kernel_place, initrd_place;

	enum serial_target serial; /* COM1; default stdio */
	bool no_reboot;
	bool has_debug_exit;
	uint16_t debug_exit_iobase, debug_exit_iosize;
	bool has_debugcon;
	uint16_t debugcon_iobase;
	enum serial_target debugcon;
};

enum host_end { HOST_END_POWEROFF, HOST_END_WAIT };

struct host_config {
	enum host_end on_end; /* default poweroff */
	uint16_t serial_port; /* console UART, default 0x3f8; 0: none */
	unsigned log_level;   /* enum log_level, default info */
	bool checksum;	      /* checksum all read-only and private images at start and end */
};

struct config {
	struct host_config host;
	struct vm_config *vms;
	unsigned n_vms;
};

/*
 * Parse, validate and resolve 'text' (any bytes, 'len' of them). All errors go
 * to 'diag'; returns ERR_INVAL if there was any, ERR_NOMEM if the arena is full (said too).
 */
enum status config_parse(const char *text, size_t len, struct arena *arena, struct diag *diag,
			 struct config *ret);

/* Second pass, once the ramdisk is there: find the images of all backends, apply QEMU's file rules. */
enum status config_open(struct config *config, struct image *images, struct diag *diag);
