/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/insn.h"

/* What the decoder knows about opcodes. Private to the decoder. */

/* The layout of the bytes after an opcode, and the operands they encode. */
enum insn_layout {
	LAYOUT_NONE,   /* not in the set */
	LAYOUT_GROUP,  /* ModRM's reg field chooses: 'flags' is an enum insn_group */
	LAYOUT_M,      /* ModRM, memory only */
	LAYOUT_M_R,    /* ModRM, memory first */
	LAYOUT_R_M,    /* ModRM, register first */
	LAYOUT_M_R_I8, /* ModRM, memory first, immediate as in LAYOUT_M_I8 */
	LAYOUT_M_R_CL, /* ModRM, memory first, CL */
	LAYOUT_M_I,    /* ModRM, immediate of the operand's size, 4 bytes at most */
	LAYOUT_M_I8,   /* ModRM, immediate of one byte, sign-extended */
	LAYOUT_M_1,    /* ModRM, the number 1 */
	LAYOUT_M_CL,   /* ModRM, CL */
	LAYOUT_A_O,    /* accumulator from an absolute offset */
	LAYOUT_O_A,    /* no bytes follow */
	LAYOUT_STRING, /* nothing follows */
};

enum insn_group {
	GROUP_ALU_BYTE,	 /* 80 */
	GROUP_ALU_OLD,	 /* 82: the copy of 80 that 64-bit mode does not have */
	GROUP_ALU_FULL,	 /* 81 */
	GROUP_ALU_SHORT, /* 83 */
	GROUP_SHIFT_BYTE_IMM,
	GROUP_SHIFT_FULL_IMM,
	GROUP_SHIFT_BYTE_1,
	GROUP_SHIFT_FULL_1,
	GROUP_SHIFT_BYTE_CL,
	GROUP_SHIFT_FULL_CL,
	GROUP_POP,	  /* 8F */
	GROUP_MOV_BYTE,	  /* C6 */
	GROUP_MOV_FULL,	  /* C7 */
	GROUP_UNARY_BYTE, /* F6 */
	GROUP_UNARY_FULL, /* F7 */
	GROUP_INC_BYTE,	  /* FE */
	GROUP_INC_FULL,	  /* FF */
	GROUP_BIT,	  /* 0F BA */
	GROUP_CMPXCHG8B,  /* 0F C7 */
	N_GROUPS,
};

/* Sizes. Without a flag, prefixes and mode give the operand's size, which is also memory's. */
#define OPCODE_BYTE	  0x01	/* operands of one byte */
#define OPCODE_MEMORY_8	  0x02	/* a memory operand of one byte */
#define OPCODE_MEMORY_16  0x04	/* ... of two */
#define OPCODE_MEMORY_32  0x08	/* ... of four, or two with a 16-bit operand size */
#define OPCODE_DEFAULT_64 0x10	/* in 64-bit mode eight bytes without a prefix, never four */
#define OPCODE_ALWAYS_8	  0x20	/* always eight bytes; with REX.W a different instruction */
#define OPCODE_NEVER_16	  0x800 /* four bytes where prefixes and mode would give two */
/* Prefixes and modes. */
#define OPCODE_LOCK    0x040 /* LOCK is allowed */
#define OPCODE_NO_66   0x080 /* an operand-size prefix makes another instruction, or none */
#define OPCODE_NO_REP  0x100 /* so do F2 and F3 */
#define OPCODE_ONLY_64 0x200
#define OPCODE_NOT_64  0x400

struct insn_opcode {
	enum insn_op op;
	enum insn_layout layout;
	uint16_t flags;
};

extern const struct insn_opcode insn_map_1[256];    /* one byte */
extern const struct insn_opcode insn_map_0f[256];   /* after 0F */
extern const struct insn_opcode insn_map_0f38[256]; /* after 0F 38 */
extern const struct insn_opcode insn_groups[N_GROUPS][8];
