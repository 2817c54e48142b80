/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper and the actors' loop (hostile.h). The guest freezes; its clones, one after the other,
 * work on one seed each. When a clone is lost, the next one continues with its seed.
 *
 *	seed=N		the first seed (1)
 *	seeds=N		how many (1)
 *	actions=N	that each actor performs (100)
 *	from=N		number of the first one (0)
 *	only=NAME	choose this one always
 *	skip=NAME	never choose this one
 *	actors=N	(2)
 *	wait=N		TSC ticks before the freeze (0)
 *	freezes=N	how often a clone may become a template itself (0)
 *	verbose		print each action before it begins
 */
#include "tests/guest/hostile/hostile.h"
#include "tests/guest/hostile/log.h"

#define CONTROL	      0x5354
#define CONTROL_N     (CONTROL + 12)
#define FREEZE	      1
#define FW_CFG	      0x510
#define FW_CFG_NAME   0x20
#define PCI_RESET     0xcf9
#define ICR_NMI	      0x4400u
#define KEEPER_TICKS  200000
#define QUIET_NMI     5	 /* ticks without a new step until the NMI */
#define QUIET_RESTART 10 /* until INIT and SIPI */
#define QUIET_RESET   40 /* until the reset of the VM */
#define PATIENCE      50 /* ticks without a sign of life */
#define REPORT_EVERY  100
#define START_PAGE    UINT64_C(0x8000) /* where tests/guest/lib/smp.c starts processors */

struct log *the_log;
uint64_t the_seed;

static unsigned n_actors;
static uint64_t last_action;

static struct {
	uint64_t beats;
	unsigned n_quiet;
} watched[N_ACTORS_MAX];

/* ---- actors ---- */

static uint64_t total_weight(void)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < n_actions; i++)
		total += actions[i].weight;
	return total;
}

static const struct action *choose(struct actor *a)
{
	uint64_t at = random_below(&a->random, total_weight());
	unsigned i = 0;

	while (at >= actions[i].weight)
		at -= actions[i++].weight;
	if (!param_given("only"))
		return &actions[i];
	for (i = 0; i < n_actions; i++)
		if (param_is("only", actions[i].name))
			return &actions[i];
	report(false, "only=: no such action");
	finish();
}

static void count(int outcome)
{
	struct log *log = the_log;

	__atomic_fetch_add(&log->n_steps, 1, __ATOMIC_RELAXED);
	if (outcome == OUTCOME_TIMER)
		__atomic_fetch_add(&log->n_timers, 1, __ATOMIC_RELAXED);
	else if (outcome == OUTCOME_NMI)
		__atomic_fetch_add(&log->n_nmis, 1, __ATOMIC_RELAXED);
	else if (outcome == OUTCOME_STORM)
		__atomic_fetch_add(&log->n_storms, 1, __ATOMIC_RELAXED);
	else if (outcome != NO_FAULT)
		__atomic_fetch_add(&log->n_faults, 1, __ATOMIC_RELAXED);
}

static void act(struct actor *a, uint64_t number)
{
	const struct action *action;

	a->random = random_of(the_seed, a->cpu, number);
	action = choose(a);
	if (param_is("skip", action->name))
		return;
	if (param_given("verbose"))
		print("hostile: seed %lu, actor %u, action %lu: %s\n", the_seed, a->cpu, number,
		      action->name);
	for (unsigned i = 0; i < action->n_steps; i++) {
		int outcome = actor_try(a, action->step);

		/* First: without EFER.NXE, the log is behind a reserved bit. */
		actor_restore(a, action->dirt & DIRTY_APIC);
		count(outcome);
	}
	actor_restore(a, action->dirt);
	__atomic_fetch_add(&the_log->n_instructions, check_rom(a), __ATOMIC_RELAXED);
}

/*
 * The puppet's faults lead it through the zeros from address 0, and so to the code that makes a
 * processor an actor: put HLT there.
 */
static void close_start_page(void)
{
	memset((void *)START_PAGE, 0xf4, PAGE_SIZE);
}

