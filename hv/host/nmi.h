/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* For the NMI handler: note an NMI that no processor has sent. */
void nmi_note(void);

/* Log the NMIs that have been noted since the last call. Not for the NMI handler. */
void nmi_report(void);
