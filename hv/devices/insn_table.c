/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opcode tables of the instruction decoder: the integer instructions that store 1, 2, 4 or 8 bytes
 * of registers, flags or memory, and those with which drivers read a register. Others are not
 * supported; the processor executes them (hv/run/step.c), which loses what they store.
 *
 * Source: SDM vol. 2, "Opcode Map" and "Opcode Extensions".
 */
#include "hv/devices/insn_table.h"

#define B OPCODE_BYTE
#define L OPCODE_LOCK

/* Of the four forms, only those whose first operand is memory may have a LOCK prefix. */
#define ALU(opcode, op, lock) \
	[(opcode)] = {op, LAYOUT_M_R, B | (lock)}, [(opcode) + 1] = {op, LAYOUT_M_R, lock}, \
	[(opcode) + 2] = {op, LAYOUT_R_M, B}, [(opcode) + 3] = {op, LAYOUT_R_M, 0}

#define STRING(opcode, op) \
	[(opcode)] = {op, LAYOUT_STRING, B}, [(opcode) + 1] = {op, LAYOUT_STRING, 0}

#define GROUP(opcode, group) [opcode] = {INSN_NONE, LAYOUT_GROUP, group}

const struct insn_opcode insn_map_1[256] = {
	ALU(0x00, INSN_ADD, L),
	ALU(0x08, INSN_OR, L),
	ALU(0x10, INSN_ADC, L),
	ALU(0x18, INSN_SBB, L),
	ALU(0x20, INSN_AND, L),
	ALU(0x28, INSN_SUB, L),
	ALU(0x30, INSN_XOR, L),
	ALU(0x38, INSN_CMP, 0),
	[0x63] = {INSN_MOVSX, LAYOUT_R_M, OPCODE_MEMORY_32 | OPCODE_ONLY_64},
	GROUP(0x80, GROUP_ALU_BYTE),
	GROUP(0x81, GROUP_ALU_FULL),
	GROUP(0x82, GROUP_ALU_OLD),
	GROUP(0x83, GROUP_ALU_SHORT),
	[0x84] = {INSN_TEST, LAYOUT_M_R, B},
	[0x85] = {INSN_TEST, LAYOUT_M_R, 0},
	[0x86] = {INSN_XCHG, LAYOUT_M_R, B | L},
	[0x87] = {INSN_XCHG, LAYOUT_M_R, L},
	ALU(0x88, INSN_MOV, 0),
	GROUP(0x8f, GROUP_POP),
	[0xa0] = {INSN_MOV, LAYOUT_A_O, B},
	[0xa1] = {INSN_MOV, LAYOUT_A_O, 0},
	[0xa2] = {INSN_MOV, LAYOUT_O_A, B},
	[0xa3] = {INSN_MOV, LAYOUT_O_A, 0},
	STRING(0xa4, INSN_MOVS),
	STRING(0xa6, INSN_CMPS),
	STRING(0xaa, INSN_STOS),
	STRING(0xac, INSN_LODS),
	STRING(0xae, INSN_SCAS),
	GROUP(0xc0, GROUP_SHIFT_BYTE_IMM),
	GROUP(0xc1, GROUP_SHIFT_FULL_IMM),
	GROUP(0xc6, GROUP_MOV_BYTE),
	GROUP(0xc7, GROUP_MOV_FULL),
	GROUP(0xd0, GROUP_SHIFT_BYTE_1),
	GROUP(0xd1, GROUP_SHIFT_FULL_1),
	GROUP(0xd2, GROUP_SHIFT_BYTE_CL),
	GROUP(0xd3, GROUP_SHIFT_FULL_CL),
	GROUP(0xf6, GROUP_UNARY_BYTE),
	GROUP(0xf7, GROUP_UNARY_FULL),
	GROUP(0xfe, GROUP_INC_BYTE),
	GROUP(0xff, GROUP_INC_FULL),
};

const struct insn_opcode insn_map_0f[256] = {
	[0x40 ... 0x4f] = {INSN_CMOV, LAYOUT_R_M, 0},
	[0x90 ... 0x9f] = {INSN_SETCC, LAYOUT_M, B},
	[0xa3] = {INSN_BT, LAYOUT_M_R, 0},
	[0xa4] = {INSN_SHLD, LAYOUT_M_R_I8, 0},
	[0xa5] = {INSN_SHLD, LAYOUT_M_R_CL, 0},
	[0xab] = {INSN_BTS, LAYOUT_M_R, L},
	[0xac] = {INSN_SHRD, LAYOUT_M_R_I8, 0},
	[0xad] = {INSN_SHRD, LAYOUT_M_R_CL, 0},
	[0xb0] = {INSN_CMPXCHG, LAYOUT_M_R, B | L},
	[0xb1] = {INSN_CMPXCHG, LAYOUT_M_R, L},
	[0xb3] = {INSN_BTR, LAYOUT_M_R, L},
	[0xb6] = {INSN_MOVZX, LAYOUT_R_M, OPCODE_MEMORY_8},
	[0xb7] = {INSN_MOVZX, LAYOUT_R_M, OPCODE_MEMORY_16},
	GROUP(0xba, GROUP_BIT),
	[0xbb] = {INSN_BTC, LAYOUT_M_R, L},
	[0xbe] = {INSN_MOVSX, LAYOUT_R_M, OPCODE_MEMORY_8},
	[0xbf] = {INSN_MOVSX, LAYOUT_R_M, OPCODE_MEMORY_16},
	[0xc0] = {INSN_XADD, LAYOUT_M_R, B | L},
	[0xc1] = {INSN_XADD, LAYOUT_M_R, L},
	/* MOVNTI: the hint does not matter to a device. */
	[0xc3] = {INSN_MOV, LAYOUT_M_R, OPCODE_NEVER_16 | OPCODE_NO_66 | OPCODE_NO_REP},
	GROUP(0xc7, GROUP_CMPXCHG8B),
};

