/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* "info network": begin a job that lists the hubs, and the ports of each. */
void answer_network(void);
