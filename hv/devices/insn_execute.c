/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executes one decoded instruction on values: takes registers and the old value of the memory
 * operand, returns registers, flags and the new value. Trusts the decoder about what is legal; does
 * not fault.
 *
 * Source: SDM vol. 2, the instructions' own pages.
 */
#include "hv/devices/insn_execute.h"

#include "hv/devices/insn_decode.h"
#include "hv/lib/assert.h"

#define CF BIT(0)
#define PF BIT(2)
#define AF BIT(4)
#define ZF BIT(6)
#define SF BIT(7)
#define DF BIT(10)
#define OF BIT(11)

#define ARITHMETIC (CF | PF | AF | ZF | SF | OF)

static unsigned width(unsigned size)
{
	return 8 * size;
}

static uint64_t mask(unsigned size)
{
	return size >= 8 ? UINT64_MAX : BIT(width(size)) - 1;
}

static bool is_negative(uint64_t v, unsigned size)
{
	return (v >> (width(size) - 1) & 1) != 0;
}

static uint64_t sign_extend(uint64_t v, unsigned size)
{
	return is_negative(v, size) ? v | ~mask(size) : v & mask(size);
}

static void set_flags(struct insn_regs *regs, uint64_t which, uint64_t values)
{
	regs->rflags = (regs->rflags & ~which) | (values & which);
}

/* 32-bit results clear the upper half of a register; smaller results keep the other bytes. */
static void write_register(struct insn_regs *regs, unsigned reg, unsigned size, uint64_t v)
{
	uint64_t kept = size >= 4 ? 0 : ~mask(size);

	regs->gpr[reg] = (regs->gpr[reg] & kept) | (v & mask(size));
}

static uint64_t read_operand(const struct insn *insn, const struct insn_regs *regs)
{
	return regs->gpr[insn->reg] >> (insn->reg_high ? 8 : 0) & mask(insn->operand_size);
}

static void write_operand(const struct insn *insn, struct insn_regs *regs, uint64_t v)
{
	if (insn->reg_high)
		regs->gpr[insn->reg] = (regs->gpr[insn->reg] & ~BITS(15, 8)) | (v & 0xff) << 8;
	else
		write_register(regs, insn->reg, insn->operand_size, v);
}

/* SF, ZF and PF, which depend on the result alone. */
static uint64_t result_flags(uint64_t v, unsigned size)
{
	/* A bit for each half of a byte that has an even number of ones. */
	bool is_even = (0x9669 >> ((v ^ v >> 4) & 0xf) & 1) != 0;

	return (is_negative(v, size) ? SF : 0) | ((v & mask(size)) == 0 ? ZF : 0) |
	       (is_even ? PF : 0);
}

/* 'carry' is 0 or 1. The carry out of each bit is in that bit of the expressions. */
static uint64_t add(struct insn_regs *regs, unsigned size, uint64_t a, uint64_t b, uint64_t carry)
{
	uint64_t sum = a + b + carry;
	uint64_t carries = (a & b) | ((a | b) & ~sum);
	uint64_t overflow = (a ^ sum) & (b ^ sum);

	set_flags(regs, ARITHMETIC,
		  result_flags(sum, size) | (is_negative(carries, size) ? CF : 0) |
			  (is_negative(overflow, size) ? OF : 0) | ((a ^ b ^ sum) & AF));
	return sum & mask(size);
}

static uint64_t subtract(struct insn_regs *regs, unsigned size, uint64_t a, uint64_t b,
			 uint64_t borrow)
{
	uint64_t difference = a - b - borrow;
	uint64_t borrows = (~a & b) | ((~a | b) & difference);
	uint64_t overflow = (a ^ b) & (a ^ difference);

	set_flags(regs, ARITHMETIC,
		  result_flags(difference, size) | (is_negative(borrows, size) ? CF : 0) |
			  (is_negative(overflow, size) ? OF : 0) | ((a ^ b ^ difference) & AF));
	return difference & mask(size);
}

static uint64_t logic(struct insn_regs *regs, unsigned size, uint64_t v)
{
	set_flags(regs, ARITHMETIC, result_flags(v, size));
	return v & mask(size);
}

