/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/word.h"
#include "hv/config/config.h"

/* What the parsing of one "vm" line knows beside its result. For config*.c and vm_*.c only. */
struct device_id {
	struct device_id *next;
	const char *id;
};

/* -device as JSON; made when all others are there, as in QEMU. */
struct json_device {
	struct json_device *next;
	struct options options;
};

/* -numa, in the order written; looked at when all objects are known. */
struct numa_argument {
	struct numa_argument *next;
	const struct word *word;
};

/* -numa dist */
struct numa_distance {
	struct numa_distance *next;
	uint64_t src, dst, val;
};

/* -smp's numbers, in the order in which QEMU looks at them. */
enum smp_key {
	SMP_CPUS,
	SMP_DRAWERS,
	SMP_BOOKS,
	SMP_SOCKETS,
	SMP_DIES,
	SMP_CLUSTERS,
	SMP_MODULES,
	SMP_CORES,
	SMP_THREADS,
	SMP_MAXCPUS,
	N_SMP_KEYS
};

struct vm_reader {
	struct vm_config *vm;
	struct arena *arena;
	struct diag *diag;
	const char *option;  /* the current one, without its dashes */
	const char *machine; /* QEMU's name of the machine type, for messages */
	const char *default_ram_id;
	struct device_id *device_ids;
	struct json_device *json_devices; /* in the order written */
	bool has_serial, nodefaults;
	bool bad_memory;	 /* -m has an error, which was said */
	bool bad_memory_backend; /* likewise -machine memory-backend */
	bool bad_numa;		 /* likewise some -numa */
	bool has_numa_memdev;	 /* RAM is to come from the NUMA nodes */
	/* Which node each place for a processor was given; below topology_places(). */
	bool has_cpu_node[TOPOLOGY_MAX_CPUS];
	uint8_t cpu_node[TOPOLOGY_MAX_CPUS];
	struct numa_argument *numa_arguments;
	struct numa_distance *numa_distances;
	bool has_smp[N_SMP_KEYS]; /* of all -smp together: a later one adds to an earlier one */
	uint32_t smp[N_SMP_KEYS];
	bool bad_smp;		     /* -smp has an error, which was said */
	struct diag_place smp_place; /* of the last one */
	const struct word *mem_path; /* -mem-path's; NULL: none */
	bool has_slots;
	uint64_t slots; /* as QEMU compares them: any number */
};

/*
 * The words of a "vm" line behind its name. Each error is said, and the next option looked at.
 * ERR_NOMEM: the arena is full, not said; else OK.
 */
enum status vm_read_options(struct vm_reader *reader, const struct word *words);

/*
 * The argument of one option. ERR_INVAL: said.
 */
enum status vm_read_memory(struct vm_reader *reader, const struct word *argument);
enum status vm_read_machine(struct vm_reader *reader, const struct word *argument);
enum status vm_read_smp(struct vm_reader *reader, const struct word *argument);
enum status vm_read_name(struct vm_reader *reader, const struct word *argument);
enum status vm_read_device(struct vm_reader *reader, const struct word *argument);
enum status vm_read_chardev(struct vm_reader *reader, const struct word *argument);
enum status vm_read_serial(struct vm_reader *reader, const struct word *argument);
enum status vm_read_debugcon(struct vm_reader *reader, const struct word *argument);
enum status vm_read_fw_cfg(struct vm_reader *reader, const struct word *argument);
/* Only kept. ERR_NOMEM: as above. */
enum status vm_read_numa(struct vm_reader *reader, const struct word *argument);

/* -device pc-dimm and nvdimm, split, id and driver looked at. */
enum status vm_read_pc_dimm(struct vm_reader *reader, struct options *options);
enum status vm_read_nvdimm(struct vm_reader *reader, struct options *options);

/*
 * What can only be told at the end of the line: sizes that must fit, names that must exist.
 * ERR_NOMEM: the arena is full, not said; else OK.
 */
enum status vm_resolve(struct vm_reader *reader);

/* Of vm_read_options(), behind all else. Same returns. */
enum status vm_read_json_devices(struct vm_reader *reader);

/* Of vm_resolve(), before all else: what -smp says, as a topology. */
void vm_complete_smp(struct vm_reader *reader);

/* Of vm_resolve(): first what each -numa says, then what all say together. Same returns. */
enum status vm_read_numa_arguments(struct vm_reader *reader);
enum status vm_complete_numa(struct vm_reader *reader);
