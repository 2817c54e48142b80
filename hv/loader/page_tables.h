/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

/* Map 4 GiB one to one in pages of 2 MiB, for ENTRY_LONG64. Sets page_tables of the state. */
enum status loader_write_page_tables(struct loader *loader);