/* ADD to CMP, and TEST, of 'a', the destination, and 'b'. Compares return 'a'. */
static uint64_t execute_alu(enum insn_op op, struct insn_regs *regs, unsigned size, uint64_t a,
			    uint64_t b)
{
	uint64_t carry = regs->rflags & CF;

	switch (op) {
	case INSN_ADD:
		return add(regs, size, a, b, 0);
	case INSN_ADC:
		return add(regs, size, a, b, carry);
	case INSN_SUB:
		return subtract(regs, size, a, b, 0);
	case INSN_SBB:
		return subtract(regs, size, a, b, carry);
	case INSN_CMP:
		subtract(regs, size, a, b, 0);
		return a;
	case INSN_OR:
		return logic(regs, size, a | b);
	case INSN_XOR:
		return logic(regs, size, a ^ b);
	case INSN_AND:
		return logic(regs, size, a & b);
	default:
		logic(regs, size, a & b);
		return a;
	}
}

/* INC and DEC do not change CF. */
static uint64_t step(struct insn_regs *regs, unsigned size, uint64_t v, bool up)
{
	uint64_t carry = regs->rflags & CF;
	uint64_t result = up ? add(regs, size, v, 1, 0) : subtract(regs, size, v, 1, 0);

	set_flags(regs, CF, carry);
	return result;
}

/*
 * ROL and ROR. The width is a power of two, so the count needs no division. The count is 1 to 63,
 * so that no shift is by 64.
 */
static uint64_t rotate(struct insn_regs *regs, unsigned size, uint64_t v, unsigned count, bool left)
{
	unsigned bits = width(size), by = count & (bits - 1);

	if (!left)
		by = (bits - by) & (bits - 1);
	uint64_t r = (v << by | v >> (bits - by)) & mask(size);
	bool msb = is_negative(r, size), next = (r >> (bits - 2) & 1) != 0;
	bool carry = left ? (r & 1) != 0 : msb;
	bool overflow = left ? msb != carry : msb != next;

	set_flags(regs, CF | OF, (carry ? CF : 0) | (overflow ? OF : 0));
	return r;
}

/* RCL and RCR, one bit at a time through CF. OF follows the formula of the last step. */
static uint64_t rotate_carry(struct insn_regs *regs, unsigned size, uint64_t v, unsigned count,
			     bool left)
{
	unsigned bits = width(size);
	bool carry = (regs->rflags & CF) != 0, overflow = false;

	for (count %= bits + 1; count > 0; count--) {
		bool out = left ? is_negative(v, size) : (v & 1) != 0;
		uint64_t in = carry ? 1 : 0;

		overflow = left ? is_negative(v ^ v << 1, size) : is_negative(v, size) != carry;
		v = left ? (v << 1 | in) & mask(size) : v >> 1 | in << (bits - 1);
		carry = out;
		set_flags(regs, CF | OF, (carry ? CF : 0) | (overflow ? OF : 0));
	}
	return v;
}

static uint64_t shift_left(struct insn_regs *regs, unsigned size, uint64_t v, unsigned count)
{
	uint64_t last = count > width(size) ? 0 : v << (count - 1);
	uint64_t r = count >= width(size) ? 0 : v << count & mask(size);
	bool carry = is_negative(last, size);

	set_flags(regs, ARITHMETIC,
		  result_flags(r, size) | (carry ? CF : 0) |
			  (is_negative(r, size) != carry ? OF : 0));
	return r;
}

/* SHR and SAR; 'v' is extended to 64 bits, with zeros or the sign. The count is 1 to 63. */
static uint64_t shift_right(struct insn_regs *regs, unsigned size, uint64_t v, unsigned count,
			    bool arithmetic)
{
	uint64_t fill = arithmetic && is_negative(v, size) ? UINT64_MAX : 0;
	uint64_t wide = (v & mask(size)) | (fill & ~mask(size));
	uint64_t last = wide >> (count - 1) | (fill & ~(UINT64_MAX >> (count - 1)));
	uint64_t r = (wide >> count | (fill & ~(UINT64_MAX >> count))) & mask(size);
	bool overflow = !arithmetic && is_negative(last, size);

	set_flags(regs, ARITHMETIC,
		  result_flags(r, size) | ((last & 1) != 0 ? CF : 0) | (overflow ? OF : 0));
	return r;
}

