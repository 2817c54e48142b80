/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/backend.h"
#include "hv/backends/diag.h"
#include "hv/backends/object.h"
#include "hv/devices/acpi_watchdog.h"
#include "hv/devices/fw_cfg.h"
#include "hv/devices/topology.h"
#include "hv/lib/arena.h"
#include "hv/lib/saved_head.h"
#include "hv/loader/loader.h"
#include "hv/virtio/virtio.h"

/*
 * The configuration as data. Everything is in the arena given to config_parse(); lists have the
 * order of the text.
 */

enum serial_target { SERIAL_STDIO, SERIAL_NULL, SERIAL_NONE }; /* -serial, as QEMU names them */

/* The id of a -device of any driver. */
struct device_id {
	struct device_id *next;
	const char *id;
};

/*
 * -device pc-dimm,id=,memdev=,addr=,slot=,node= and
 * -device nvdimm,...,unarmed=,label-size=,uuid= and
 * -device virtio-pmem-device,id=,memdev=, which has no slot
 */
struct dimm_config {
	struct dimm_config *next;
	bool is_nvdimm;
	struct virtio_pmem_config *pmem; /* the virtio device that shows it; NULL: none */
	bool unarmed;			 /* nvdimm: only the flag of that name */
	uint64_t label_size; /* nvdimm: bytes of labels at the end of the backend; 0: none */
	/*
	 * Bytes that the guest gets, set by config_place_memory(): those of the backend; of an
	 * nvdimm without its labels, in whole alignments. The labels start at the backend's size -
	 * label_size.
	 */
	uint64_t size;
	const char *id;	    /* NULL: none given */
	const char *memdev; /* id of a backend of the same VM; NULL: none given */
	uint64_t
		addr; /* 0 until config_place_memory(): first fit in the window for device memory */
	int32_t slot; /* -1 until config_place_memory(): the first free one */
	uint32_t node;		 /* the guest's NUMA node, below n_numa_nodes or 0 */
	struct backend *backend; /* resolved; NULL: 'broken' */
	bool broken;		 /* an error in it was reported */
	bool is_added;		 /* to the running VM, not with its line */
	struct diag_place place;
};

/* Whether it is memory like main memory: the guest learns of it by its slot. */
static inline bool dimm_is_plain(const struct dimm_config *dimm)
{
	return !dimm->is_nvdimm && !dimm->pmem;
}

/* QEMU's MAX_NODES, and its distance from a node to itself. */
#define VM_NAME_MAX	    48 /* bytes */
#define NUMA_NODES_MAX	    128
#define NUMA_DISTANCE_LOCAL 10

/* -numa node,nodeid=,cpus=,memdev= and what -numa cpu adds to it */
struct numa_node_config {
	struct numa_node_config *next;
	uint32_t nodeid;
	const char *memdev;	 /* id of a backend of the same VM; NULL: no memory */
	struct backend *backend; /* resolved; NULL: no memory */
	uint64_t size;		 /* bytes of main memory, resolved: the backend's, or 0 */
	struct diag_place place;
};

/* -chardev stdio|null,id= */
struct chardev_config {
	struct chardev_config *next;
	const char *id;
	enum serial_target target;
	bool is_taken; /* by a port of a virtio-serial-device */
};

/* -fw_cfg name=,file=|string= */
struct fw_cfg_config {
	struct fw_cfg_config *next;
	const char *path; /* in the ramdisk; NULL: a text */
	struct diag_place place;
	/* Linked with the file of the next entry. With a path, config_open() sets the contents. */
	struct fw_cfg_file file;
};

/* -device loader,file=,addr=,force-raw= or addr=,data=,data-len=,data-be= */
struct blob_config {
	struct blob_config *next;
	const char *path; /* in the ramdisk; NULL: 'number' */
	struct diag_place place;
	uint8_t number[8];
	bool is_raw; /* force-raw=on: also an ELF file is only bytes */
	/* Linked with the next one's. With a path, config_open() sets data and length. */
	struct loader_blob blob;
};