static void actor_run(unsigned cpu)
{
	struct actor *a = &actors[cpu];

	close_start_page();
	actor_begin(a);
	while (the_log->next[cpu] < last_action)
		act(a, the_log->next[cpu]++);
	a->is_done = true;
	for (;;)
		asm volatile("cli; hlt");
}

/* ---- the keeper ---- */

/* Whatever else interrupts the keeper meanwhile. */
static void nap(uint32_t ticks)
{
	struct actor *keeper = &actors[0];

	keeper->n_interrupts = 0;
	keeper->has_ticked = false;
	actor_limit(ticks);
	while (!keeper->has_ticked)
		sti_hlt_cli();
}

/* Processors start from one page, so each gets time to leave it. */
static void start(unsigned cpu)
{
	smp_begin_start(cpu, actor_run);
	nap(KEEPER_TICKS / 4);
}

static void restart(unsigned cpu)
{
	__atomic_fetch_add(&the_log->n_restarts, 1, __ATOMIC_RELAXED);
	start(cpu);
}

static void watch(unsigned cpu)
{
	struct actor *a = &actors[cpu];
	unsigned n = ++watched[cpu].n_quiet;

	if (a->beats != watched[cpu].beats || a->is_done) {
		watched[cpu].beats = a->beats;
		watched[cpu].n_quiet = 0;
	} else if (n == QUIET_NMI) {
		a->is_overdue = true;
		smp_send(smp_id(cpu), ICR_NMI);
	} else if (n % QUIET_RESTART == 0 && n < QUIET_RESET) {
		restart(cpu);
	} else if (n == QUIET_RESET) {
		outb(6, PCI_RESET);
	}
}

static bool are_done(void)
{
	bool done = true;

	for (unsigned cpu = 1; cpu <= n_actors; cpu++)
		done &= actors[cpu].is_done;
	return done;
}

static void keep(void)
{
	uint32_t reported = 0;

	while (!are_done()) {
		nap(KEEPER_TICKS);
		the_log->n_ticks++;
		for (unsigned cpu = 1; cpu <= n_actors; cpu++)
			watch(cpu);
		if (the_log->next[1] >= reported + REPORT_EVERY) {
			reported = the_log->next[1];
			print("hostile: seed %lu, action %u\n", the_seed, reported);
		}
	}
}

/* ---- start ---- */

/* "h-3" is clone 3 of the first template, "h-3-0" a clone of that. */
struct name {
	int number; /* -1: not a clone */
	bool is_second;
};

static struct name own_name(void)
{
	struct name name = {.number = -1};
	char text[64], *at = text;

	outw(FW_CFG_NAME, FW_CFG);
	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (char)inb(FW_CFG + 1);
	text[sizeof(text) - 1] = '\0';
	while (*at != '-' && *at != '\0')
		at++;
	if (*at == '\0')
		return name;
	name.number = 0;
	for (at++; *at >= '0' && *at <= '9'; at++)
		name.number = name.number * 10 + *at - '0';
	name.is_second = *at == '-';
	return name;
}

static void wait_before(uint64_t ticks)
{
	uint64_t start = rdtsc();

	while (rdtsc() - start < ticks)
		nap(KEEPER_TICKS);
}

static struct log *log_at(unsigned i)
{
	return (struct log *)(LOG_BASE + i * PAGE_SIZE);
}

static bool is_open(const struct log *log, struct name name)
{
	if (log->is_done)
		return false;
	return log->is_frozen ? name.is_second && log->owner == name.number : !name.is_second;
}

/* The VM that continues after a freeze is lost too. */
static bool is_abandoned(const struct log *log)
{
	uint32_t before = log->n_ticks;

	for (unsigned i = 0; i < PATIENCE && log->n_ticks == before && !log->is_done; i++)
		nap(KEEPER_TICKS);
	return log->n_ticks == before && !log->is_done;
}

/*
 * Where another VM continues after a freeze, wait for its end, so that the victim has one neighbour
 * at a time. The seed whose VM is lost; NULL: there is none.
 */
