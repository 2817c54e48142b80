/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/output.h"

#include "hv/host/console.h"
#include "hv/host/io.h"
#include "hv/vcpu/sched.h"

enum { LINES_AT_ONCE = 16 };

/* Guards what follows and every VM's queue. The leaves may be taken inside. */
static struct lock output_lock;
static struct output_turns turns;
static struct output_queue left = {.name = "VMs that have ended"};
static struct vm *payer; /* who pays for the console, see vm_output_work(); read without */

/* Only tried: guards 'line', and keeps lines in order on their way from a queue to the console. */
static struct lock sending;
static char line[OUTPUT_LINE_MAX];
static size_t line_len; /* 0: none waits */

static void set_payer(struct vm *vm)
{
	__atomic_store_n(&payer, vm, __ATOMIC_RELAXED);
}

static struct vm *vm_of(struct output_queue *queue)
{
	return (struct vm *)((char *)queue - offsetof(struct vm, output));
}

/* The VM whose turn it is; NULL: it has ended. A line waits. */
static struct vm *first_vm(void)
{
	return turns.first == &left ? NULL : vm_of(turns.first);
}

/*
 * The usual case: no line waits, and the console takes this one. It needs no frame then, of which
 * there may be none.
 */
static bool send_at_once(struct vm *vm, const char *text, size_t len)
{
	bool waits, is_sent;

	if (!lock_try(&sending))
		return false;
	lock_acquire(&output_lock);
	waits = line_len > 0 || turns.first != NULL;
	if (!waits)
		set_payer(vm);
	lock_release(&output_lock);
	is_sent = !waits && console_offer(text, len);
	lock_release(&sending);
	return is_sent;
}

/* No VM waits for room in the queue 'left'. */
static void take_line(void)
{
	struct output_queue *queue = turns.first;

	if (queue != NULL)
		set_payer(first_vm());
	line_len = output_queue_take(&turns, line);
	if (queue != NULL && output_queue_frees_vm(queue))
		sched_request(vm_of(queue)->vcpu, VCPU_REQUEST_UART);
}

static bool next_line(void)
{
	if (line_len == 0) {
		lock_acquire(&output_lock);
		take_line();
		lock_release(&output_lock);
	}
	return line_len > 0;
}

bool vm_output_holds(struct vm *vm)
{
	bool holds;

	lock_acquire(&output_lock);
	holds = output_queue_holds_vm(&vm->output);
	lock_release(&output_lock);
	return holds;
}

/*
 * Hand over lines while the console takes them, each VM in its turn, unless another processor does.
 * True: lines wait.
 */
static bool hand_over(void)
{
	unsigned n_left = LINES_AT_ONCE;

	if (!lock_try(&sending))
		return true;
	while (n_left > 0 && next_line() && console_offer(line, line_len)) {
		line_len = 0;
		n_left--;
	}

	bool waits = n_left == 0 || line_len > 0;

	lock_release(&sending);
	return waits;
}

void vm_output_put(struct vm *vm, const char *text, size_t len)
{
	if (send_at_once(vm, text, len))
		return;
	lock_acquire(&output_lock);
	vm->output.name = vm->name;
	output_queue_put(&turns, &vm->output, text, len);
	lock_release(&output_lock);
	(void)hand_over();
}

bool vm_output_work(void)
{
	uint64_t start = rdtsc();
	bool waits = hand_over();

	waits |= console_poll();
	if (__atomic_load_n(&payer, __ATOMIC_RELAXED) == NULL)
		return waits;
	lock_acquire(&output_lock);
	if (payer)
		sched_charge_work(&payer->share, rdtsc() - start);
	if (!waits)
		set_payer(NULL);
	lock_release(&output_lock);
	return waits;
}

void vm_output_flush(void)
{
	while (hand_over())
		pause();
}

void vm_output_leave(struct vm *vm)
{
	lock_acquire(&output_lock);
	output_queue_move(&turns, &vm->output, &left);
	if (payer == vm)
		set_payer(NULL);
	lock_release(&output_lock);
}