/* -option-rom PATH,bootindex= */
struct option_rom {
	struct option_rom *next;
	const char *path;  /* in the ramdisk */
	const char *name;  /* in fw_cfg: "genroms/" and the last part of the path */
	int64_t bootindex; /* -1: none */
	struct diag_place place;
	const struct image *image; /* set by config_open() */
};

/* -kernel, -initrd and -append with -bios: for an option ROM, which finds them in fw_cfg. */
struct firmware_kernel {
	const char *kernel; /* paths in the ramdisk, NULL: none */
	const char *initrd;
	const char *append;
	struct diag_place kernel_place, initrd_place;
	const struct image *kernel_image, *initrd_image; /* set by config_open() */
};

/* RAM that does not fit below the first continues at the second. */
#define VM_RAM_LOW_MAX GIB(3)
#define VM_RAM_HIGH    GIB(4)

/* A guest's memory lies below MEM_HIDDEN_START. */
#define CONFIG_PHYS_BITS_MAX 47

/* Of a VM's share of the processors; as the weights of Linux' control groups. */
#define VM_WEIGHT_DEFAULT 100
#define VM_WEIGHT_MAX	  10000

/* host -serial, and -qmp, and a vm's -gdb: a port. Auto: the one that start-up finds. */
enum console_port {
	CONSOLE_AUTO,
	CONSOLE_COM1,
	CONSOLE_COM2,
	CONSOLE_NONE,
	CONSOLE_COM3, /* these two for gdb only */
	CONSOLE_COM4,
};

/* A file of the memory that a saved state belongs to, in the order of hv/lib/memory_part.h. */
struct saved_part {
	struct saved_part *next;
	const char *path;
	const struct image *image;
};

struct vm_config {
	struct vm_config *next;
	const char *name;	/* an identifier, unique */
	const char *guest_name; /* -name; NULL: none */
	struct diag_place place;

	struct cpu_topology topology; /* -smp; default one processor */
	/* -cpu: what the guest is not shown; the first means all of KVM's features. */
	bool kvm_is_off, kvmclock_is_off, steal_time_is_off, pv_eoi_is_off;

	uint64_t ram_size; /* bytes, resolved: -m, else the backend's, else 128 MiB */
	bool has_ram_size; /* -m gave one */
	uint64_t maxmem;   /* 0: no device memory */
	unsigned dimm_slots;
	uint64_t dimm_window, dimm_window_len; /* set by config_place_memory(); 0: none */
	struct diag_place memory_place;	       /* of -m's argument */
	const char *memory_backend_id;	       /* as written, NULL if not */
	struct diag_place memory_backend_place;
	/* Resolved; NULL: the backends of the NUMA nodes, one after the other, are the RAM. */
	struct backend *memory_backend;
	struct backend *backends;    /* in the order given; the default RAM's is the last */
	struct drive_config *drives; /* hv/config/drive.h */
	struct thread_context *thread_contexts;
	struct rng_object *rngs;
	struct dimm_config *dimms;
	struct device_id *device_ids; /* the last one first */
	struct added *added; /* what it got while it ran: hv/vm/added.h; guarded by vms_lock */
	struct numa_node_config *numa_nodes; /* by nodeid, 0 to n_numa_nodes - 1 without a gap */
	unsigned n_numa_nodes;		     /* 0: no -numa, and no SRAT for NUMA */
	const uint8_t *cpu_node;	     /* nodeid of each possible processor; NULL: no nodes */
	/*
	 * -numa dist: a complete matrix of n_numa_nodes rows, at [src * n_numa_nodes + dst]. NULL:
	 * none was given, no SLIT.
	 */
	const uint8_t *numa_distance;
	bool nvdimm;	      /* -machine nvdimm=on: NVDIMMs are allowed */
	bool mem_merge;	      /* -machine mem-merge=, default on: for backends without merge= */
	bool dump_guest_core; /* -machine dump-guest-core=, default on: for those without dump= */
	bool mem_prealloc;    /* -mem-prealloc: prealloc=on for all backends and the default RAM */
	bool has_pic;	      /* -machine pic=on */
	bool has_pit;	      /* -machine pit=on */
	bool no_rtc;	      /* -machine rtc=off */
	bool has_hpet;	      /* -machine hpet=on */
	bool has_pm_timer;    /* -machine pm-timer=on, which QEMU does not have */
	struct chardev_config *chardevs;

