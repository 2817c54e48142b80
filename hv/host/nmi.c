/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NMIs of the hardware: a broken bus or memory, a button, a watchdog, a management controller. They
 * are logged, and the machine continues; errors that must stop it are machine checks. The handler
 * may have interrupted the owner of the console's lock, so that another place logs.
 */
#include "hv/host/nmi.h"

#include "hv/host/io.h"
#include "hv/lib/print.h"

/* System control port B, as chipsets keep it from the first PC. */
enum {
	PORT_B = 0x61,
	PORT_B_KEEP = 0xf,
	PORT_B_SERR_OFF = 1 << 2,
	PORT_B_IOCHK_OFF = 1 << 3,
	PORT_B_IOCHK = 1 << 6,
	PORT_B_SERR = 1 << 7,
};

/* Atomic: the NMI handlers of all processors write, nmi_report() takes. */
static unsigned n_noted, reasons;

void nmi_note(void)
{
	uint8_t port = inb(PORT_B), off = 0;

	/* Switching a source off also takes its NMI back. It stays off: it has been told. */
	if (port & PORT_B_SERR)
		off |= PORT_B_SERR_OFF;
	if (port & PORT_B_IOCHK)
		off |= PORT_B_IOCHK_OFF;
	if (off != 0)
		outb(PORT_B, (uint8_t)((port & PORT_B_KEEP) | off));
	__atomic_fetch_or(&reasons, port & (PORT_B_SERR | PORT_B_IOCHK), __ATOMIC_RELAXED);
	/* Release pairs with the acquire in nmi_report(). */
	__atomic_fetch_add(&n_noted, 1, __ATOMIC_RELEASE);
}

void nmi_report(void)
{
	unsigned n, why;

	if (__atomic_load_n(&n_noted, __ATOMIC_RELAXED) == 0)
		return;
	n = __atomic_exchange_n(&n_noted, 0, __ATOMIC_ACQUIRE);
	why = __atomic_exchange_n(&reasons, 0, __ATOMIC_RELAXED);
	log_warning("%u NMI%s from the hardware: %s%s%s", n, n == 1 ? "" : "s",
		    why & PORT_B_SERR ? "a bus or memory error (SERR) " : "",
		    why & PORT_B_IOCHK ? "an I/O error (IOCHK) " : "",
		    why ? "" : "a button, a watchdog or a management controller");
}
