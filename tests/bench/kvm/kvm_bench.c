/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures the work that tests/bench measures in Stencil with Linux's KVM, in TSC ticks: lines
 * "bench NAME SAMPLE" with the same names. In Bochs with clock sync=none a tick is an
 * instruction.
 *
 *     kvm_bench TEMPLATE	a file to create, up to 1 GiB, best on a tmpfs
 *
 * Needs one processor, an otherwise idle kernel, and debugfs for the count of exits.
 * Subtracts time in which the processor was halted. Favours KVM where there is a
 * choice: guests use no paging, all machines are in one process, a clone's state is in the
 * monitor's memory.
 */
#include "tests/bench/kvm/guest.h"
#include "tests/bench/kvm/machine.h"

#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define N_SAMPLES  31
#define PAGE	   UINT32_C(4096)
#define LARGE_PAGE UINT32_C(0x200000)
#define MIB	   ((size_t)1 << 20)
#define CODE	   UINT32_C(0x10000)
#define DATA	   LARGE_PAGE /* the pages that guests write to */
#define SMALL	   (32 * MIB)
#define REGIONS	   (64 * MIB) /* N_SAMPLES regions of 2 MiB after DATA */
#define N_DIRTY	   16	      /* pages of reset_pages beyond reset_base */
#define N_READ	   256	      /* pages of template_read_exits */
#define N_BATCH	   8	      /* clones a sample of clone_bytes_* */

static int template;
static size_t template_size;
static struct state base; /* of a processor in the guests' mode */

/* The origin of ticks and nanoseconds. */
static struct {
	uint64_t tsc, ns;
} start;

static void report(const char *name, uint64_t sample)
{
	printf("bench %s %" PRIu64 "\n", name, sample);
}

/* The number after 'word' in a file of the kernel. */
static uint64_t read_number(const char *path, const char *word)
{
	FILE *file = fopen(path, "r");
	char line[256], *found = NULL;
	uint64_t number;

	if (file == NULL)
		err(1, "%s", path);
	while (found == NULL && fgets(line, sizeof(line), file) != NULL)
		found = strstr(line, word);
	fclose(file);
	if (found == NULL || sscanf(found + strlen(word), " %" SCNu64, &number) != 1)
		errx(1, "%s: no number behind \"%s\"", path, word);
	return number;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* How long the first processor has been idle, in ticks. */
static uint64_t halted(void)
{
	uint64_t ns = read_number("/proc/timer_list", ".idle_sleeptime :");

	return (uint64_t)((double)ns * (double)(__rdtsc() - start.tsc) /
			  (double)(now_ns() - start.ns));
}

/* Give the template 'size' bytes, all populated and no page zero. */
static void fill_template(size_t size)
{
	uint8_t *memory;

	if (ftruncate(template, (off_t)size) != 0)
		err(1, "the template");
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, template, 0);
	if (memory == MAP_FAILED)
		err(1, "mapping the template");
	for (size_t at = template_size; at < size; at += PAGE)
		memory[at] = 1;
	memcpy(memory + CODE, guest_code, (size_t)(guest_code_end - guest_code));
	munmap(memory, size);
	template_size = size;
}

/* The state of a clone that starts at 'entry' with these registers. */
static struct state make_state(const unsigned char *entry, uint32_t ebx, uint32_t ecx, uint32_t ebp)
{
	struct state state = base;

	state_enter(&state, CODE + (uint32_t)(entry - guest_code));
	state.regs.rbx = ebx;
	state.regs.rcx = ecx;
	state.regs.rbp = ebp;
	return state;
}

static void clone_template(struct machine *machine, const struct state *state)
{
	machine_create(machine, template, template_size);
	machine_load(machine, state);
}

/* The minimum of ticks between two adjacent RDTSC. */
static uint32_t measure_nothing(void)
{
	struct state state = make_state(guest_nothing, 0, 0, 0);
	struct machine machine;
	uint32_t least = UINT32_MAX;

	clone_template(&machine, &state);
	for (unsigned i = 0; i < N_SAMPLES; i++) {
		uint32_t ticks = machine_run(&machine);

		least = ticks < least ? ticks : least;
	}
	machine_destroy(&machine);
	return least;
}

/* One instruction's samples. */
static void run_samples(struct machine *machine, const char *name, uint32_t nothing)
{
	for (unsigned i = 0; i < N_SAMPLES; i++) {
		uint32_t ticks = machine_run(machine);

		report(name, ticks > nothing ? ticks - nothing : 0);
	}
}

static void measure_exit(const char *name, const unsigned char *entry, uint32_t nothing)
{
	struct state state = make_state(entry, 0, 0, 0);
	struct machine machine;

	clone_template(&machine, &state);
	(void)machine_run(&machine);
	run_samples(&machine, name, nothing);
	machine_destroy(&machine);
}

/* By 'entry': the first page of each 2 MiB, the next page, and the next page again. */
static void measure_pages(const unsigned char *entry, const char *const name[3], uint32_t nothing)
{
	struct state state = make_state(entry, DATA, 0, LARGE_PAGE);
	struct machine machine;

	clone_template(&machine, &state);
	run_samples(&machine, name[0], nothing);
	state.regs.rbx = DATA + PAGE;
	for (unsigned i = 1; i < 3 && name[i] != NULL; i++) {
		machine_load(&machine, &state);
		run_samples(&machine, name[i], nothing);
	}
	machine_destroy(&machine);
}

