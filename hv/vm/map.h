/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/map_text.h"
#include "hv/vm/vm.h"

/*
 * A map runs a list of jobs, each in a clone of one template: a line "map" of the configuration, or
 * the operator's. Job n runs in the clone TEMPLATE-n. What a job does, ends with that clone.
 */
struct map;

/*
 * Set what to map, and copy the jobs, whose files map_check_jobs() has accepted. Once, before the
 * first VM starts. If there is no memory, that is logged, and no clone of the line is made.
 */
void map_set_config(struct clone_config *lines);

/* The number that a template's next clone without a job has at least, because of its maps. */
uint32_t map_numbers_end(const struct vm *template);

/* The number of the next job of the line, which is started now; there is one. vms_lock is held. */
uint32_t map_take(struct clone_config *line);
/* It was not started. vms_lock is held. */
void map_put_back(struct clone_config *line, uint32_t number);
/* It runs in this clone, which is made for the line and about to start. */
void map_begin(struct clone_config *line, struct vm *clone);

/* The clone's job ends, with a status of wait(2). Called for one of its vCPUs. */
void map_job_ends(struct vm *clone, uint16_t wait_status);

/*
 * The clone of a job has ended and has used so many frames: log how. After the last job, log how
 * many went well.
 */
void map_report(struct vm *clone, uint64_t n_private);

/* After the last VM has ended: log the jobs that were not run. Whether all jobs have ended well. */
bool map_all_are_well(void);