static uint64_t execute_shift(enum insn_op op, struct insn_regs *regs, unsigned size, uint64_t v,
			      uint64_t amount)
{
	unsigned count = amount & (size == 8 ? 0x3f : 0x1f);

	if (count == 0)
		return v;
	switch (op) {
	case INSN_ROL:
	case INSN_ROR:
		return rotate(regs, size, v, count, op == INSN_ROL);
	case INSN_RCL:
	case INSN_RCR:
		return rotate_carry(regs, size, v, count, op == INSN_RCL);
	case INSN_SHL:
		return shift_left(regs, size, v, count);
	default:
		return shift_right(regs, size, v, count, op == INSN_SAR);
	}
}

/* SHLD and SHRD: bits of the register follow. A count above the width is undefined. */
static uint64_t execute_double_shift(const struct insn *insn, struct insn_regs *regs, uint64_t v)
{
	unsigned size = insn->operand_size, bits = width(size);
	uint64_t from = read_operand(insn, regs);
	uint64_t amount = insn->form == INSN_FORM_MEM_REG_CL ? regs->gpr[RCX] : insn->imm;
	unsigned count = amount & (size == 8 ? 0x3f : 0x1f);
	bool left = insn->op == INSN_SHLD;
	uint64_t r, last;

	if (count == 0 || count > bits)
		return v;
	r = (left ? v << count | from >> (bits - count) : v >> count | from << (bits - count)) &
	    mask(size);
	last = left ? v >> (bits - count) : v >> (count - 1);
	set_flags(regs, ARITHMETIC,
		  result_flags(r, size) | ((last & 1) != 0 ? CF : 0) |
			  (is_negative(v ^ r, size) ? OF : 0));
	return r;
}

static uint64_t execute_bit(enum insn_op op, struct insn_regs *regs, unsigned size, uint64_t v,
			    uint64_t number)
{
	uint64_t bit = BIT(number & (width(size) - 1));

	set_flags(regs, CF, (v & bit) != 0 ? CF : 0);
	switch (op) {
	case INSN_BTS:
		return v | bit;
	case INSN_BTR:
		return v & ~bit;
	case INSN_BTC:
		return v ^ bit;
	default:
		return v;
	}
}

/* SDM vol. 2, "EFLAGS Condition Codes": an odd condition negates the one before it. */
static bool has_condition(uint64_t rflags, unsigned condition)
{
	bool less = ((rflags & SF) != 0) != ((rflags & OF) != 0);
	const bool conditions[8] = {
		(rflags & OF) != 0,
		(rflags & CF) != 0,
		(rflags & ZF) != 0,
		(rflags & (CF | ZF)) != 0,
		(rflags & SF) != 0,
		(rflags & PF) != 0,
		less,
		less || (rflags & ZF) != 0,
	};

	return conditions[condition >> 1] != ((condition & 1) != 0);
}

static uint64_t swap_bytes(uint64_t v, unsigned size)
{
	return __builtin_bswap64(v) >> (64 - width(size));
}

/* A failed exchange writes back the old value. */
static uint64_t execute_cmpxchg(const struct insn *insn, struct insn_regs *regs, uint64_t old)
{
	unsigned size = insn->operand_size;
	uint64_t new = read_operand(insn, regs);

	subtract(regs, size, regs->gpr[RAX] & mask(size), old, 0);
	if ((regs->rflags & ZF) != 0)
		return new;
	write_register(regs, RAX, size, old);
	return old;
}

/* Only ZF changes. */
static uint64_t execute_cmpxchg8b(struct insn_regs *regs, uint64_t old)
{
	uint64_t expected = regs->gpr[RDX] << 32 | (regs->gpr[RAX] & mask(4));

	set_flags(regs, ZF, expected == old ? ZF : 0);
	if (expected == old)
		return regs->gpr[RCX] << 32 | (regs->gpr[RBX] & mask(4));
	write_register(regs, RAX, 4, old);
	write_register(regs, RDX, 4, old >> 32);
	return old;
}

