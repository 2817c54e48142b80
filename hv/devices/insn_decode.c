/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes instructions that touch device memory, and computes the addresses they touch. Strict: an
 * instruction that is not in the tables, or that the processor would refuse, is refused. The guest
 * may change the bytes concurrently: each byte is read once.
 *
 * Source: SDM vol. 2, "Instruction Format".
 */
#include "hv/devices/insn_decode.h"

#include "hv/devices/insn_table.h"
#include "hv/lib/assert.h"

#define REX_W 0x8
#define REX_R 0x4
#define REX_X 0x2
#define REX_B 0x1

/* How far the bytes have been read, and the prefixes among them. */
struct cursor {
	const uint8_t *bytes;
	size_t n, at;
	bool operand_size, address_size, has_rex, has_segment;
	enum insn_repeat repeat;
	uint8_t rex;
};

static enum status next_byte(struct cursor *cursor, uint8_t *ret)
{
	if (cursor->at >= INSN_MAX_LEN)
		return ERR_INVAL;
	if (cursor->at >= cursor->n)
		return ERR_RANGE;
	*ret = cursor->bytes[cursor->at++];
	return OK;
}

/* A little-endian number of 'size' bytes, not extended. */
static enum status next_number(struct cursor *cursor, unsigned size, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < size; i++) {
		uint8_t byte;

		TRY(next_byte(cursor, &byte));
		v |= (uint64_t)byte << (8 * i);
	}
	*ret = v;
	return OK;
}

static uint64_t size_mask(unsigned size)
{
	return size >= 8 ? UINT64_MAX : BIT(8 * size) - 1;
}

static uint64_t sign_extend(uint64_t v, unsigned size)
{
	uint64_t sign = BIT(8 * size - 1);

	return ((v & size_mask(size)) ^ sign) - sign;
}

static enum status next_signed(struct cursor *cursor, unsigned size, uint64_t *ret)
{
	uint64_t v;

	TRY(next_number(cursor, size, &v));
	*ret = sign_extend(v, size);
	return OK;
}

/* In 64-bit mode the four old segments cannot be selected; their prefixes are ignored. */
static void take_segment(struct cursor *cursor, struct insn *insn, enum insn_segment segment)
{
	if (insn->mode == INSN_64 && segment != INSN_FS && segment != INSN_GS)
		return;
	insn->segment = segment;
	cursor->has_segment = true;
}

static bool take_prefix(struct cursor *cursor, struct insn *insn, uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		take_segment(cursor, insn, (enum insn_segment)(byte >> 3 & 3));
		return true;
	case 0x64:
	case 0x65:
		take_segment(cursor, insn, byte == 0x64 ? INSN_FS : INSN_GS);
		return true;
	case 0x66:
		cursor->operand_size = true;
		return true;
	case 0x67:
		cursor->address_size = true;
		return true;
	case 0xf0:
		insn->lock = true;
		return true;
	case 0xf2: /* of F2 and F3 the last one counts */
	case 0xf3:
		cursor->repeat = byte == 0xf2 ? INSN_REPNE : INSN_REPE;
		return true;
	default:
		return false;
	}
}

/* Take all prefixes and the first opcode byte. REX counts only immediately before the opcode. */
static enum status take_prefixes(struct cursor *cursor, struct insn *insn, uint8_t *ret_opcode)
{
	for (;;) {
		uint8_t byte;

		TRY(next_byte(cursor, &byte));
		if (take_prefix(cursor, insn, byte)) {
			cursor->has_rex = false;
			cursor->rex = 0;
		} else if (insn->mode == INSN_64 && (byte & 0xf0) == 0x40) {
			cursor->has_rex = true;
			cursor->rex = byte & 0xf;
		} else {
			*ret_opcode = byte;
			return OK;
		}
	}
}

/* Find the opcode in its map, which takes up to two more bytes. */
static enum status take_opcode(struct cursor *cursor, uint8_t first, uint8_t *ret_last,
			       struct insn_opcode *ret)
{
	uint8_t second, third;

