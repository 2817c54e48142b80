/* SPDX-License-Identifier: BSD-2-Clause */
/* What the end of a watchdog's countdown does to the VM. The actions are QEMU's. */
#include "hv/run/guest_watchdog.h"

#include "hv/vm/news.h"
#include "hv/vm/tell.h"
#include "hv/vm/vm.h"

static void act(struct vm *vm)
{
	switch (vm->config->watchdog_action) {
	case WATCHDOG_ACTION_RESET:
		vm_reset(vm);
		break;
	case WATCHDOG_ACTION_SHUTDOWN:
		platform_press_power_button(&vm->platform);
		break;
	case WATCHDOG_ACTION_POWEROFF:
		vm_end(vm, VM_FAILED, "powered off by its watchdog");
		break;
	case WATCHDOG_ACTION_PAUSE:
		vm_pause(vm, true);
		break;
	case WATCHDOG_ACTION_INJECT_NMI:
		(void)lapic_deliver(vm->vcpu->lapic, DELIVER_NMI, 0, false);
		break;
	case WATCHDOG_ACTION_NONE:
		break;
	}
}

void guest_watchdog_look(struct vm *vm)
{
	const char *action = watchdog_action_names[vm->config->watchdog_action];

	if (!platform_take_watchdog(&vm->platform))
		return;
	vm_tell_news(vm, NEWS_WATCHDOG, action);
	vm_tell(vm, VM_TOLD_WATCHDOG, LOG_WARNING, "its watchdog's time is over: %s", action);
	act(vm);
}