static uint64_t execute_xadd(const struct insn *insn, struct insn_regs *regs, uint64_t old)
{
	uint64_t addend = read_operand(insn, regs);
	uint64_t sum = add(regs, insn->operand_size, old, addend, 0);

	write_operand(insn, regs, old);
	return sum;
}

static uint64_t execute_xchg(const struct insn *insn, struct insn_regs *regs, uint64_t old)
{
	uint64_t new = read_operand(insn, regs);

	write_operand(insn, regs, old);
	return new;
}

/* The operand besides memory: register, immediate or CL. */
static uint64_t other_operand(const struct insn *insn, const struct insn_regs *regs)
{
	switch (insn->form) {
	case INSN_FORM_MEM_IMM:
		return insn->imm & mask(insn->operand_size);
	case INSN_FORM_MEM_CL:
		return regs->gpr[RCX] & 0xff;
	case INSN_FORM_MEM_REG:
	case INSN_FORM_REG_MEM:
		return read_operand(insn, regs);
	default:
		return 0;
	}
}

/* The register is the destination; memory is not written. */
static void execute_to_register(const struct insn *insn, struct insn_regs *regs, uint64_t old)
{
	unsigned size = insn->operand_size;
	uint64_t v = old;

	if (insn->op == INSN_MOVZX)
		v = old;
	else if (insn->op == INSN_MOVSX)
		v = sign_extend(old, insn->memory_size);
	else if (insn->op == INSN_MOVBE)
		v = swap_bytes(old, size);
	else if (insn->op == INSN_CMOV) /* a register of 32 bits is extended in any case */
		v = has_condition(regs->rflags, insn->condition) ? old : read_operand(insn, regs);
	else
		v = execute_alu(insn->op, regs, size, read_operand(insn, regs), old);
	if (insn->op != INSN_CMP)
		write_operand(insn, regs, v);
}

static void move_stack_pointer(const struct insn *insn, struct insn_regs *regs)
{
	uint64_t delta = insn->op == INSN_POP ? insn->operand_size : -(uint64_t)insn->operand_size;
	unsigned size = insn->mode == INSN_16 ? 2 : 4;

	if (insn->mode == INSN_64)
		size = 8;
	else if (regs->stack_size != 0)
		size = regs->stack_size;
	write_register(regs, RSP, size, regs->gpr[RSP] + delta);
}

/* The new value of memory where memory is the destination, or the only operand. */
static uint64_t execute_to_memory(const struct insn *insn, struct insn_regs *regs, uint64_t old)
{
	unsigned size = insn->operand_size;
	uint64_t other = other_operand(insn, regs);

	switch (insn->op) {
	case INSN_MOVBE:
		return swap_bytes(other, size);
	case INSN_NOT:
		return ~old & mask(size);
	case INSN_NEG:
		return subtract(regs, size, 0, old, 0);
	case INSN_INC:
	case INSN_DEC:
		return step(regs, size, old, insn->op == INSN_INC);
	case INSN_XCHG:
		return execute_xchg(insn, regs, old);
	case INSN_XADD:
		return execute_xadd(insn, regs, old);
	case INSN_CMPXCHG:
		return execute_cmpxchg(insn, regs, old);
	case INSN_CMPXCHG8B:
		return execute_cmpxchg8b(regs, old);
	case INSN_SETCC:
		return has_condition(regs->rflags, insn->condition) ? 1 : 0;
	case INSN_PUSH:
	case INSN_POP:
		move_stack_pointer(insn, regs);
		return old;
	case INSN_SHLD:
	case INSN_SHRD:
		return execute_double_shift(insn, regs, old);
	case INSN_BT:
	case INSN_BTS:
	case INSN_BTR:
	case INSN_BTC:
		return execute_bit(insn->op, regs, size, old, other);
	default:
		if (insn->op >= INSN_ROL && insn->op <= INSN_SAR)
			return execute_shift(insn->op, regs, size, old, other);
		return execute_alu(insn->op, regs, size, old, other);
	}
}