	*ret_last = first;
	*ret = insn_map_1[first];
	if (first != 0x0f)
		return OK;
	TRY(next_byte(cursor, &second));
	*ret_last = second;
	*ret = insn_map_0f[second];
	if (second != 0x38)
		return OK;
	TRY(next_byte(cursor, &third));
	*ret_last = third;
	*ret = insn_map_0f38[third];
	return OK;
}

static void set_address_size(const struct cursor *cursor, struct insn *insn)
{
	static const uint8_t sizes[][2] = {
		[INSN_16] = {2, 4}, [INSN_32] = {4, 2}, [INSN_64] = {8, 4}};

	insn->address_size = sizes[insn->mode][cursor->address_size];
}

static uint8_t find_operand_size(const struct cursor *cursor, const struct insn *insn,
				 unsigned flags)
{
	if ((flags & OPCODE_BYTE) != 0)
		return 1;
	if ((flags & OPCODE_ALWAYS_8) != 0 || (cursor->rex & REX_W) != 0)
		return 8;
	if (insn->mode == INSN_64 && (flags & OPCODE_DEFAULT_64) != 0 && !cursor->operand_size)
		return 8;
	if ((flags & OPCODE_NEVER_16) != 0)
		return 4;
	return (insn->mode == INSN_16) == cursor->operand_size ? 4 : 2;
}

static void set_sizes(const struct cursor *cursor, struct insn *insn, unsigned flags)
{
	insn->operand_size = find_operand_size(cursor, insn, flags);
	insn->memory_size = insn->operand_size;
	if ((flags & OPCODE_MEMORY_8) != 0)
		insn->memory_size = 1;
	if ((flags & OPCODE_MEMORY_16) != 0)
		insn->memory_size = 2;
	if ((flags & OPCODE_MEMORY_32) != 0)
		insn->memory_size = insn->operand_size == 2 ? 2 : 4;
}

/* Whether the opcode, with these prefixes and in this mode, is the one in the table. */
static enum status check_prefixes(const struct cursor *cursor, const struct insn *insn,
				  unsigned flags)
{
	if ((flags & OPCODE_ONLY_64) != 0 && insn->mode != INSN_64)
		return ERR_UNSUPPORTED;
	if ((flags & OPCODE_NOT_64) != 0 && insn->mode == INSN_64)
		return ERR_UNSUPPORTED;
	if ((flags & OPCODE_NO_66) != 0 && cursor->operand_size)
		return ERR_UNSUPPORTED;
	if ((flags & OPCODE_NO_REP) != 0 && cursor->repeat != INSN_ONCE)
		return ERR_UNSUPPORTED;
	if ((flags & OPCODE_ALWAYS_8) != 0 && (cursor->rex & REX_W) != 0)
		return ERR_UNSUPPORTED;
	if (insn->lock && (flags & OPCODE_LOCK) == 0)
		return ERR_INVAL;
	return OK;
}

static void default_segment(const struct cursor *cursor, struct insn *insn)
{
	if (!cursor->has_segment)
		insn->segment = insn->base == RSP || insn->base == RBP ? INSN_SS : INSN_DS;
}

/* SDM vol. 2, "16-Bit Addressing Forms with the ModR/M Byte". */
static enum status take_address_16(struct cursor *cursor, struct insn *insn, uint8_t modrm)
{
	static const uint8_t bases[8] = {RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX};
	static const uint8_t indexes[8] = {RSI,		RDI,	     RSI,	  RDI,
					   INSN_NO_REG, INSN_NO_REG, INSN_NO_REG, INSN_NO_REG};
	unsigned mod = modrm >> 6, rm = modrm & 7;

	insn->base = bases[rm];
	insn->index = indexes[rm];
	insn->scale = 1;
	if (mod == 0 && rm == 6) {
		insn->base = INSN_NO_REG;
		mod = 2;
	}
	default_segment(cursor, insn);
	return mod == 0 ? OK : next_signed(cursor, mod, &insn->displacement);
}

