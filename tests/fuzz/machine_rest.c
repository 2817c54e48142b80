/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of the machine that have nothing to do in hosted programs with machine_run.h. */
#include <stdlib.h>

#include "hv/host/apic.h"
#include "hv/host/idt.h"
#include "hv/host/keyboard.h"
#include "hv/host/machine_check.h"
#include "hv/host/nmi.h"
#include "hv/host/paging.h"
#include "hv/host/panic.h"
#include "hv/host/power_button.h"
#include "hv/host/screen.h"
#include "hv/host/serial.h"
#include "hv/host/tsc.h"
#include "hv/host/watchdog.h"
#include "hv/monitor/monitor.h"
#include "hv/monitor/status.h"
#include "hv/vmx/vmcs.h"
#include "hv/vmx/vmx.h"

const uint8_t font[FONT_GLYPHS][FONT_HEIGHT];

void host_apic_send_wake(uint32_t apic_id)
{
}

uint64_t idt_base(void)
{
	return 0;
}

int keyboard_read(void)
{
	return -1;
}

void machine_check_poll(void)
{
}

bool monitor_holds_machine(void)
{
	return false;
}

bool monitor_is_on(void)
{
	return false;
}

bool status_is_waiting(void)
{
	return false;
}

bool monitor_is_waiting(void)
{
	return false;
}

void monitor_quit(void)
{
}

bool qmp_is_on(void)
{
	return false;
}

bool qmp_holds_machine(void)
{
	return false;
}

void qmp_poll(void)
{
}

void nmi_report(void)
{
}

void paging_sync(void)
{
}

void paging_protect_frame(phys_t frame, bool write)
{
}

uint64_t paging_renew(void)
{
	return 1;
}

bool paging_is_everywhere(uint64_t wanted)
{
	return true;
}

_Noreturn void panic_machine_check(void)
{
	abort();
}

bool power_button_is_pressed(void)
{
	return false;
}

bool serial_all_sent(const struct serial_port *port)
{
	return true;
}

void serial_init(const struct serial_port *port)
{
}

bool serial_is_present(const struct serial_port *port)
{
	return true;
}

uint64_t tsc_unix_ns(uint64_t at)
{
	return 0;
}

void vmcs_unlaunch(phys_t vmcs)
{
}

void vmcs_write_constant(const struct vmcs_constant *constant)
{
}

void vmcs_write_host(const struct vmcs_host *host)
{
}

void vmx_flush_ept(uint64_t type, const uint64_t (*descriptor)[2])
{
}

void vmx_flush_vpid(const struct vmx_capability *cap, uint16_t vpid)
{
}

void vmx_flush_vpids(const struct vmx_capability *cap)
{
}

void watchdog_feed(void)
{
}

void watchdog_pass(struct cpu *cpu)
{
}
