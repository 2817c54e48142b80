/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an operand's segment and offset to its linear address. Source: SDM vol. 3, "Limit Checking",
 * "Type Checking" and "Canonical Addressing".
 */
#include "hv/devices/insn_linear.h"

#define RIGHTS_WRITABLE BIT(1) /* of code: readable */
#define RIGHTS_DOWN	BIT(2) /* of code: conforming */
#define RIGHTS_CODE	BIT(3)
#define RIGHTS_BIG	BIT(14)
#define RIGHTS_UNUSABLE BIT(16)

static bool is_canonical(uint64_t linear, bool is_la57)
{
	unsigned unused = 64 - (is_la57 ? 57 : 48);

	return (uint64_t)((int64_t)(linear << unused) >> unused) == linear;
}

/* Real mode's and virtual-8086 mode's segments are writable data in the VMCS. */
static bool allows(uint32_t rights, const struct insn_access *access)
{
	if (rights & RIGHTS_UNUSABLE)
		return false;
	if (rights & RIGHTS_CODE)
		return !access->writes && (rights & RIGHTS_WRITABLE);
	return !access->writes || (rights & RIGHTS_WRITABLE);
}

static bool reaches(const struct insn_segment_state *segment, uint64_t first, uint64_t last)
{
	bool is_down = (segment->rights & (RIGHTS_CODE | RIGHTS_DOWN)) == RIGHTS_DOWN;

	if (!is_down)
		return last <= segment->limit;
	return first > segment->limit &&
	       last <= (segment->rights & RIGHTS_BIG ? UINT32_MAX : UINT16_MAX);
}

enum insn_check insn_linear(const struct insn_access *access,
			    const struct insn_segment_state *segment, enum insn_mode mode,
			    bool is_la57, uint64_t *ret)
{
	enum insn_check refused = access->segment == INSN_SS ? INSN_RAISES_SS : INSN_RAISES_GP;
	uint64_t last = access->offset + access->size - 1;

	if (mode != INSN_64) {
		*ret = (segment->base + access->offset) & UINT32_MAX;
		return allows(segment->rights, access) && reaches(segment, access->offset, last)
			       ? INSN_ALLOWED
			       : refused;
	}
	if (access->segment == INSN_FS || access->segment == INSN_GS)
		*ret = segment->base + access->offset;
	else
		*ret = access->offset;
	last = *ret + access->size - 1;
	return is_canonical(*ret, is_la57) && is_canonical(last, is_la57) ? INSN_ALLOWED : refused;
}
