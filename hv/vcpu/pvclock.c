/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest, or a neighbour who shares the memory, may change a record at any time: nothing in it
 * is believed but the guest's own sum of stolen time and its version, which only the guest reads.
 */
#include "hv/vcpu/pvclock.h"

#define NS_PER_SECOND UINT64_C(1000000000)
/* PVCLOCK_TSC_STABLE_BIT and PVCLOCK_GUEST_STOPPED */
#define TSC_STABLE    BIT(0)
#define GUEST_STOPPED BIT(1)

struct clock_record {
	uint32_t version, pad;
	uint64_t tsc_timestamp, system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags, rest[2];
};
_Static_assert(sizeof(struct clock_record) == PVCLOCK_SIZE, "pvclock-abi.h");

struct wall_record {
	uint32_t version, sec, nsec;
};
_Static_assert(sizeof(struct wall_record) == PVCLOCK_WALL_SIZE, "pvclock-abi.h");

struct steal_record {
	uint64_t steal;
	uint32_t version, flags;
	uint8_t preempted, rest[47];
};
_Static_assert(sizeof(struct steal_record) == PVCLOCK_STEAL_SIZE, "kvm_para.h");

struct pvclock_scale pvclock_scale(uint64_t tsc_hz)
{
	struct pvclock_scale scale = {0};

	/* The factor is then about 1/2 to 1, and below 1: it has its full precision. */
	for (; tsc_hz <= NS_PER_SECOND; tsc_hz <<= 1)
		scale.shift++;
	for (; tsc_hz > 2 * NS_PER_SECOND + 1; tsc_hz >>= 1)
		scale.shift--;
	scale.mul = (uint32_t)((NS_PER_SECOND << 32) / tsc_hz);
	return scale;
}

uint64_t pvclock_ns(struct pvclock_scale scale, uint64_t ticks)
{
	ticks = scale.shift < 0 ? ticks >> -scale.shift : ticks << scale.shift;
	return (uint64_t)((unsigned __int128)ticks * scale.mul >> 32);
}

/* Make the writes below possible, which may touch two pages. */
static enum status prepare(struct guest_memory *memory, gpa_t gpa, size_t len)
{
	if (!guest_can_write(memory, gpa, len))
		return ERR_RANGE;
	TRY(guest_prepare_write(memory, gpa));
	return guest_prepare_write(memory, gpa_add(gpa, len - 1));
}

/* A part of a record. */
struct part {
	size_t at, len;
	const void *bytes;
};

/*
 * Write parts of a record that prepare() has accepted, between the two versions. A processor stores
 * in the order of the program.
 */
static enum status update(struct guest_memory *memory, gpa_t gpa, size_t version_at,
			  const struct part *parts, size_t n)
{
	gpa_t where = gpa_add(gpa, version_at);
	uint32_t version;

	TRY(guest_read(memory, where, &version, sizeof(version)));
	version = (version + 1) | 1; /* it may be junk at first */
	TRY(guest_write(memory, where, &version, sizeof(version)));
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t i = 0; i < n; i++)
		TRY(guest_write(memory, gpa_add(gpa, parts[i].at), parts[i].bytes, parts[i].len));
	__atomic_thread_fence(__ATOMIC_RELEASE);
	version++;
	return guest_write(memory, where, &version, sizeof(version));
}

enum status pvclock_write(struct guest_memory *memory, gpa_t gpa, const struct pvclock *clock)
{
	const struct clock_record record = {
		.tsc_timestamp = clock->tsc,
		.system_time = clock->ns,
		.tsc_to_system_mul = clock->scale.mul,
		.tsc_shift = clock->scale.shift,
		.flags = TSC_STABLE | GUEST_STOPPED,
	};
	const struct part part = {4, sizeof(record) - 4, &record.pad};

	TRY(prepare(memory, gpa, sizeof(record)));
	return update(memory, gpa, 0, &part, 1);
}

enum status pvclock_write_wall(struct guest_memory *memory, gpa_t gpa, uint64_t unix_ns)
{
	const struct wall_record record = {
		.sec = (uint32_t)(unix_ns / NS_PER_SECOND),
		.nsec = (uint32_t)(unix_ns % NS_PER_SECOND),
	};
	const struct part part = {4, sizeof(record) - 4, &record.sec};

	TRY(prepare(memory, gpa, sizeof(record)));
	return update(memory, gpa, 0, &part, 1);
}

enum status pvclock_write_steal(struct guest_memory *memory, gpa_t gpa, uint64_t ns)
{
	struct steal_record record = {0};
	const struct part parts[] = {
		{offsetof(struct steal_record, steal), sizeof(record.steal), &record.steal},
		{offsetof(struct steal_record, preempted), 1, &record.preempted},
	};

	TRY(prepare(memory, gpa, sizeof(record)));
	TRY(guest_read(memory, gpa, &record.steal, sizeof(record.steal)));
	record.steal += ns;
	return update(memory, gpa, offsetof(struct steal_record, version), parts,
		      ARRAY_SIZE(parts));
}

enum status pvclock_write_preempted(struct guest_memory *memory, gpa_t gpa)
{
	uint8_t preempted = 1;

	if (!guest_can_write(memory, gpa, PVCLOCK_STEAL_SIZE))
		return ERR_RANGE;
	return guest_write(memory, gpa_add(gpa, offsetof(struct steal_record, preempted)),
			   &preempted, 1);
}
