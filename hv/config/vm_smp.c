/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -smp. Missing numbers are computed, and numbers that contradict each other refused, by QEMU's
 * rules since version 6.2: cores are preferred over sockets, sockets over threads. As in QEMU,
 * numbers are unsigned and have 32 bits. Where QEMU then divides by zero, or a product wraps to one
 * that fits, the topology is refused.
 */
#include "hv/backends/parse.h"
#include "hv/backends/suggest.h"
#include "hv/config/vm_reader.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

static const char *const keys[N_SMP_KEYS] = {
	[SMP_CPUS] = "cpus",	   [SMP_DRAWERS] = "drawers", [SMP_BOOKS] = "books",
	[SMP_SOCKETS] = "sockets", [SMP_DIES] = "dies",	      [SMP_CLUSTERS] = "clusters",
	[SMP_MODULES] = "modules", [SMP_CORES] = "cores",     [SMP_THREADS] = "threads",
	[SMP_MAXCPUS] = "maxcpus",
};

static enum status read_number(struct vm_reader *reader, struct options *options, enum smp_key key)
{
	const struct option *option = options_find(options, keys[key]);
	bool negative;
	uint64_t n;

	if (option == NULL)
		return OK;
	if (parse_integer(option->value, &n, &negative) != OK || (!negative && n > INT64_MAX)) {
		diag_error(reader->diag, option_value_place(options, option),
			   "Parameter 'smp.%s' expects integer", keys[key]);
		return ERR_INVAL;
	}
	if (n == 0) {
		diag_error(reader->diag, option_value_place(options, option),
			   "Invalid CPU topology: CPU topology parameters must be greater than "
			   "zero");
		return ERR_INVAL;
	}
	reader->has_smp[key] = true;
	reader->smp[key] = (uint32_t)n;
	return OK;
}

static void suggest_key(const char *key, struct diag *diag)
{
	struct suggestion near = suggest(key, strlen(key));

	for (unsigned i = 0; i < N_SMP_KEYS; i++)
		suggest_name(&near, keys[i]);
	suggest_tell(&near, "", diag);
}

static enum status read_smp(struct vm_reader *reader, const struct word *argument)
{
	const struct option *unknown;
	struct options options;

	TRY(options_split(argument, &(struct option_syntax){.implied = "cpus", .no_flags = true},
			  reader->arena, reader->diag, &options));
	for (unsigned key = 0; key < N_SMP_KEYS; key++)
		TRY(read_number(reader, &options, key));
	unknown = options_first_unseen(&options);
	if (unknown == NULL)
		return OK;
	diag_error(reader->diag, option_key_place(&options, unknown),
		   "Parameter 'smp.%s' is unexpected", unknown->key);
	suggest_key(unknown->key, reader->diag);
	return ERR_INVAL;
}

enum status vm_read_smp(struct vm_reader *reader, const struct word *argument)
{
	enum status status = read_smp(reader, argument);

	reader->smp_place = word_place(argument, 0);
	reader->bad_smp = reader->bad_smp || status != OK;
	return status;
}

/* Refuse levels that PCs do not have, in QEMU's order. */
static bool check_levels(const struct vm_reader *reader)
{
	static const enum smp_key absent[] = {SMP_CLUSTERS, SMP_BOOKS, SMP_DRAWERS};

	for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
		if (!reader->has_smp[absent[i]] || reader->smp[absent[i]] == 1)
			continue;
		diag_error(reader->diag, reader->smp_place,
			   "%s > 1 not supported by this machine's CPU topology", keys[absent[i]]);
		return false;
	}
	return true;
}

static uint32_t divide(uint32_t n, uint32_t by)
{
	return by != 0 ? n / by : 0;
}

