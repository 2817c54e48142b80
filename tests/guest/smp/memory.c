/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two processors on one memory: a page of private memory is copied, both write to it
 * simultaneously, one writes to ROM.
 *
 * cow= size=	unwritten private memory that holds PATTERN()
 * rom= romsize=	the same, read-only; 0: none
 *
 * Interrupts are enabled although none arrive: in Bochs 2.7 the host's interrupts do not
 * interrupt a guest that was entered with interrupts disabled, which makes waits long.
 */
#include "tests/guest/lib/smp.h"

#define NEW	   UINT64_C(0x6e65772070616765)
#define WORDS	   (PAGE_SIZE / 8)
#define ROM_WRITES 300

enum job { JOB_NONE, JOB_WATCH, JOB_WRITE_FIRST, JOB_RACE, JOB_WATCH_ROM, JOB_WRITE_ROM };

/* What the boot processor asks of the other one, and the progress of both. */
static volatile uint32_t job, done;
static volatile uint64_t page_of_writer, page_of_reader;
static volatile uint64_t n_stale, n_reads;

static uint64_t cow, size, rom, rom_size;

static volatile uint64_t *word(uint64_t base, uint64_t page, uint64_t i)
{
	return (volatile uint64_t *)(base + page * PAGE_SIZE) + i;
}

static uint64_t n_pages(void)
{
	return size / PAGE_SIZE / 4;
}

/* Each of the region's four parts serves one check. */
static uint64_t part(unsigned n)
{
	return cow + n * n_pages() * PAGE_SIZE;
}

/*
 * Read a page until its writer reports the write. The new value must then be visible, because
 * stores become visible in order.
 */
static void watch(uint64_t base)
{
	for (uint64_t page = 0; page < n_pages(); page++) {
		uint64_t value = *word(base, page, 1), said;

		page_of_reader = page + 1;
		do {
			said = page_of_writer;
			value = *word(base, page, 1);
			n_reads++;
		} while (said != page + 1);
		n_stale += value != NEW;
	}
}

static void write_watched(uint64_t base)
{
	for (uint64_t page = 0; page < n_pages(); page++) {
		while (page_of_reader != page + 1)
			cpu_pause();
		*word(base, page, 1) = NEW;
		page_of_writer = page + 1;
	}
}

/* Each writes its own words; both start each page together. */
static void race(unsigned cpu)
{
	static volatile uint64_t at[2];

	for (uint64_t page = 0; page < n_pages(); page++) {
		at[cpu] = page + 1;
		while (at[!cpu] < page + 1)
			cpu_pause();
		for (unsigned i = cpu; i < 16; i += 2)
			*word(part(2), page, i) = NEW + i;
	}
}

/* ROM keeps its bytes, whatever is written to it. */
static void watch_rom(void)
{
	while (page_of_writer == 0)
		for (uint64_t i = 0; i < WORDS; i++) {
			n_stale += *word(rom, 0, i) != PATTERN(8 * i);
			n_reads++;
		}
}

static void write_rom(unsigned cpu)
{
	for (uint64_t i = 0; i < ROM_WRITES; i++) {
		volatile uint64_t *at = word(rom, i % (rom_size / PAGE_SIZE), i % WORDS);

		*at = NEW + cpu;
		__atomic_fetch_add(at, cpu, __ATOMIC_SEQ_CST);
	}
}

static void do_job(uint32_t todo)
{
	switch (todo) {
	case JOB_WATCH:
		watch(part(0));
		break;
	case JOB_WRITE_FIRST:
		write_watched(part(1));
		break;
	case JOB_RACE:
		race(1);
		break;
	case JOB_WATCH_ROM:
		watch_rom();
		break;
	case JOB_WRITE_ROM:
		write_rom(1);
		break;
	}
}

static void work(unsigned cpu)
{
	(void)cpu;
	sti();
	for (;;) {
		uint32_t todo = job;

		if (todo != done) {
			do_job(todo);
			done = todo;
		}
		cpu_pause();
	}
}

static void begin(enum job todo)
{
	page_of_writer = page_of_reader = n_stale = n_reads = 0;
	job = todo;
}

static bool end(void)
{
	uint64_t start = rdtsc();

	while (done != job && rdtsc() - start < WAIT_TICKS)
		cpu_pause();
	return done == job;
}

static bool rest_is_untouched(uint64_t base, uint64_t page, unsigned first)
{
	for (unsigned i = first; i < WORDS; i++)
		if (*word(base, page, i) != PATTERN(base - cow + page * PAGE_SIZE + 8 * i))
			return false;
	return true;
}

static void check_copies(void)
{
	uint64_t n_wrong = 0;

	begin(JOB_WATCH);
	write_watched(part(0));
	report(end() && n_stale == 0, "the other one sees a copy immediately: %lu pages, %lu stale",
	       n_pages(), n_stale);
	begin(JOB_WRITE_FIRST);
	watch(part(1));
	report(end() && n_stale == 0, "and so does the first: %lu pages, %lu stale, %lu reads",
	       n_pages(), n_stale, n_reads);
	for (uint64_t page = 0; page < n_pages(); page++)
		n_wrong += !rest_is_untouched(part(0), page, 2) ||
			   !rest_is_untouched(part(1), page, 2);
	report(n_wrong == 0, "the rest of the pages is the template's, %lu are not", n_wrong);
}

static void check_race(void)
{
	uint64_t n_lost = 0, n_wrong = 0;

	begin(JOB_RACE);
	race(0);
	report(end(), "two write to the same %lu pages", n_pages());
	for (uint64_t page = 0; page < n_pages(); page++) {
		for (unsigned i = 0; i < 16; i++)
			n_lost += *word(part(2), page, i) != NEW + i;
		n_wrong += !rest_is_untouched(part(2), page, 16);
	}
	report(n_lost == 0, "no write is lost, %lu are", n_lost);
	report(n_wrong == 0, "the rest of the pages is the template's, %lu are not", n_wrong);
}

static void check_rom(void)
{
	uint64_t n_wrong = 0;

	begin(JOB_WATCH_ROM);
	while (n_reads == 0)
		cpu_pause();
	write_rom(0);
	page_of_writer = 1;
	report(end() && n_stale == 0, "no write to ROM is ever seen: %lu reads, %lu wrong", n_reads,
	       n_stale);
	begin(JOB_WRITE_ROM);
	write_rom(0);
	report(end(), "two write to the same ROM");
	for (uint64_t i = 0; i < rom_size / 8; i++)
		n_wrong += *word(rom, 0, i) != PATTERN(8 * i);
	report(n_wrong == 0, "and it is as before, except for %lu words", n_wrong);
}

void payload(void)
{
	cow = param_number("cow", 0);
	size = param_number("size", 0);
	rom = param_number("rom", 0);
	rom_size = param_number("romsize", 0);
	apic_enable();
	sti();
	if (!report(smp_find() >= 2 && smp_start(work), "a second processor runs") || cow == 0)
		return;
	check_copies();
	check_race();
	if (rom != 0)
		check_rom();
}
