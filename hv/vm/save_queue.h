/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * The "save" lines of the configuration. A template that a line names waits here until the boot
 * processor has written it (hv/monitor/job.c). The machine stays on until then.
 */

/* Once, before the first VM starts. */
void save_queue_set_config(struct save_config *saves);
/* 'vm' has become a template: hold it for each line that names it. */
void save_queue_note(struct vm *vm);
/* The next line to save, whose template is in 'vm'; NULL: none. */
struct save_config *save_queue_next(void);
/* The line's template was saved, or an error was logged. Give up the hold on it. */
void save_queue_done(struct save_config *save, bool well);
/* Whether a template waits. On any processor, without a lock. */
bool save_queue_is_wanted(void);
/* After the last VM has ended: log the lines that were not saved. Whether all lines were. */

bool save_queue_end(void);
