/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* No job is running: begin the one that finishes a map (hv/vm/map.h), if all its jobs have ended.
 */
void map_job_begin_due(void);
