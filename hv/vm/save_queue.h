/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * The configuration's lines "save": what has become a template and waits to be written. The boot
 * processor writes (hv/monitor/job.c); the machine stays on until it has.
 */

/* Once, before the first VM starts. */
void template_save_set_config(struct save_config *saves);
/* By whoever made 'vm' a template, before it can go again. It is held until it has been saved. */
void template_save_note(struct vm *vm);
/* The next line to be done, whose template is in 'vm'; NULL: none. */
struct save_config *template_save_next(void);
/* That one is done, or was given up, which has been said. */
void template_save_done(struct save_config *save, bool well);
/* Whether there is something to do. Any processor, no lock. */
bool template_save_is_wanted(void);
/* Once nothing runs any more: say which lines' templates never came. Whether all lines were done.
 */
bool template_save_end(void);