const struct insn_opcode insn_map_0f38[256] = {
	[0xf0] = {INSN_MOVBE, LAYOUT_R_M, OPCODE_NO_REP},
	[0xf1] = {INSN_MOVBE, LAYOUT_M_R, OPCODE_NO_REP},
	/* MOVDIRI */
	[0xf9] = {INSN_MOV, LAYOUT_M_R, OPCODE_NEVER_16 | OPCODE_NO_66 | OPCODE_NO_REP},
};

#define ALU_GROUP(layout, flags) \
	{ \
		{INSN_ADD, layout, (flags) | L}, {INSN_OR, layout, (flags) | L}, \
			{INSN_ADC, layout, (flags) | L}, {INSN_SBB, layout, (flags) | L}, \
			{INSN_AND, layout, (flags) | L}, {INSN_SUB, layout, (flags) | L}, \
			{INSN_XOR, layout, (flags) | L}, \
		{ \
			INSN_CMP, layout, flags \
		} \
	}

#define SHIFT_GROUP(layout, flags) \
	{ \
		{INSN_ROL, layout, flags}, {INSN_ROR, layout, flags}, {INSN_RCL, layout, flags}, \
			{INSN_RCR, layout, flags}, {INSN_SHL, layout, flags}, \
			{INSN_SHR, layout, flags}, {INSN_SHL, layout, flags}, \
		{ \
			INSN_SAR, layout, flags \
		} \
	}

#define UNARY_GROUP(flags) \
	{ \
		{INSN_TEST, LAYOUT_M_I, flags}, {INSN_TEST, LAYOUT_M_I, flags}, \
			{INSN_NOT, LAYOUT_M, (flags) | L}, \
		{ \
			INSN_NEG, LAYOUT_M, (flags) | L \
		} \
	}

const struct insn_opcode insn_groups[N_GROUPS][8] = {
	[GROUP_ALU_BYTE] = ALU_GROUP(LAYOUT_M_I, B),
	[GROUP_ALU_OLD] = ALU_GROUP(LAYOUT_M_I, B | OPCODE_NOT_64),
	[GROUP_ALU_FULL] = ALU_GROUP(LAYOUT_M_I, 0),
	[GROUP_ALU_SHORT] = ALU_GROUP(LAYOUT_M_I8, 0),
	[GROUP_SHIFT_BYTE_IMM] = SHIFT_GROUP(LAYOUT_M_I8, B),
	[GROUP_SHIFT_FULL_IMM] = SHIFT_GROUP(LAYOUT_M_I8, 0),
	[GROUP_SHIFT_BYTE_1] = SHIFT_GROUP(LAYOUT_M_1, B),
	[GROUP_SHIFT_FULL_1] = SHIFT_GROUP(LAYOUT_M_1, 0),
	[GROUP_SHIFT_BYTE_CL] = SHIFT_GROUP(LAYOUT_M_CL, B),
	[GROUP_SHIFT_FULL_CL] = SHIFT_GROUP(LAYOUT_M_CL, 0),
	[GROUP_POP] = {[0] = {INSN_POP, LAYOUT_M, OPCODE_DEFAULT_64}},
	[GROUP_MOV_BYTE] = {[0] = {INSN_MOV, LAYOUT_M_I, B}},
	[GROUP_MOV_FULL] = {[0] = {INSN_MOV, LAYOUT_M_I, 0}},
	[GROUP_UNARY_BYTE] = UNARY_GROUP(B),
	[GROUP_UNARY_FULL] = UNARY_GROUP(0),
	[GROUP_INC_BYTE] = {{INSN_INC, LAYOUT_M, B | L}, {INSN_DEC, LAYOUT_M, B | L}},
	[GROUP_INC_FULL] = {[0] = {INSN_INC, LAYOUT_M, L},
			    [1] = {INSN_DEC, LAYOUT_M, L},
			    [6] = {INSN_PUSH, LAYOUT_M, OPCODE_DEFAULT_64}},
	[GROUP_BIT] = {[4] = {INSN_BT, LAYOUT_M_I8, 0},
		       [5] = {INSN_BTS, LAYOUT_M_I8, L},
		       [6] = {INSN_BTR, LAYOUT_M_I8, L},
		       [7] = {INSN_BTC, LAYOUT_M_I8, L}},
	[GROUP_CMPXCHG8B] = {[1] = {INSN_CMPXCHG8B, LAYOUT_M, OPCODE_ALWAYS_8 | L}},
};
