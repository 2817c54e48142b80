/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/output.h"

#include "hv/host/console.h"
#include "hv/host/io.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/raw_output.h"

enum { LINES_AT_ONCE = 16 };

/* Guards what follows and every VM's queue. The leaves may be taken inside. */
static struct lock output_lock;
static struct output_turns turns;
static struct output_queue left = {.name = "VMs that have ended"};
static struct raw_output raw;
static struct vm *attached; /* whose output is raw; atomic; NULL: none */
/* Who pays for the console, see vm_output_work(); NULL: it has ended. Read without the lock. */
static struct vm *payer;
static uint16_t payer_weight; /* 0: none pays; read without */
static uint16_t left_weight;  /* of the last VM whose lines are in 'left' */
/*
 * Lines or raw bytes wait, or may: processors that pass look here first. Written with the lock
 * held, and cleared only if 'sending' is, too; atomic.
 */
static bool may_wait;

/* Only tried: guards 'line', and keeps lines in order on their way from a queue to the console. */
static struct lock sending;
static char line[OUTPUT_LINE_MAX]; /* or a piece of raw output */
static size_t line_len;		   /* 0: none waits */
static bool line_is_raw;

_Static_assert(RAW_PIECE_MAX <= OUTPUT_LINE_MAX, "room for a piece");

/* NULL: one of this weight that has ended. */
static void set_payer(struct vm *vm, uint16_t weight)
{
	__atomic_store_n(&payer, vm, __ATOMIC_RELAXED);
	__atomic_store_n(&payer_weight, weight, __ATOMIC_RELAXED);
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
	waits = line_len > 0 || turns.first != NULL || raw.state != RAW_OFF;
	if (!waits)
		set_payer(vm, vm->share.weight);
	lock_release(&output_lock);
	is_sent = !waits && console_offer(text, len);
	lock_release(&sending);
	return is_sent;
}

/* A line or a raw byte was added, or what others wait for has changed. The lock is held. */
static void note_waiting(void)
{
	__atomic_store_n(&may_wait, true, __ATOMIC_RELAXED);
}

/* Nothing was taken. While the console is attached, lines in queues wait for its end. */
static void note_empty(void)
{
	if (raw.state != RAW_OFF || turns.first == NULL)
		__atomic_store_n(&may_wait, false, __ATOMIC_RELAXED);
}

/* No VM waits for room in the queue 'left'. */
static void take_line(void)
{
	struct output_queue *queue = turns.first;
	struct vm *vm = queue != NULL ? first_vm() : NULL;

	if (queue != NULL)
		set_payer(vm, vm != NULL ? vm->share.weight : left_weight);
	line_len = output_queue_take(&turns, line);
	if (queue != NULL && output_queue_frees_vm(queue))
		sched_request(vm_of(queue)->vcpu, VCPU_REQUEST_UART);
}

static void take_raw(void)
{
	line_len = raw_output_take(&raw, line);
	if (line_len > 0)
		set_payer(attached, attached != NULL ? attached->share.weight : payer_weight);
	if (attached != NULL && raw_output_frees_vm(&raw))
		sched_request(attached->vcpu, VCPU_REQUEST_UART);
}

static bool next_line(void)
{
	if (line_len == 0) {
		lock_acquire(&output_lock);
		line_is_raw = raw.state != RAW_OFF;
		if (line_is_raw)
			take_raw();
		else
			take_line();
		if (line_len == 0)
			note_empty();
		lock_release(&output_lock);
	}
	return line_len > 0;
}

static bool offer_line(void)
{
	return line_is_raw ? console_offer_part(line, line_len) : console_offer(line, line_len);
}

bool vm_output_holds(struct vm *vm)
{
	bool holds;

	lock_acquire(&output_lock);
	if (vm == attached)
		holds = raw_output_holds_vm(&raw);
	else
		holds = vm->config->serial_backpressure && output_queue_holds_vm(&vm->output);
	lock_release(&output_lock);
	return holds;
}

static void set_attached(struct vm *vm)
{
	__atomic_store_n(&attached, vm, __ATOMIC_RELAXED);
}

