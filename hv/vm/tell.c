/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/tell.h"

#include "hv/vm/output.h"

enum { LINE_MAX = 512 };

_Static_assert(LINE_MAX <= OUTPUT_LINE_MAX, "what a queue takes");

static const uint8_t times[VM_N_TOLD] = {
	[VM_TOLD_TRIPLE_FAULT] = 1, [VM_TOLD_CRASH_KERNEL] = 1, [VM_TOLD_NO_TEMPLATE] = 1,
	[VM_TOLD_NO_CLONE] = 1,	    [VM_TOLD_ROM_DROPPED] = 1,	[VM_TOLD_PAUSED] = 8,
	[VM_TOLD_WATCHDOG] = 8,	    [VM_TOLD_FAILED] = 8,
};

bool vm_may_tell(struct vm *vm, enum vm_told what, enum log_level level)
{
	struct vm *teller = vm_teller(vm);
	uint8_t n = __atomic_load_n(&teller->n_told[what], __ATOMIC_RELAXED);

	if (log_prefix(level) == NULL)
		return false;
	while (n < times[what])
		if (__atomic_compare_exchange_n(&teller->n_told[what], &n, n + 1, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	__atomic_fetch_add(&teller->n_untold, 1, __ATOMIC_RELAXED);
	return false;
}

void vm_tell(struct vm *vm, enum vm_told what, enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list args;
	size_t len;

	if (!vm_may_tell(vm, what, level))
		return;
	len = format(line, sizeof(line) - 1, "%sVM %s: ", log_prefix(level), vm_name(vm));
	va_start(args, fmt);
	len += format_v(line + len, sizeof(line) - 1 - len, fmt, args);
	va_end(args);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	vm_output_put(vm, line, len);
}

void vm_tell_rest(struct vm *vm)
{
	uint32_t n = __atomic_exchange_n(&vm->n_untold, 0, __ATOMIC_RELAXED);

	if (n == 0)
		return;
	vm_output_pays(vm);
	log_info("VM %s: %u more lines about it%s were not shown", vm_name(vm), n,
		 vm->layer ? " and its clones" : "");
}

void vm_tell_clones(struct vm *template)
{
	uint32_t n_failed, n;

	if (__atomic_exchange_n(&template->has_new_sum, false, __ATOMIC_RELAXED)) {
		/* A clone that fails is counted as ended before, so never more have failed. */
		n_failed = __atomic_load_n(&template->n_clones_failed, __ATOMIC_ACQUIRE);
		n = __atomic_load_n(&template->n_clones_ended, __ATOMIC_RELAXED);
		vm_output_pays(template);
		log_info("VM %s: %u of its clones %s ended, %u of them failed", vm_name(template),
			 n, n == 1 ? "has" : "have", n_failed);
	}
	vm_tell_rest(template);
}