	const char *kernel; /* paths in the ramdisk, NULL: none */
	const char *initrd; /* Linux: one path; else QEMU's module list, as written */
	const char *append; /* NULL: none */
	/* 'kernel' is -bios or the file of -device loader,cpu-num=0; LOADER_NONE: it tells itself
	 */
	enum loader_kind kernel_kind;
	struct firmware_kernel firmware_kernel; /* LOADER_BIOS */
	struct option_rom *option_roms;		/* LOADER_BIOS; in the order given */
	struct backend bios; /* LOADER_BIOS: the region that ends at 4 GiB; not in the list */
	struct blob_config *blobs;
	struct diag_place kernel_place, initrd_place, append_place;
	/* Their files, found by config_open(); NULL: none. */
	const struct image *kernel_image;
	const struct image *initrd_image; /* Linux only */
	struct loader_module *modules;	  /* not for Linux */
	size_t n_modules;
	bool is_template;     /* it never runs, but is a template that starts from 'incoming' */
	const char *incoming; /* -incoming file:PATH; NULL: it starts with its kernel */
	struct diag_place incoming_place;
	const struct image *incoming_image; /* a complete file of state; set by config_open(), */
	struct saved_head saved;	    /* its head, */
	const struct saved_part *parts;	    /* and the files of its memory, if it has them */
	struct vm *below; /* the template that the VM made from a layer holds, see hv/vm/hold.h */
	bool incoming_is_bad; /* an error in it was reported */

	enum serial_target serial; /* COM1; default stdio */
	bool has_console_port;	   /* a port of a virtio-serial-device is in its place */
	bool serial_backpressure;  /* the guest waits while much of its output does */
	bool no_reboot;
	bool starts_stopped;   /* -S */
	enum console_port gdb; /* -gdb; none by default, never auto */
	struct diag_place gdb_place;
	uint64_t max_private;  /* -max-private: bytes, whole pages; 0: no limit */
	bool pauses_when_full; /* -on-full pause; default end */
	uint16_t weight;       /* -weight: 1 to VM_WEIGHT_MAX */
	bool has_debug_exit;
	uint16_t debug_exit_iobase, debug_exit_iosize;
	bool has_watchdog; /* -device acpi-watchdog, which QEMU does not have */
	enum watchdog_action watchdog_action;
	bool has_pvpanic;
	uint8_t pvpanic_events;
	bool has_debugcon;
	uint16_t debugcon_iobase;
	enum serial_target debugcon;
	struct fw_cfg_config *fw_cfg;
	const struct virtio_config *virtio; /* in the order given */
	unsigned n_virtio;		    /* up to VIRTIO_DEVICES_MAX */
	bool has_vmgenid;
	bool has_guid;	  /* else each start generates a new one */
	uint8_t guid[16]; /* in the byte order of the guest's memory */
};

/*
 * -info COMMAND, answered by each VM when it starts. The caller of config_parse() checks the name.
 */
struct info_config {
	struct info_config *next;
	const char *command;
	struct diag_place place;
};

enum host_after { HOST_AFTER_UNSET, HOST_AFTER_POWEROFF, HOST_AFTER_WAIT, HOST_AFTER_REBOOT };

/* host -merge: which pages equal pages are looked for among, see hv/guest/merge.h. */
enum merge_mode { MERGE_OFF, MERGE_OWN, MERGE_ALL };