static struct log *wait_for_frozen(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct log *log = log_at(i);

		while (log->is_frozen && !log->is_done)
			if (is_abandoned(log)) {
				log->is_frozen = false;
				return log;
			}
	}
	return NULL;
}

/* The seed that this VM has, or else the first one that no VM works on. NULL: nothing is left. */
static struct log *find_log(struct name name)
{
	unsigned n = (unsigned)param_number("seeds", 1);
	struct log *lost = name.is_second ? NULL : wait_for_frozen(n);

	if (lost)
		return lost;
	for (unsigned i = 0; i < n; i++)
		if (is_open(log_at(i), name))
			return log_at(i);
	return NULL;
}

static void begin_log(struct log *log, int owner)
{
	*log = (struct log){.magic = LOG_MAGIC, .owner = owner};
	for (unsigned i = 0; i < N_ACTORS_MAX; i++)
		log->next[i] = (uint32_t)param_number("from", 0);
}

/* Find out what has brought this VM here: a revert, a reset, or the end of the VM before. */
static void continue_log(struct log *log, int owner)
{
	uint32_t n_reverts = inl(CONTROL_N);

	if (log->owner != owner) {
		log->n_lost++;
		log->seen_reverts = n_reverts;
		log->owner = owner;
	} else if (n_reverts != log->seen_reverts) {
		log->n_reverts++;
		log->seen_reverts = n_reverts;
	} else {
		log->n_resets++;
	}
}

/* False: there is nothing left to do. */
static bool open_log(struct name name)
{
	struct log *log = the_log = find_log(name);

	if (log == NULL)
		return false;
	the_seed = param_number("seed", 1) + ((uint64_t)log - LOG_BASE) / PAGE_SIZE;
	if (log->magic == LOG_MAGIC)
		continue_log(log, name.number);
	else
		begin_log(log, name.number);
	print("hostile: seed %lu begins at actions %u and %u\n", the_seed, log->next[1],
	      log->next[2]);
	return true;
}

/*
 * An actor that is on its way may be lost already: the puppet of the one before writes where it
 * likes.
 */
static void start_actors(void)
{
	for (unsigned cpu = 1; cpu <= n_actors; cpu++) {
		uint64_t before = actors[cpu].beats;

		start(cpu);
		while (actors[cpu].beats == before && !actors[cpu].is_done) {
			nap(KEEPER_TICKS);
			watch(cpu);
		}
	}
}

/* The VM may be lost in here too: then the next one finds the seed's actions done, and says so. */
static void print_summary(void)
{
	const struct log *log = the_log;

	print("hostile: seed %lu: %u and %u actions, %u steps, %u faults, %u ended by the timer, "
	      "%u by NMI, %u storms\n",
	      the_seed, log->next[1], log->next[2], log->n_steps, log->n_faults, log->n_timers,
	      log->n_nmis, log->n_storms);
	print("hostile: seed %lu: done after %u restarts, %u resets, %u reverts, %u freezes, "
	      "%u VMs lost\n",
	      the_seed, log->n_restarts, log->n_resets, log->n_reverts, log->n_freezes,
	      log->n_lost);
	print("hostile: seed %lu: %u rings answered, %u broken\n", the_seed, log->n_answered,
	      log->n_broken);
	print("hostile: seed %lu: %lu instructions counted\n", the_seed, log->n_instructions);
}

void payload(void)
{
	n_actors = (unsigned)param_number("actors", 2);
	last_action = param_number("from", 0) + param_number("actions", 100);
	smp_find();
	for (unsigned i = 0; i < N_ACTORS_MAX; i++)
		actors[i].cpu = i;
	actor_begin(&actors[0]);
	if (own_name().number < 0) {
		wait_before(param_number("wait", 0));
		outl(FREEZE, CONTROL);
	}
	if (!open_log(own_name())) {
		print("hostile: all seeds are done\n");
		exit_vm(0);
	}
	start_actors();
	keep();
	actor_restore(&actors[0], DIRTY_DEVICES);
	print_summary();
	the_log->is_done = true;
	exit_vm(0);
}
