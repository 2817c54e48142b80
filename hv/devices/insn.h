/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/regs.h"
#include "hv/lib/types.h"

/*
 * Decodes and executes the integer instructions that may write to a device's register, and those
 * that drivers read one with. Pure: accesses neither memory nor devices. The caller
 *
 *	1. decodes the bytes at RIP: insn_decode()
 *	2. asks what is accessed: insn_accesses(); none for a REP string with a count of zero
 *	3. fetches the old value of every access that reads, from device or RAM
 *	4. updates registers and flags: insn_execute()
 *	5. stores *mem_new, if told to, at the address of the access that writes
 *
 * and enters the guest again, which exits again for the next iteration of a
 * repeated string instruction. Faults (canonical addresses, segment limits,
 * alignment) are not checked here: if an instruction caused an exit for an
 * EPT violation, the processor has passed those checks already; for the other
 * operand the caller checks. Single-stepping (RFLAGS.TF) and RFLAGS.RF are the caller's, too.
 */
#define INSN_MAX_LEN 15

enum insn_mode { INSN_16, INSN_32, INSN_64 };

enum insn_segment { INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS };

enum insn_op {
	INSN_NONE, /* not in the tables */
	/* The eight ALU operations, in the order of their encoding. */
	INSN_ADD,
	INSN_OR,
	INSN_ADC,
	INSN_SBB,
	INSN_AND,
	INSN_SUB,
	INSN_XOR,
	INSN_CMP,
	/* Shifts, in the order of their encoding; SAL is both the fourth and the sixth. */
	INSN_ROL,
	INSN_ROR,
	INSN_RCL,
	INSN_RCR,
	INSN_SHL,
	INSN_SHR,
	INSN_SAR,
	INSN_SHLD,
	INSN_SHRD,
	INSN_TEST,
	INSN_NOT,
	INSN_NEG,
	INSN_INC,
	INSN_DEC,
	/* Bit tests, in the order of their encoding. */
	INSN_BT,
	INSN_BTS,
	INSN_BTR,
	INSN_BTC,
	INSN_MOV,
	INSN_MOVBE,
	INSN_MOVZX,
	INSN_MOVSX, /* MOVSXD too */
	INSN_XCHG,
	INSN_XADD,
	INSN_CMPXCHG,
	INSN_CMPXCHG8B,
	INSN_SETCC,
	INSN_CMOV,
	INSN_PUSH,
	INSN_POP,
	INSN_MOVS,
	INSN_CMPS,
	INSN_STOS,
	INSN_LODS,
	INSN_SCAS,
};

/* The operands besides memory, and which side is the destination. */
enum insn_form {
	INSN_FORM_MEM,	   /* no other operand */
	INSN_FORM_MEM_REG, /* memory is the destination, or the first operand */
	INSN_FORM_MEM_REG_IMM,
	INSN_FORM_MEM_REG_CL,
	INSN_FORM_REG_MEM,
	INSN_FORM_MEM_IMM,
	INSN_FORM_MEM_CL,
	INSN_FORM_STRING,
};

enum insn_repeat { INSN_ONCE, INSN_REPE /* also REP */, INSN_REPNE };

#define INSN_NO_REG  0xff
#define INSN_REG_RIP 0xfe /* base: the address of the next instruction */

struct insn {
	enum insn_mode mode;
	enum insn_op op;
	enum insn_form form;
	uint8_t length;	      /* bytes, 1 to 15 */
	uint8_t operand_size; /* bytes of the operation: 1, 2, 4, 8 */
	uint8_t memory_size;  /* bytes of the memory operand: differs for MOVZX, MOVSX, SETcc */
	uint8_t address_size; /* bytes: 2, 4, 8 */
	enum insn_repeat repeat;
	bool lock;		   /* LOCK prefix, legal here */
	bool reads, writes;	   /* the memory operand: needs its old value, stores a new one */
	enum insn_segment segment; /* of the memory operand; of the source for strings */
	/* Effective address; registers by number, INSN_NO_REG, INSN_REG_RIP. */
	uint8_t base, index;
	uint8_t scale;	       /* 1, 2, 4, 8 */
	uint64_t displacement; /* sign-extended; MOV with an absolute offset: the offset */
	uint8_t reg;	       /* the register operand */
	bool reg_high;	       /* the register is AH, CH, DH or BH; 'reg' selects which */
	uint8_t condition;     /* SETcc, CMOVcc: the low four bits of the opcode */
	uint64_t imm;	       /* sign-extended to 64 bits */
};

struct insn_regs {
	uint64_t *gpr; /* 16, RSP among them */
	uint64_t rip;
	uint64_t rflags;
	/*
	 * Outside 64-bit mode, bytes of the stack pointer, from SS.B: 2 or 4. 0: as wide as code.
	 */
	uint8_t stack_size;
};

/*
 * One memory operand. The linear address is the segment's base plus 'offset', truncated to 32 bits
 * outside 64-bit mode. In 64-bit mode only FS and GS have a base.
 */
struct insn_access {
	enum insn_segment segment;
	uint64_t offset; /* truncated to the address size */
	uint8_t size;	 /* bytes: 1, 2, 4, 8 */
	bool reads, writes;
};
