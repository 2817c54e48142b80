/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/image.h"
#include "hv/vm/vm.h"

/*
 * A map runs a list of jobs, each in a clone of one template: a line "map" of the configuration, or
 * the operator's. Job n runs in the clone TEMPLATE-n. What a job does, ends with that clone.
 */
struct map;

/*
 * Copy the jobs of the line, whose file map_check_jobs() has accepted, and make room for what
 * becomes of them. ERR_NOMEM: that was not possible, which is logged; the line has no map. Boot
 * processor.
 */
enum status map_prepare(struct clone_config *line);
/*
 * Set where the archives go, and prepare the lines of the configuration, which
 * template_set_config() has set. Once, before the first VM starts. A line that cannot be prepared
 * makes no clone.
 */
void map_set_config(struct image_list *ramdisk);

/* The number that a template's next clone without a job has at least, because of its maps. */
uint32_t map_numbers_end(const struct vm *template);

/* The number of the next job of the line, which is started now; there is one. vms_lock is held. */
uint32_t map_take(struct clone_config *line);
/* It was not started. vms_lock is held. */
void map_put_back(struct clone_config *line, uint32_t number);

/* A clone that was made for a job starts. */
void map_begin(struct vm *clone);
/* It is reverted: its job begins again, and what it has written is lost. */
void map_begin_again(struct vm *clone);

/* What the clone's job has written, or a part of it. The VM's lock is held. */
void map_write(struct vm *clone, enum job_channel channel, const char *bytes, size_t len);
/* The job has written a file: set the answer. The devices and the VM's lock are held. */
void map_put(struct vm *clone);
/* The job gives up the file that it is writing. The devices and the VM's lock are held. */
void map_drop(struct vm *clone);
/* The clone's job ends, with a status of wait(2). Called for one of its vCPUs. */
void map_job_ends(struct vm *clone, uint16_t wait_status);

/* The clone, which has just been made to end, has used up its memory. */
void map_note_memory(struct vm *clone);

/* End the clones whose jobs have taken too long. Boot processor, from time to time. */
void map_end_late(void);

/* The clone of a job has ended and has used so many frames: log how. */
void map_report(struct vm *clone, uint64_t n_private);

/* Whether all jobs of a map have ended, and it is not finished. Any processor. */
bool map_is_done(void);
/* Do a piece of that; false: there is none. Boot processor. */
bool map_finish_some(void);

/*
 * After the last VM has ended: finish all maps, and log the jobs that were not run. Whether all
 * jobs have ended well.
 */
bool map_all_are_well(void);