static void measure_instructions(void)
{
	static const char *const cow[3] = {"cow_first", "cow_steady", "cow_again"};
	static const char *const read[3] = {"template_read_first", "template_read"};
	uint32_t nothing = measure_nothing();

	measure_exit("cpuid_exit", guest_cpuid, nothing);
	measure_exit("pio_exit", guest_out, nothing);
	measure_exit("pio_in", guest_in, nothing);
	measure_exit("pio_in_kernel", guest_in_kernel, nothing);
	measure_pages(guest_store, cow, nothing);
	measure_pages(guest_load, read, nothing);
}

/* From the request to the TSC value that the clone's first instruction reads. */
static void measure_clone(const char *name)
{
	struct state state = make_state(guest_clone, DATA, 1, 0);
	struct machine machine;

	for (unsigned i = 0; i < N_SAMPLES; i++) {
		uint64_t idle = halted();
		uint32_t request = (uint32_t)__rdtsc(), first;

		clone_template(&machine, &state);
		first = machine_run(&machine);
		report(name, first - request - (uint32_t)(halted() - idle));
		machine_destroy(&machine);
	}
}

/* The same with registers only, in an existing machine, whose memory stays as it is. */
static void measure_pooled(void)
{
	struct state state = make_state(guest_clone, DATA, 1, 0);
	struct machine machine;

	clone_template(&machine, &state);
	(void)machine_run(&machine);
	for (unsigned i = 0; i < N_SAMPLES; i++) {
		uint32_t request = (uint32_t)__rdtsc();

		machine_load_registers(&machine, &state);
		report("clone_pooled", machine_run(&machine) - request);
	}
	machine_destroy(&machine);
}

/* From a clone's request to revert, after writing 'n_pages', to its first instruction. */
static void measure_reset(const char *name, uint32_t n_pages)
{
	struct state state = make_state(guest_clone, DATA, n_pages, 0);
	struct machine machine;

	clone_template(&machine, &state);
	(void)machine_run(&machine);
	for (unsigned i = 0; i < N_SAMPLES; i++) {
		uint64_t idle = halted();
		uint32_t request = machine_run(&machine), first;

		machine_reset(&machine, &state);
		first = machine_run(&machine);
		report(name, first - request - (uint32_t)(halted() - idle));
	}
	machine_destroy(&machine);
}

static uint64_t count_exits(uint32_t n_pages)
{
	struct state state = make_state(guest_read, DATA, n_pages, 0);
	struct machine machine;
	uint64_t before = read_number("/sys/kernel/debug/kvm/exits", ""), after;

	clone_template(&machine, &state);
	(void)machine_run(&machine);
	after = read_number("/sys/kernel/debug/kvm/exits", "");
	machine_destroy(&machine);
	return after - before;
}

static void measure_reads(void)
{
	for (unsigned i = 0; i < N_SAMPLES; i++)
		report("template_read_exits", count_exits(N_READ) - count_exits(0));
}

/* The free memory that each of this sample's machines takes. */
static void report_bytes(const char *name, uint64_t before)
{
	uint64_t after = read_number("/proc/meminfo", "MemFree:");

	report(name, before > after ? (before - after) * 1024 / N_BATCH : 0);
}

/*
 * Clones before they have run, and after they have run and written a page. All of them are
 * alive together, and nothing was freed before, so that free memory cannot grow in between.
 */
static void measure_bytes(void)
{
	static struct machine machines[N_SAMPLES * N_BATCH];
	struct state state = make_state(guest_clone, DATA, 1, 0);

	for (unsigned i = 0; i < N_SAMPLES * N_BATCH; i += N_BATCH) {
		uint64_t before = read_number("/proc/meminfo", "MemFree:");

		for (unsigned j = i; j < i + N_BATCH; j++)
			clone_template(&machines[j], &state);
		report_bytes("clone_bytes_parked", before);
		for (unsigned j = i; j < i + N_BATCH; j++) {
			(void)machine_run(&machines[j]);
			(void)machine_run(&machines[j]);
		}
		report_bytes("clone_bytes_run", before);
	}
	for (unsigned i = 0; i < N_SAMPLES * N_BATCH; i++)
		machine_destroy(&machines[i]);
}

static void measure_all(const char *path)
{
	struct machine machine;

	template = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (template <0)
		err(1, "%s", path);
	kvm_open();
	fill_template(SMALL);
	/* This machine stays: KVM keeps VMX on while a machine exists. */
	machine_create(&machine, template, SMALL);
	machine_save(&machine, &base);
	measure_bytes();
	measure_clone("clone");
	measure_pooled();
	measure_reset("reset_base", 1);
	measure_reset("reset_pages", 1 + N_DIRTY);
	fill_template(REGIONS);
	measure_instructions();
	measure_reads();
	measure_clone("clone_64m");
	fill_template(256 * MIB);
	measure_clone("clone_256m");
	fill_template(1024 * MIB);
	measure_clone("clone_1g");
	machine_destroy(&machine);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: kvm_bench TEMPLATE");
	start.tsc = __rdtsc();
	start.ns = now_ns();
	measure_all(argv[1]);
	return 0;
}