/* Compute the numbers that are 0 from the others; dies and modules are not 0. */
static void compute_missing(uint32_t *smp)
{
	uint32_t within = smp[SMP_DIES] * smp[SMP_MODULES];
	uint32_t all = smp[SMP_MAXCPUS] != 0 ? smp[SMP_MAXCPUS] : smp[SMP_CPUS];

	if (all == 0 || smp[SMP_CORES] == 0) {
		smp[SMP_SOCKETS] += smp[SMP_SOCKETS] == 0;
		smp[SMP_THREADS] += smp[SMP_THREADS] == 0;
	}
	if (all == 0)
		smp[SMP_CORES] += smp[SMP_CORES] == 0;
	else if (smp[SMP_CORES] == 0)
		smp[SMP_CORES] = divide(all, smp[SMP_SOCKETS] * within * smp[SMP_THREADS]);
	else if (smp[SMP_SOCKETS] == 0) {
		smp[SMP_THREADS] += smp[SMP_THREADS] == 0;
		smp[SMP_SOCKETS] = divide(all, within * smp[SMP_CORES] * smp[SMP_THREADS]);
	} else if (smp[SMP_THREADS] == 0) {
		smp[SMP_THREADS] = divide(all, smp[SMP_SOCKETS] * within * smp[SMP_CORES]);
	}
	smp[SMP_MAXCPUS] = all;
}

static uint32_t product(const uint32_t *smp)
{
	return smp[SMP_SOCKETS] * smp[SMP_DIES] * smp[SMP_MODULES] * smp[SMP_CORES] *
	       smp[SMP_THREADS];
}

/* Whether the product is right without wrapping. */
static bool is_possible(const uint32_t *smp)
{
	uint64_t n = 1;

	for (unsigned key = SMP_SOCKETS; key <= SMP_THREADS; key++) {
		if (smp[key] > TOPOLOGY_MAX_CPUS)
			return false;
		n *= key != SMP_CLUSTERS ? smp[key] : 1;
	}
	return n == smp[SMP_MAXCPUS];
}

static bool check_topology(const struct vm_reader *reader, const uint32_t *smp)
{
	char text[120];

	format(text, sizeof(text),
	       "sockets (%u) * dies (%u) * modules (%u) * cores (%u) * threads (%u)",
	       smp[SMP_SOCKETS], smp[SMP_DIES], smp[SMP_MODULES], smp[SMP_CORES], smp[SMP_THREADS]);
	if (product(smp) != smp[SMP_MAXCPUS] ||
	    (smp[SMP_MAXCPUS] <= TOPOLOGY_MAX_CPUS && !is_possible(smp)))
		diag_error(reader->diag, reader->smp_place,
			   "Invalid CPU topology: product of the hierarchy must match maxcpus: %s "
			   "!= maxcpus (%u)",
			   text, smp[SMP_MAXCPUS]);
	else if (smp[SMP_MAXCPUS] < smp[SMP_CPUS])
		diag_error(reader->diag, reader->smp_place,
			   "Invalid CPU topology: maxcpus must be equal to or greater than smp: %s "
			   "== maxcpus (%u) < smp_cpus (%u)",
			   text, smp[SMP_MAXCPUS], smp[SMP_CPUS]);
	else if (smp[SMP_MAXCPUS] > TOPOLOGY_MAX_CPUS)
		diag_error(reader->diag, reader->smp_place,
			   "Invalid SMP CPUs %d. The max CPUs supported by machine '%s' is %d",
			   (int)smp[SMP_MAXCPUS], reader->machine, TOPOLOGY_MAX_CPUS);
	else
		return true;
	return false;
}

void vm_complete_smp(struct vm_reader *reader)
{
	uint32_t smp[N_SMP_KEYS];

	for (unsigned key = 0; key < N_SMP_KEYS; key++)
		smp[key] = reader->has_smp[key] ? reader->smp[key] : 0;
	reader->bad_smp = reader->bad_smp || !check_levels(reader);
	if (reader->bad_smp)
		return;
	smp[SMP_DIES] += smp[SMP_DIES] == 0;
	smp[SMP_MODULES] += smp[SMP_MODULES] == 0;
	compute_missing(smp);
	if (smp[SMP_MAXCPUS] == 0)
		smp[SMP_MAXCPUS] = product(smp);
	if (smp[SMP_CPUS] == 0)
		smp[SMP_CPUS] = smp[SMP_MAXCPUS];
	reader->bad_smp = !check_topology(reader, smp);
	if (reader->bad_smp)
		return;
	reader->vm->topology = (struct cpu_topology){
		.n_cpus = (uint16_t)smp[SMP_CPUS],
		.count = {(uint16_t)smp[SMP_THREADS], (uint16_t)smp[SMP_CORES],
			  (uint16_t)smp[SMP_MODULES], (uint16_t)smp[SMP_DIES],
			  (uint16_t)smp[SMP_SOCKETS]},
	};
}
