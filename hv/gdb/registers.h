/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/gdb/text.h"
#include "hv/lib/status.h"

struct vcpu;

/*
 * The registers as gdb numbers them, and their description for it: "Debugging with GDB", appendix
 * "Target Descriptions".
 */
enum gdb_register_kind {
	GDB_GENERAL, /* 'index' as in hv/lib/regs.h */
	GDB_RIP,
	GDB_RFLAGS,
	GDB_SELECTOR, /* 'index' of enum segment */
	GDB_BASE,     /* the same */
	GDB_X87,      /* 'index' 0 to 7 */
	GDB_X87_WORD, /* of the FXSAVE area, at byte 'index' */
	GDB_X87_TAGS,
	GDB_X87_NONE, /* kept by no processor in 64-bit mode: 0 */
	GDB_XMM,
	GDB_MXCSR,
	GDB_CONTROL, /* CR0, 2, 3, 4, 8 */
	GDB_EFER,
	GDB_KERNEL_GS_BASE,
};

struct gdb_register {
	const char *name, *type; /* of gdb; NULL: an integer */
	uint8_t size;		 /* bytes */
	uint8_t kind;		 /* enum gdb_register_kind */
	uint8_t index;
	const char *group; /* of gdb; NULL: by type */
};

enum { GDB_REGISTER_MAX = 16 }; /* bytes of one */
extern const struct gdb_register gdb_registers[];
extern const unsigned gdb_n_registers;

/* Show target.xml. */
void gdb_describe_registers(struct gdb_window *window);

/*
 * Get or set a register of a vCPU that is not loaded, and whose state is its own (vcpu_keep()).
 * ERR_UNSUPPORTED: it cannot be set.
 */
void gdb_get_register(const struct vcpu *vcpu, const struct gdb_register *reg,
		      uint8_t ret[GDB_REGISTER_MAX]);
enum status gdb_set_register(struct vcpu *vcpu, const struct gdb_register *reg,
			     const uint8_t value[GDB_REGISTER_MAX]);