static void advance(const struct insn *insn, struct insn_regs *regs)
{
	static const uint8_t sizes[] = {[INSN_16] = 2, [INSN_32] = 4, [INSN_64] = 8};

	regs->rip = (regs->rip + insn->length) & mask(sizes[insn->mode]);
}

static bool is_count_zero(const struct insn *insn, const struct insn_regs *regs)
{
	return insn->repeat != INSN_ONCE && (regs->gpr[RCX] & mask(insn->address_size)) == 0;
}

/* Update pointers, count and RIP after an iteration. SCAS and CMPS have already set ZF. */
static void finish_iteration(const struct insn *insn, struct insn_regs *regs)
{
	bool uses_source = insn->op != INSN_STOS && insn->op != INSN_SCAS;
	bool compares = insn->op == INSN_SCAS || insn->op == INSN_CMPS;
	uint64_t delta = insn->operand_size;

	if ((regs->rflags & DF) != 0)
		delta = -delta;
	if (uses_source)
		write_register(regs, RSI, insn->address_size, regs->gpr[RSI] + delta);
	if (insn->op != INSN_LODS)
		write_register(regs, RDI, insn->address_size, regs->gpr[RDI] + delta);
	if (insn->repeat == INSN_ONCE) {
		advance(insn, regs);
		return;
	}
	write_register(regs, RCX, insn->address_size, regs->gpr[RCX] - 1);
	bool stops = compares && ((regs->rflags & ZF) != 0) != (insn->repeat == INSN_REPE);

	if (stops || is_count_zero(insn, regs))
		advance(insn, regs);
}

static uint64_t execute_string(const struct insn *insn, struct insn_regs *regs, uint64_t old)
{
	unsigned size = insn->operand_size;
	uint64_t accumulator = regs->gpr[RAX] & mask(size);

	if (insn->op == INSN_LODS)
		write_register(regs, RAX, size, old);
	if (insn->op == INSN_SCAS)
		subtract(regs, size, accumulator, old, 0);
	finish_iteration(insn, regs);
	return insn->op == INSN_STOS ? accumulator : old;
}

/* MOV, which is nearly all that drivers use, and short. */
static void execute_mov(const struct insn *insn, struct insn_regs *regs, uint64_t old,
			uint64_t *mem_new)
{
	*mem_new = 0;
	if (insn->form == INSN_FORM_REG_MEM)
		write_operand(insn, regs, old);
	else if (insn->form == INSN_FORM_MEM_REG)
		*mem_new = read_operand(insn, regs);
	else
		*mem_new = insn->imm & mask(insn->operand_size);
	advance(insn, regs);
}

void insn_execute(const struct insn *insn, struct insn_regs *regs, uint64_t mem_old,
		  uint64_t *mem_new, bool *ret_writes)
{
	uint64_t old = mem_old & mask(insn->memory_size);
	uint64_t new = 0;
	bool writes = insn->writes;

	if (insn->op == INSN_MOV) {
		*ret_writes = writes;
		execute_mov(insn, regs, old, mem_new);
		return;
	}
	assert(insn->op != INSN_NONE && insn->op != INSN_CMPS);
	if (insn->form == INSN_FORM_STRING && is_count_zero(insn, regs)) {
		writes = false;
		advance(insn, regs);
	} else if (insn->form == INSN_FORM_STRING) {
		new = execute_string(insn, regs, old);
	} else {
		if (insn->form == INSN_FORM_REG_MEM)
			execute_to_register(insn, regs, old);
		else
			new = execute_to_memory(insn, regs, old);
		advance(insn, regs);
	}
	*ret_writes = writes;
	*mem_new = writes ? new : 0;
}

void insn_execute_cmps(const struct insn *insn, struct insn_regs *regs, uint64_t source,
		       uint64_t other)
{
	unsigned size = insn->operand_size;

	assert(insn->op == INSN_CMPS);
	if (is_count_zero(insn, regs)) {
		advance(insn, regs);
		return;
	}
	subtract(regs, size, source & mask(size), other & mask(size), 0);
	finish_iteration(insn, regs);
}
