/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/focus.h"

#include "hv/host/io.h"
#include "hv/host/log.h"
#include "hv/host/random.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/output.h"
#include "hv/vm/serial.h"

#define NO_FOCUS UINT32_MAX

/* The VM's number: the VM itself may end at any time. Guarded by vms_lock. */
static uint32_t focus = NO_FOCUS;
static unsigned cpu;	    /* of it; another VM may have fewer */
static bool is_on_template; /* the operator has chosen one */
static bool attach_is_wanted;
/* Typed bytes may wait for the VM in focus, if its FIFO was full. Used by the boot processor only.
 */
static bool may_have_input;

bool focus_is_reader(const struct vm *vm)
{
	return (vm->config->serial == SERIAL_STDIO || vm->config->has_console_port) &&
	       vm_outcome(vm) == VM_RUNNING;
}

/*
 * The first VM after 'vm' that reads the console; after the last VM comes the first. NULL: none
 * does. vms_lock is held.
 */
static struct vm *next_reader(struct vm *vm)
{
	struct vm *start = vm && vm->next ? vm->next : vms;

	for (struct vm *next = start; next; next = next->next)
		if (focus_is_reader(next))
			return next;
	for (struct vm *next = vms; next != start; next = next->next)
		if (focus_is_reader(next))
			return next;
	return NULL;
}

static bool is_running(const struct vm *vm)
{
	return vm_outcome(vm) == VM_RUNNING;
}

struct vm *focus_vm(void)
{
	struct vm *vm = vm_find(focus), *reader;

	if (vm && (is_on_template || is_running(vm)))
		return vm;
	reader = next_reader(NULL);
	if (reader)
		focus_set(reader);
	else if (vm == NULL)
		return vms;
	return reader ? reader : vm;
}

void focus_set(const struct vm *vm)
{
	cpu = 0;
	is_on_template = vm && !is_running(vm);
	focus = vm ? vm->index : NO_FOCUS;
	may_have_input = true;
}

unsigned focus_cpu(const struct vm *vm)
{
	return cpu < vm->n_vcpus ? cpu : 0;
}

void focus_set_cpu(unsigned number)
{
	cpu = number;
}

/* If the focused VM does not read the console, focus the first one that does. vms_lock is held. */
static struct vm *find_reader(void)
{
	struct vm *vm = vm_find(focus);

	if (vm == NULL || !focus_is_reader(vm)) {
		vm = next_reader(NULL);
		focus_set(vm);
	}
	return vm;
}

void focus_next(void)
{
	char name[CLONE_NAME_SIZE];
	struct vm *vm;

	vms_acquire();
	vm = next_reader(find_reader());
	focus_set(vm);
	format(name, sizeof(name), "%s", vm ? vm_name(vm) : "");
	lock_release(&vms_lock);
	if (vm)
		log_info("console: input goes to VM %s", name);
}

void focus_attach(void)
{
	char name[CLONE_NAME_SIZE];
	unsigned index = NO_FOCUS;
	struct vm *vm;
	uint64_t code;

	if (vm_output_detach(NULL) || vm_output_is_raw())
		return;
	vms_acquire();
	vm = find_reader();
	if (vm) {
		index = vm->index;
		format(name, sizeof(name), "%s", vm_name(vm));
	}
	lock_release(&vms_lock);
	if (vm == NULL)
		return;
	random_fill(&code, sizeof(code));
	console_print("console: raw output of VM %s, until %016lx", name, code);
	vms_acquire();
	vm = vm_find(index);
	vm_output_attach(vm && focus_is_reader(vm) ? vm : NULL, name, code);
	lock_release(&vms_lock);
}

void focus_want_attach(const struct vm *vm)
{
	focus_set(vm);
	attach_is_wanted = true;
}

bool focus_take_wanted(void)
{
	const struct vm *vm;
	bool reads;

	if (!attach_is_wanted || vm_output_is_raw())
		return false;
	attach_is_wanted = false;
	vms_acquire();
	vm = vm_find(focus);
	reads = vm && focus_is_reader(vm);
	lock_release(&vms_lock);
	return reads;
}

/* Whether the VM in focus has as many typed bytes as it can keep. */
static bool is_full(void)
{
	const struct vm *vm;
	bool full;

	if (!may_have_input)
		return false;
	vms_acquire();
	vm = vm_find(focus);
	full = vm && focus_is_reader(vm) && !vm_has_input_room(vm);
	lock_release(&vms_lock);
	return full;
}

bool focus_has_room(void)
{
	static uint64_t full_since; /* host TSC; 0: it was not full */
	uint64_t now = rdtsc();

	if (!is_full()) {
		full_since = 0;
		return true;
	}
	if (full_since == 0)
		full_since = now;
	return now - full_since > tsc_hz;
}

void focus_type(uint8_t byte)
{
	struct vm *vm;

	vms_acquire();
	vm = find_reader();
	if (vm)
		vm_put_input(vm, byte);
	may_have_input = true;
	lock_release(&vms_lock);
}

void focus_wake(void)
{
	struct vm *vm;

	if (!may_have_input)
		return;
	vms_acquire();
	vm = vm_find(focus);
	may_have_input = vm && focus_is_reader(vm) && vm_has_input(vm);
	if (may_have_input)
		sched_request(vm->vcpu, VCPU_REQUEST_UART);
	lock_release(&vms_lock);
}
