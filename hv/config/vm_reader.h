/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/word.h"
#include "hv/config/config.h"

/*
 * The state of reading one "vm" line, and the functions of the vm_*.c files, each of which reads
 * some of its options. They share this header because all have the same shape and callers: the
 * table of vm_options.c and vm_resolve.c.
 */

/* -device as JSON. As in QEMU, made after all others. */
struct json_device {
	struct json_device *next;
	struct options options;
};

/* -numa, in the order given. Read after all objects are known. */
struct numa_argument {
	struct numa_argument *next;
	const struct word *word;
};

/* -numa dist */
struct numa_distance {
	struct numa_distance *next;
	uint64_t src, dst, val;
};

/* A virtio device that names an object. */
struct virtio_use {
	struct virtio_use *next;
	const char *rng; /* id; NULL: none given */
	struct diag_place place;
};

/* A virtio-blk-device, which names a drive. */
struct drive_use {
	struct drive_use *next;
	const char *drive; /* id */
	bool share_rw;
	struct virtio_blk_config *device;
	struct diag_place place;
};

/* -netdev */
struct netdev_config {
	struct netdev_config *next;
	const char *id;
	unsigned hub;
	bool is_taken; /* by a device */
};

/* A network device that names one. */
struct netdev_use {
	struct netdev_use *next;
	const char *id;
	struct diag_place place;
	struct virtio_config *device;
};

/* A port of a virtio-serial-device, which names a chardev. */
struct port_use {
	struct port_use *next;
	const char *id;
	const char *driver;
	struct diag_place place;
	struct virtio_console_port *port;
};

/* The numbers of -smp, in the order in which QEMU reads them. */
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
	const char *option;  /* the option being read, without its dashes */
	const char *machine; /* QEMU's name of the machine type, for messages */
	const char *default_ram_id;
	struct json_device *json_devices; /* in the order written */
	struct virtio_use *virtio_uses;
	struct drive_use *drive_uses;
	struct netdev_config *netdevs;
	struct netdev_use *netdev_uses; /* the last one first */
	struct port_use *port_uses;	/* likewise */
	uint64_t *n_default_macs;	/* network devices without mac=, of all VMs */
	const struct vm_config *vms;	/* all so far, and this one */
	bool has_serial, nodefaults;
	/* -machine pic= and pit=: on for firmware, which knows no other timer, unless said. */
	enum on_off_auto pic, pit;
	bool bad_memory;	 /* an error in -m was reported */
	bool bad_memory_backend; /* likewise in -machine memory-backend */
	bool bad_kernel;	 /* likewise in -kernel */
	bool bad_numa;		 /* likewise in a -numa */
	bool has_numa_memdev;	 /* the NUMA nodes' backends are the RAM */
	/* The node of each possible processor, as far as given. Below topology_places(). */
	bool has_cpu_node[TOPOLOGY_MAX_CPUS];
	uint8_t cpu_node[TOPOLOGY_MAX_CPUS];
	struct numa_argument *numa_arguments;
	struct numa_distance *numa_distances;
	bool has_smp[N_SMP_KEYS]; /* of all -smp together: a later one adds to an earlier one */
	uint32_t smp[N_SMP_KEYS];
	bool bad_smp;		     /* an error in -smp was reported */
	struct diag_place smp_place; /* of the last one */
	const struct word *bios;     /* of -bios; NULL: none */
	const char *plain;	     /* the file that -device loader starts; NULL: none */
	struct diag_place plain_place;
	uint32_t plain_cpu;
	const struct word *mem_path; /* of -mem-path; NULL: none */
	bool has_slots;
	uint64_t slots; /* not yet checked */
};

/*
 * Read the words of a "vm" line after its name. An error is reported, and reading continues with
 * the next option. ERR_NOMEM: the arena is full, not reported; else OK.
 */
enum status vm_read_options(struct vm_reader *reader, const struct word *words);

/*
 * Read the argument of one option. ERR_INVAL: reported; ERR_NOMEM: the arena is full, not reported.
 */
enum status vm_read_memory(struct vm_reader *reader, const struct word *argument);
enum status vm_read_machine(struct vm_reader *reader, const struct word *argument);
enum status vm_read_cpu(struct vm_reader *reader, const struct word *argument);
enum status vm_read_smp(struct vm_reader *reader, const struct word *argument);
enum status vm_read_name(struct vm_reader *reader, const struct word *argument);
enum status vm_read_device(struct vm_reader *reader, const struct word *argument);
enum status vm_read_chardev(struct vm_reader *reader, const struct word *argument);
enum status vm_read_serial(struct vm_reader *reader, const struct word *argument);
enum status vm_read_debugcon(struct vm_reader *reader, const struct word *argument);
enum status vm_read_netdev(struct vm_reader *reader, const struct word *argument);
enum status vm_read_fw_cfg(struct vm_reader *reader, const struct word *argument);
enum status vm_read_option_rom(struct vm_reader *reader, const struct word *argument);
enum status vm_read_drive(struct vm_reader *reader, const struct word *argument);
enum status vm_read_blockdev(struct vm_reader *reader, const struct word *argument);
/* Only stores the argument, for vm_read_numa_arguments(). */
enum status vm_read_numa(struct vm_reader *reader, const struct word *argument);

