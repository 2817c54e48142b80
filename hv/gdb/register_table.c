/* SPDX-License-Identifier: BSD-2-Clause */
/* Which registers gdb sees, and how they are described to it. */
#include "hv/gdb/registers.h"
#include "hv/lib/regs.h"
#include "hv/lib/string.h"
#include "hv/vmx/vmcs.h"

#define GENERAL(name, index) \
	{ \
		name, NULL, 8, GDB_GENERAL, index, NULL \
	}
#define SELECTOR(name, segment) \
	{ \
		name, NULL, 4, GDB_SELECTOR, segment, NULL \
	}
#define X87(n) \
	{ \
		"st" #n, "i387_ext", 10, GDB_X87, n, NULL \
	}
#define WORD(name, kind, at) \
	{ \
		name, NULL, 4, kind, at, "float" \
	}
#define XMM(n) \
	{ \
		"xmm" #n, "vec128", 16, GDB_XMM, n, NULL \
	}
#define SYSTEM(name, kind, index) \
	{ \
		name, NULL, 8, kind, index, "system" \
	}

/* gdb has fixed numbers for those of "core" and "sse". */
const struct gdb_register gdb_registers[] = {
	GENERAL("rax", RAX),
	GENERAL("rbx", RBX),
	GENERAL("rcx", RCX),
	GENERAL("rdx", RDX),
	GENERAL("rsi", RSI),
	GENERAL("rdi", RDI),
	{"rbp", "data_ptr", 8, GDB_GENERAL, RBP, NULL},
	{"rsp", "data_ptr", 8, GDB_GENERAL, RSP, NULL},
	GENERAL("r8", R8),
	GENERAL("r9", R9),
	GENERAL("r10", R10),
	GENERAL("r11", R11),
	GENERAL("r12", R12),
	GENERAL("r13", R13),
	GENERAL("r14", R14),
	GENERAL("r15", R15),
	{"rip", "code_ptr", 8, GDB_RIP, 0, NULL},
	{"eflags", "i386_eflags", 4, GDB_RFLAGS, 0, NULL},
	SELECTOR("cs", SEG_CS),
	SELECTOR("ss", SEG_SS),
	SELECTOR("ds", SEG_DS),
	SELECTOR("es", SEG_ES),
	SELECTOR("fs", SEG_FS),
	SELECTOR("gs", SEG_GS),
	X87(0),
	X87(1),
	X87(2),
	X87(3),
	X87(4),
	X87(5),
	X87(6),
	X87(7),
	WORD("fctrl", GDB_X87_WORD, 0),
	WORD("fstat", GDB_X87_WORD, 2),
	WORD("ftag", GDB_X87_TAGS, 0),
	WORD("fiseg", GDB_X87_NONE, 0),
	WORD("fioff", GDB_X87_NONE, 0),
	WORD("foseg", GDB_X87_NONE, 0),
	WORD("fooff", GDB_X87_NONE, 0),
	WORD("fop", GDB_X87_WORD, 6),
	XMM(0),
	XMM(1),
	XMM(2),
	XMM(3),
	XMM(4),
	XMM(5),
	XMM(6),
	XMM(7),
	XMM(8),
	XMM(9),
	XMM(10),
	XMM(11),
	XMM(12),
	XMM(13),
	XMM(14),
	XMM(15),
	{"mxcsr", "i386_mxcsr", 4, GDB_MXCSR, 0, "vector"},
	{"fs_base", NULL, 8, GDB_BASE, SEG_FS, NULL},
	{"gs_base", NULL, 8, GDB_BASE, SEG_GS, NULL},
	SYSTEM("k_gs_base", GDB_KERNEL_GS_BASE, 0),
	SYSTEM("cr0", GDB_CONTROL, 0),
	SYSTEM("cr2", GDB_CONTROL, 2),
	SYSTEM("cr3", GDB_CONTROL, 3),
	SYSTEM("cr4", GDB_CONTROL, 4),
	SYSTEM("cr8", GDB_CONTROL, 8),
	SYSTEM("efer", GDB_EFER, 0),
};
const unsigned gdb_n_registers = ARRAY_SIZE(gdb_registers);

/* A feature begins with the register of this name. Its types are defined before its registers. */
struct feature {
	const char *first, *name;
	const char *const *types;
};