/* Take base and index from a SIB byte. '*mod' becomes 2 where a displacement replaces the base. */
static enum status take_sib(struct cursor *cursor, struct insn *insn, unsigned *mod)
{
	uint8_t sib;

	TRY(next_byte(cursor, &sib));
	insn->scale = (uint8_t)(1 << (sib >> 6));
	insn->index = (sib >> 3 & 7) | ((cursor->rex & REX_X) != 0 ? 8 : 0);
	if (insn->index == RSP)
		insn->index = INSN_NO_REG;
	insn->base = (sib & 7) | ((cursor->rex & REX_B) != 0 ? 8 : 0);
	if ((sib & 7) == RBP && *mod == 0) {
		insn->base = INSN_NO_REG;
		*mod = 2;
	}
	return OK;
}

static enum status take_address(struct cursor *cursor, struct insn *insn, uint8_t modrm)
{
	unsigned mod = modrm >> 6;

	insn->base = (modrm & 7) | ((cursor->rex & REX_B) != 0 ? 8 : 0);
	insn->index = INSN_NO_REG;
	insn->scale = 1;
	if ((modrm & 7) == RSP) {
		TRY(take_sib(cursor, insn, &mod));
	} else if ((modrm & 7) == RBP && mod == 0) {
		insn->base = insn->mode == INSN_64 ? INSN_REG_RIP : INSN_NO_REG;
		mod = 2;
	}
	default_segment(cursor, insn);
	return mod == 0 ? OK : next_signed(cursor, mod == 1 ? 1 : 4, &insn->displacement);
}

/*
 * The register in ModRM's reg field. Without a REX prefix, byte registers 4 to 7 are AH, CH, DH and
 * BH.
 */
static void set_register(const struct cursor *cursor, struct insn *insn, uint8_t modrm)
{
	insn->reg = (modrm >> 3 & 7) | ((cursor->rex & REX_R) != 0 ? 8 : 0);
	if (insn->operand_size == 1 && !cursor->has_rex && insn->reg >= 4) {
		insn->reg -= 4;
		insn->reg_high = true;
	}
}

static enum status take_immediate(struct cursor *cursor, struct insn *insn, bool is_byte)
{
	unsigned size = insn->operand_size == 8 ? 4 : insn->operand_size;

	return next_signed(cursor, is_byte ? 1 : size, &insn->imm);
}

/* The operands of opcodes with ModRM. */
static enum status take_operands(struct cursor *cursor, struct insn *insn, enum insn_layout layout,
				 uint8_t modrm)
{
	if (modrm >> 6 == 3)
		return ERR_UNSUPPORTED;
	if (insn->address_size == 2)
		TRY(take_address_16(cursor, insn, modrm));
	else
		TRY(take_address(cursor, insn, modrm));
	switch (layout) {
	case LAYOUT_M_R:
	case LAYOUT_R_M:
		set_register(cursor, insn, modrm);
		insn->form = layout == LAYOUT_M_R ? INSN_FORM_MEM_REG : INSN_FORM_REG_MEM;
		return OK;
	case LAYOUT_M_R_I8:
		set_register(cursor, insn, modrm);
		insn->form = INSN_FORM_MEM_REG_IMM;
		return take_immediate(cursor, insn, true);
	case LAYOUT_M_R_CL:
		set_register(cursor, insn, modrm);
		insn->form = INSN_FORM_MEM_REG_CL;
		return OK;
	case LAYOUT_M_I:
	case LAYOUT_M_I8:
		insn->form = INSN_FORM_MEM_IMM;
		return take_immediate(cursor, insn, layout == LAYOUT_M_I8);
	case LAYOUT_M_1:
		insn->form = INSN_FORM_MEM_IMM;
		insn->imm = 1;
		return OK;
	default:
		insn->form = layout == LAYOUT_M_CL ? INSN_FORM_MEM_CL : INSN_FORM_MEM;
		return OK;
	}
}