/* Read the options of -device pc-dimm or nvdimm, whose id and driver were read. Same returns. */
#define PC_DIMM_PROPERTIES "addr id memdev node slot"
#define NVDIMM_PROPERTIES  "addr id label-size memdev node slot unarmed uuid"
enum status vm_read_pc_dimm(struct vm_reader *reader, struct options *options);
enum status vm_read_nvdimm(struct vm_reader *reader, struct options *options);

/* Add to the VM's list. ERR_NOMEM: as above. */
enum status vm_add_dimm(struct vm_reader *reader, const struct dimm_config *dimm);

/* The same for -device loader. */
#define LOADER_PROPERTIES "addr cpu-num data data-be data-len file force-raw id"
enum status vm_read_loader(struct vm_reader *reader, struct options *options);

/* The same for the virtio devices. All have VIRTIO_PROPERTIES. */
#define VIRTIO_PROPERTIES	  "event_idx id indirect_desc packed"
#define VIRTIO_BALLOON_PROPERTIES VIRTIO_PROPERTIES " deflate-on-oom free-page-reporting"
enum status vm_read_virtio_balloon(struct vm_reader *reader, struct options *options);
#define VIRTIO_PMEM_PROPERTIES VIRTIO_PROPERTIES " memdev"
enum status vm_read_virtio_pmem(struct vm_reader *reader, struct options *options);
#define VIRTIO_RNG_PROPERTIES VIRTIO_PROPERTIES " rng"
enum status vm_read_virtio_rng(struct vm_reader *reader, struct options *options);
#define VIRTIO_BLK_PROPERTIES \
	VIRTIO_PROPERTIES " discard drive logical_block_size serial share-rw write-zeroes"
enum status vm_read_virtio_blk(struct vm_reader *reader, struct options *options);
#define VIRTIO_NET_PROPERTIES VIRTIO_PROPERTIES " mac netdev"
enum status vm_read_virtio_net(struct vm_reader *reader, struct options *options);
#define VIRTIO_SERIAL_PROPERTIES VIRTIO_PROPERTIES " max_ports"
enum status vm_read_virtio_serial(struct vm_reader *reader, struct options *options);
/* The same for its ports. */
#define VIRTIO_PORT_PROPERTIES "bus chardev id name nr"
enum status vm_read_virtconsole(struct vm_reader *reader, struct options *options);
enum status vm_read_virtserialport(struct vm_reader *reader, struct options *options);
#define VHOST_VSOCK_PROPERTIES VIRTIO_PROPERTIES " guest-cid"
enum status vm_read_vhost_vsock(struct vm_reader *reader, struct options *options);

/* Of these: what the device offers of the queues' features. ERR_INVAL: reported. */
enum status vm_read_virtio_features(struct vm_reader *reader, struct options *options,
				    struct virtio_config *device);
/*
 * Of these: one more device, a copy of 'read'. ERR_INVAL: reported; ERR_NOMEM: the arena is full,
 * not reported.
 */
enum status vm_add_virtio(struct vm_reader *reader, const struct options *options,
			  const struct virtio_config *read, struct virtio_config **ret);
/* The same with a device of a larger struct, which is in the arena. */
enum status vm_link_virtio(struct vm_reader *reader, const struct options *options,
			   struct virtio_config *device);

/* Of vm_resolve(): find the objects, drives, netdevs and chardevs that virtio devices name. Errors
 * are reported. */
void vm_resolve_virtio(struct vm_reader *reader);
void vm_resolve_drives(struct vm_reader *reader);
void vm_resolve_net(struct vm_reader *reader);
void vm_resolve_console(struct vm_reader *reader);

/*
 * Check what is only known at the end of the line: sizes that must fit, names that must exist.
 * Errors are reported. ERR_NOMEM: the arena is full, not reported; else OK.
 */
enum status vm_resolve(struct vm_reader *reader);

/* Of vm_read_options(), after all other options. Same returns. */
enum status vm_read_json_devices(struct vm_reader *reader);

/* Of vm_resolve(), before everything else: complete -smp and set the VM's topology. */
void vm_complete_smp(struct vm_reader *reader);

/* Of vm_resolve(): read each -numa, then check and complete all of them together. Same returns. */
enum status vm_read_numa_arguments(struct vm_reader *reader);
enum status vm_complete_numa(struct vm_reader *reader);