static const char *const core_types[] = {
	"<flags id=\"i386_eflags\" size=\"4\">",
	"<field name=\"CF\" start=\"0\" end=\"0\"/><field name=\"\" start=\"1\" end=\"1\"/>",
	"<field name=\"PF\" start=\"2\" end=\"2\"/><field name=\"AF\" start=\"4\" end=\"4\"/>",
	"<field name=\"ZF\" start=\"6\" end=\"6\"/><field name=\"SF\" start=\"7\" end=\"7\"/>",
	"<field name=\"TF\" start=\"8\" end=\"8\"/><field name=\"IF\" start=\"9\" end=\"9\"/>",
	"<field name=\"DF\" start=\"10\" end=\"10\"/><field name=\"OF\" start=\"11\" end=\"11\"/>",
	"<field name=\"NT\" start=\"14\" end=\"14\"/><field name=\"RF\" start=\"16\" end=\"16\"/>",
	"<field name=\"VM\" start=\"17\" end=\"17\"/><field name=\"AC\" start=\"18\" end=\"18\"/>",
	"<field name=\"VIF\" start=\"19\" end=\"19\"/><field name=\"VIP\" start=\"20\" "
	"end=\"20\"/>",
	"<field name=\"ID\" start=\"21\" end=\"21\"/></flags>",
	NULL,
};

static const char *const sse_types[] = {
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>",
	"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>",
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>",
	"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>",
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>",
	"<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>",
	"<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>",
	"<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>",
	"<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>",
	"<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" "
	"type=\"uint128\"/></union>",
	"<flags id=\"i386_mxcsr\" size=\"4\">",
	"<field name=\"IE\" start=\"0\" end=\"0\"/><field name=\"DE\" start=\"1\" end=\"1\"/>",
	"<field name=\"ZE\" start=\"2\" end=\"2\"/><field name=\"OE\" start=\"3\" end=\"3\"/>",
	"<field name=\"UE\" start=\"4\" end=\"4\"/><field name=\"PE\" start=\"5\" end=\"5\"/>",
	"<field name=\"DAZ\" start=\"6\" end=\"6\"/><field name=\"IM\" start=\"7\" end=\"7\"/>",
	"<field name=\"DM\" start=\"8\" end=\"8\"/><field name=\"ZM\" start=\"9\" end=\"9\"/>",
	"<field name=\"OM\" start=\"10\" end=\"10\"/><field name=\"UM\" start=\"11\" end=\"11\"/>",
	"<field name=\"PM\" start=\"12\" end=\"12\"/><field name=\"FZ\" start=\"15\" "
	"end=\"15\"/></flags>",
	NULL,
};

static const char *const no_types[] = {NULL};

static const struct feature features[] = {
	{"rax", "org.gnu.gdb.i386.core", core_types},
	{"xmm0", "org.gnu.gdb.i386.sse", sse_types},
	{"fs_base", "org.gnu.gdb.i386.segments", no_types},
	{"k_gs_base", "org.stencil.system", no_types},
};

static void begin_feature(struct gdb_window *window, const struct feature *feature)
{
	gdb_show(window, "%s<feature name=\"%s\">\n", feature == features ? "" : "</feature>\n",
		 feature->name);
	for (const char *const *line = feature->types; *line != NULL; line++)
		gdb_show(window, "%s\n", *line);
}

static const char *type_of(const struct gdb_register *reg)
{
	if (reg->type != NULL)
		return reg->type;
	return reg->size == 8 ? "int64" : "int32";
}

static void describe(struct gdb_window *window, const struct gdb_register *reg)
{
	gdb_show(window, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"", reg->name, reg->size * 8U,
		 type_of(reg));
	if (reg->group != NULL)
		gdb_show(window, " group=\"%s\"", reg->group);
	gdb_show(window, "/>\n");
}

void gdb_describe_registers(struct gdb_window *window)
{
	const struct feature *next = features;

	gdb_show(window, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
			 "<target><architecture>i386:x86-64</architecture>\n");
	for (unsigned i = 0; i < gdb_n_registers; i++) {
		const struct gdb_register *reg = &gdb_registers[i];

		if (next < features + ARRAY_SIZE(features) && strcmp(next->first, reg->name) == 0)
			begin_feature(window, next++);
		describe(window, reg);
	}
	gdb_show(window, "</feature></target>\n");
}