static enum status take_offset(struct cursor *cursor, struct insn *insn, enum insn_layout layout)
{
	insn->form = layout == LAYOUT_A_O ? INSN_FORM_REG_MEM : INSN_FORM_MEM_REG;
	insn->reg = RAX;
	default_segment(cursor, insn);
	return next_number(cursor, insn->address_size, &insn->displacement);
}

static void set_string(const struct cursor *cursor, struct insn *insn)
{
	insn->form = INSN_FORM_STRING;
	default_segment(cursor, insn);
	insn->repeat = cursor->repeat;
}

/* Take all bytes after the opcode byte 'last'. */
static enum status take_rest(struct cursor *cursor, struct insn *insn, struct insn_opcode opcode,
			     uint8_t last)
{
	uint8_t modrm = 0;
	bool has_modrm = opcode.layout != LAYOUT_STRING && opcode.layout != LAYOUT_A_O &&
			 opcode.layout != LAYOUT_O_A;

	if (opcode.layout == LAYOUT_NONE)
		return ERR_UNSUPPORTED;
	if (has_modrm)
		TRY(next_byte(cursor, &modrm));
	if (opcode.layout == LAYOUT_GROUP)
		opcode = insn_groups[opcode.flags][modrm >> 3 & 7];
	if (opcode.op == INSN_NONE)
		return ERR_UNSUPPORTED;
	TRY(check_prefixes(cursor, insn, opcode.flags));
	insn->op = opcode.op;
	insn->condition = last & 0xf;
	set_address_size(cursor, insn);
	set_sizes(cursor, insn, opcode.flags);
	if (has_modrm)
		return take_operands(cursor, insn, opcode.layout, modrm);
	if (opcode.layout != LAYOUT_STRING)
		return take_offset(cursor, insn, opcode.layout);
	set_string(cursor, insn);
	return OK;
}

static bool reads_memory(const struct insn *insn)
{
	switch (insn->op) {
	case INSN_MOV:
	case INSN_MOVBE:
		return insn->form == INSN_FORM_REG_MEM;
	case INSN_SETCC:
	case INSN_STOS:
		return false;
	default:
		return true;
	}
}

static bool writes_memory(const struct insn *insn)
{
	switch (insn->op) {
	case INSN_CMP:
	case INSN_TEST:
	case INSN_BT:
	case INSN_CMPS:
	case INSN_LODS:
	case INSN_SCAS:
	case INSN_CMOV:
		return false;
	default:
		return insn->form != INSN_FORM_REG_MEM;
	}
}

enum status insn_decode(const uint8_t *bytes, size_t n, enum insn_mode mode, struct insn *ret)
{
	struct cursor cursor = {.bytes = bytes, .n = n};
	struct insn insn = {.mode = mode, .base = INSN_NO_REG, .index = INSN_NO_REG, .scale = 1};
	struct insn_opcode opcode = {0};
	uint8_t first, last;

	TRY(take_prefixes(&cursor, &insn, &first));
	TRY(take_opcode(&cursor, first, &last, &opcode));
	TRY(take_rest(&cursor, &insn, opcode, last));
	insn.length = (uint8_t)cursor.at;
	insn.reads = reads_memory(&insn);
	insn.writes = writes_memory(&insn);
	*ret = insn;
	return OK;
}

bool insn_is_plain_store(const struct insn *insn)
{
	switch (insn->op) {
	case INSN_MOV:
	case INSN_MOVBE:
	case INSN_SETCC:
	case INSN_STOS:
	case INSN_MOVS:
		return insn->writes;
	default:
		return false;
	}
}

static uint64_t address_register(const struct insn *insn, const struct insn_regs *regs, uint8_t reg)
{
	if (reg >= INSN_REG_RIP)
		return reg == INSN_REG_RIP ? regs->rip + insn->length : 0;
	/* SDM vol. 2, POP: the address is computed after the stack pointer is incremented. */
	if (insn->op == INSN_POP && reg == RSP)
		return regs->gpr[RSP] + insn->operand_size;
	return regs->gpr[reg];
}

