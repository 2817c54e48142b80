/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/gdb/talk.h"

/* vCont, as rows of hv/gdb/session.c. */
gdb_taker gdb_take_resume_kinds, gdb_take_resume;