void vm_output_attach(struct vm *vm, const char *name, uint64_t code)
{
	lock_acquire(&output_lock);
	raw_output_begin(&raw, name, code);
	set_attached(vm);
	if (vm == NULL)
		raw_output_end(&raw);
	note_waiting();
	lock_release(&output_lock);
}

/* The lock is held. */
static bool detach(const struct vm *vm)
{
	struct vm *from = vm == NULL || vm == attached ? attached : NULL;

	if (from == NULL)
		return false;
	set_attached(NULL);
	raw_output_end(&raw);
	note_waiting();
	sched_request(from->vcpu, VCPU_REQUEST_UART); /* it may wait for raw output */
	return true;
}

bool vm_output_detach(const struct vm *vm)
{
	bool was_attached;

	/* The usual case of a VM that is frozen. */
	if (vm != NULL && __atomic_load_n(&attached, __ATOMIC_RELAXED) != vm)
		return false;
	lock_acquire(&output_lock);
	was_attached = detach(vm);
	lock_release(&output_lock);
	return was_attached;
}

bool vm_output_is_raw(void)
{
	bool is_raw;

	lock_acquire(&output_lock);
	is_raw = raw.state != RAW_OFF;
	lock_release(&output_lock);
	return is_raw;
}

bool vm_output_put_raw(struct vm *vm, uint8_t byte)
{
	bool is_attached;

	if (__atomic_load_n(&attached, __ATOMIC_RELAXED) != vm)
		return false;
	lock_acquire(&output_lock);
	is_attached = attached == vm;
	if (is_attached) {
		raw_output_put(&raw, byte);
		note_waiting();
	}
	lock_release(&output_lock);
	return is_attached;
}

/*
 * Hand over lines while the console takes them, each VM in its turn, unless another processor does.
 * True: lines wait.
 */
static bool hand_over(void)
{
	unsigned n_left = LINES_AT_ONCE;

	/* What is added at this moment is handed over by who adds it, or by who sends. */
	if (!__atomic_load_n(&may_wait, __ATOMIC_RELAXED))
		return false;
	if (!lock_try(&sending))
		return true;
	while (n_left > 0 && next_line() && offer_line()) {
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
	vm->output.name = vm_name(vm);
	output_queue_put(&turns, &vm->output, text, len);
	note_waiting();
	lock_release(&output_lock);
	(void)hand_over();
}

bool vm_output_work(void)
{
	uint64_t start = rdtsc();
	bool waits = hand_over();

	waits |= console_poll();
	if (__atomic_load_n(&payer_weight, __ATOMIC_RELAXED) == 0)
		return waits;
	lock_acquire(&output_lock);
	if (payer != NULL)
		sched_charge_work(&payer->share, rdtsc() - start);
	else if (payer_weight > 0)
		sched_charge_ended(payer_weight, rdtsc() - start);
	if (!waits)
		set_payer(NULL, 0);
	lock_release(&output_lock);
	return waits;
}

void vm_output_pays(struct vm *vm)
{
	lock_acquire(&output_lock);
	set_payer(vm, vm->share.weight);
	lock_release(&output_lock);
}

uint64_t vm_output_n_lost(void)
{
	return __atomic_load_n(&turns.n_lost, __ATOMIC_RELAXED);
}

void vm_output_flush(void)
{
	while (hand_over())
		pause();
}

/*
 * Without the lock: no processor adds a line of the VM any more, or attaches the console to it. Who
 * takes the last one makes it the payer first, and uses it until the lock is released.
 */
static bool is_known(const struct vm *vm)
{
	return output_queue_is_listed(&vm->output) ||
	       __atomic_load_n(&payer, __ATOMIC_RELAXED) == vm ||
	       __atomic_load_n(&attached, __ATOMIC_RELAXED) == vm;
}

void vm_output_leave(struct vm *vm)
{
	if (!is_known(vm)) /* usually */
		return;
	lock_acquire(&output_lock);
	(void)detach(vm);
	if (vm->output.is_listed)
		left_weight = vm->share.weight;
	output_queue_move(&turns, &vm->output, &left);
	if (payer == vm)
		set_payer(NULL, payer_weight);
	lock_release(&output_lock);
}