/*
 * A bit offset in a register is signed and can reach beyond the operand, in units of the operand's
 * size.
 */
static uint64_t bit_string_offset(const struct insn *insn, const struct insn_regs *regs)
{
	uint64_t bits = sign_extend(regs->gpr[insn->reg], insn->operand_size);
	uint64_t sign = (bits & BIT(63)) != 0 ? ~(UINT64_MAX >> 3) : 0;

	return (bits >> 3 | sign) & ~(uint64_t)(insn->operand_size - 1);
}

static void memory_access(const struct insn *insn, const struct insn_regs *regs, bool reads,
			  bool writes, struct insn_access *ret)
{
	uint64_t offset = insn->displacement + address_register(insn, regs, insn->base);

	if (insn->index != INSN_NO_REG)
		offset += regs->gpr[insn->index] * insn->scale;
	if (insn->form == INSN_FORM_MEM_REG && insn->op >= INSN_BT && insn->op <= INSN_BTC)
		offset += bit_string_offset(insn, regs);

	*ret = (struct insn_access){
		.segment = insn->segment,
		.offset = offset & size_mask(insn->address_size),
		.size = insn->memory_size,
		.reads = reads,
		.writes = writes,
	};
}

static unsigned stack_size(const struct insn *insn, const struct insn_regs *regs)
{
	static const uint8_t of_mode[] = {[INSN_16] = 2, [INSN_32] = 4, [INSN_64] = 8};

	return insn->mode == INSN_64 || regs->stack_size == 0 ? of_mode[insn->mode]
							      : regs->stack_size;
}

static struct insn_access stack_access(const struct insn *insn, const struct insn_regs *regs)
{
	bool is_push = insn->op == INSN_PUSH;
	uint64_t offset = regs->gpr[RSP] - (is_push ? insn->operand_size : 0);

	return (struct insn_access){
		.segment = INSN_SS,
		.offset = offset & size_mask(stack_size(insn, regs)),
		.size = insn->operand_size,
		.reads = !is_push,
		.writes = is_push,
	};
}

/* One operand of a string instruction: at rSI in a selectable segment, or at rDI in ES. */
static struct insn_access string_access(const struct insn *insn, const struct insn_regs *regs,
					uint8_t reg, bool writes)
{
	return (struct insn_access){
		.segment = reg == RDI ? INSN_ES : insn->segment,
		.offset = regs->gpr[reg] & size_mask(insn->address_size),
		.size = insn->operand_size,
		.reads = !writes,
		.writes = writes,
	};
}

static size_t string_accesses(const struct insn *insn, const struct insn_regs *regs,
			      struct insn_access ret[2])
{
	bool is_two = insn->op == INSN_MOVS || insn->op == INSN_CMPS;

	if (insn->repeat != INSN_ONCE && (regs->gpr[RCX] & size_mask(insn->address_size)) == 0)
		return 0;
	if (is_two || insn->op == INSN_LODS)
		ret[0] = string_access(insn, regs, RSI, false);
	else
		ret[0] = string_access(insn, regs, RDI, insn->op == INSN_STOS);
	if (is_two)
		ret[1] = string_access(insn, regs, RDI, insn->op == INSN_MOVS);
	return is_two ? 2 : 1;
}

size_t insn_accesses(const struct insn *insn, const struct insn_regs *regs,
		     struct insn_access ret[2])
{
	assert(insn->op != INSN_NONE);
	if (insn->form == INSN_FORM_STRING)
		return string_accesses(insn, regs, ret);
	if (insn->op == INSN_PUSH) {
		memory_access(insn, regs, true, false, &ret[0]);
		ret[1] = stack_access(insn, regs);
		return 2;
	}
	if (insn->op == INSN_POP) {
		ret[0] = stack_access(insn, regs);
		memory_access(insn, regs, false, true, &ret[1]);
		return 2;
	}
	memory_access(insn, regs, insn->reads, insn->writes, &ret[0]);
	return 1;
}
