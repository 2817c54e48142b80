/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the NVDIMMs in the NFIT, sees that they are not armed, and writes to them nevertheless:
 * no byte may change, and nothing else may happen. armed= is the number of additional NVDIMMs
 * that are writable and must take the writes.
 */
#include "tests/guest/lib/lib.h"

#define NFIT_ENTRIES	 40
#define TYPE_SPA	 0
#define TYPE_MAPPING	 1
#define FLAG_NOT_ARMED	 BIT(3)
#define BYTES_PER_REPEAT 256

static uint64_t get(const uint8_t *p, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, p, size);
	return value;
}

/* The structure with this type and index, or NULL. */
static const uint8_t *find_structure(const uint8_t *nfit, uint64_t type, uint64_t spa_index)
{
	const uint8_t *end = nfit + get(nfit + 4, 4);
	size_t index_at = type == TYPE_SPA ? 4 : 12;

	for (const uint8_t *p = nfit + NFIT_ENTRIES; p < end; p += get(p + 2, 2)) {
		if (get(p + 2, 2) == 0)
			return NULL;
		if (get(p, 2) == type && get(p + index_at, 2) == spa_index)
			return p;
	}
	return NULL;
}

/* Plain, locked and repeated stores at 'word', and one store at the end. */
static void write_to(volatile uint64_t *word, volatile uint64_t *last)
{
	void *to = (void *)word;
	uint64_t count = BYTES_PER_REPEAT;

	*word = ~*word;
	asm volatile("lock incq %0" : "+m"(*word) : : "cc", "memory");
	asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0x5a) : "memory");
	*last = ~*last;
}

static void check(const uint8_t *spa, const uint8_t *mapping)
{
	static uint64_t before[BYTES_PER_REPEAT / sizeof(uint64_t)];
	uint64_t base = get(spa + 32, 8), len = get(spa + 40, 8);
	bool armed = !(get(mapping + 44, 2) & FLAG_NOT_ARMED);
	volatile uint64_t *last = (volatile uint64_t *)(base + len - sizeof(uint64_t));
	uint64_t last_before = *last;
	bool same;

	memcpy(before, (const void *)base, sizeof(before));
	write_to((volatile uint64_t *)base, last);
	same = memcmp(before, (const void *)base, sizeof(before)) == 0 && *last == last_before;
	report(same != armed, "nvdimm: %lu bytes at %#lx, %s, were %s", len, base,
	       armed ? "armed" : "not armed", same ? "not changed" : "changed");
}

void payload(void)
{
	const uint8_t *nfit = acpi_find("NFIT");
	uint64_t n_armed = 0, n = 0;

	if (!report(nfit != NULL, "nvdimm: there is an NFIT"))
		return;
	for (uint64_t index = 1; index < UINT16_MAX; index++) {
		const uint8_t *spa = find_structure(nfit, TYPE_SPA, index);
		const uint8_t *mapping = find_structure(nfit, TYPE_MAPPING, index);

		if (spa == NULL || mapping == NULL)
			continue;
		check(spa, mapping);
		n++;
		n_armed += !(get(mapping + 44, 2) & FLAG_NOT_ARMED);
	}
	report(n > 0, "nvdimm: %lu NVDIMMs", n);
	report(n_armed == param_number("armed", 0), "nvdimm: %lu armed", n_armed);
}