struct host_config {
	enum host_after on_end, on_panic;
	enum console_port console; /* default auto */
	enum console_port qmp;	   /* never auto; default none */
	struct diag_place qmp_place;
	bool shows_status;     /* on the screen, instead of the console; default false */
	uint16_t baud_divisor; /* of 115200 baud, for the console; 0: as it is */
	struct diag_place baud_place;
	bool sends_to_debugcon; /* files go to the emulators' debug port; default the console */
	struct diag_place send_place;
	bool has_colors;       /* of VMs' names on the console; default off */
	unsigned log_level;    /* enum log_level, default info */
	uint64_t max_private;  /* of all VMs: bytes, whole pages; 0: all that the machine has */
	unsigned mitigations;  /* enum mitigations, default auto */
	enum merge_mode merge; /* default own */
	bool smt;	       /* use all threads of each core; default on */
	bool hands_over;       /* files that the run has made go to the disk; default off */
	struct diag_place handover_place;
	const char *fetch; /* where the real configuration is, a URL; NULL: it is this one */
	struct diag_place fetch_place;
	unsigned n_options;
	bool checksum; /* checksum all read-only and private images at start and end; default off */
	bool check;    /* check all memory after the last VM has ended; default off */
	bool protects_all;	  /* templates cannot be written here either; default images only */
	struct info_config *info; /* in the order written */
	unsigned watchdog;	  /* seconds; 0: off */
	struct diag_place watchdog_place;
	const char *mask; /* names of features with commas, unchecked; NULL: none */
	struct diag_place mask_place;
};

/* What a line "map TEMPLATE jobs=PATH ..." has besides a line "clone": a clone for each job. */
struct map_config {
	const char *jobs; /* path in the ramdisk; NULL: not given */
	struct diag_place jobs_place;
	const struct image *jobs_image; /* set by map_open() */
	const char *out; /* path of the archive, a new file of the ramdisk; NULL: none */
	struct diag_place out_place;
	uint32_t first;	     /* number of the first job */
	uint64_t timeout_ms; /* of a job, from its clone's start; 0: none */
	struct map *map;     /* while it runs, and before: hv/vm/map.h */
};

/*
 * A line "clone TEMPLATE count=N parallel=N ...", or "vm NAME -incoming template:TEMPLATE", or a
 * line "map".
 */
struct clone_config {
	struct clone_config *next;
	const char *template; /* name of a VM, or of a clone */
	const char *name;     /* NULL: TEMPLATE-0, TEMPLATE-1, ... */
	unsigned count;
	unsigned parallel;	 /* at most so many at a time; the next starts when one has ended */
	bool paused;		 /* until the operator continues them */
	uint64_t max_private;	 /* bytes, whole pages; 0: as the template */
	bool precopy;		 /* copy in advance what the first clone has written */
	struct diag_place place; /* of the template's name */
	struct map_config *map;	 /* NULL: the clones have no jobs */
	union {			 /* see hv/vm/clone_line.h */
		struct {
			uint32_t n_started, n_running;
		};
		uint64_t counts; /* both */
	};
	bool lacks_memory; /* the latest clone found none, and is still wanted */
};

/* Of PATH: all file names are then short enough to be sent. */
#define SAVE_PATH_MAX 190

/* The options of "save". */
struct save_how {
	bool is_sent;	/* -s: over the console, else saved into the ramdisk */
	bool is_packed; /* -z: the memory in compressed parts */
	bool is_layer;	/* -i: the same, only what differs from the template's memory */
};

/* A line "save [-s] [-z|-i] TEMPLATE PATH". */
struct save_config {
	struct save_config *next;
	const char *template; /* name of a VM, or of a clone */
	const char *path;     /* of all files, without ".state" and ".mem" */
	struct save_how how;
	struct diag_place place, path_place;
	struct vm *vm; /* the template, when it is to be saved: see hv/vm/save_queue.c */
	bool is_done;
};

struct config {
	struct host_config host;
	/*
	 * Width of the guests' physical addresses. The parser sets CONFIG_PHYS_BITS_MAX; the caller
	 * may lower it before config_open().
	 */
	unsigned phys_bits;
	struct vm_config *vms;
	unsigned n_vms;
	struct clone_config *clones;
	struct save_config *saves;
	uint64_t n_default_macs; /* network devices without mac= */
};
