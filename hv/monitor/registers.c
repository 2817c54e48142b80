/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers as text, in QEMU's layout for processors in 64-bit mode, whatever mode they are in. */
#include "hv/monitor/registers.h"

#include "hv/lib/print.h"

#define U64(v) ((unsigned long long)(v))

struct to {
	info_emit *emit;
	void *context;
};

__attribute__((format(printf, 2, 3))) static void say(const struct to *to, const char *fmt, ...)
{
	char line[160];
	va_list args;

	va_start(args, fmt);
	format_v(line, sizeof(line), fmt, args);
	va_end(args);
	to->emit(to->context, line);
}

static void say_general(const uint64_t *gpr, const struct to *to)
{
	say(to, "RAX=%016llx RBX=%016llx RCX=%016llx RDX=%016llx", U64(gpr[RAX]), U64(gpr[RBX]),
	    U64(gpr[RCX]), U64(gpr[RDX]));
	say(to, "RSI=%016llx RDI=%016llx RBP=%016llx RSP=%016llx", U64(gpr[RSI]), U64(gpr[RDI]),
	    U64(gpr[RBP]), U64(gpr[RSP]));
	say(to, "R8 =%016llx R9 =%016llx R10=%016llx R11=%016llx", U64(gpr[R8]), U64(gpr[R9]),
	    U64(gpr[R10]), U64(gpr[R11]));
	say(to, "R12=%016llx R13=%016llx R14=%016llx R15=%016llx", U64(gpr[R12]), U64(gpr[R13]),
	    U64(gpr[R14]), U64(gpr[R15]));
}

static char flag(const struct dump_cpu *cpu, unsigned bit, char letter)
{
	return cpu->rflags & BIT(bit) ? letter : '-';
}

static void say_flags(const struct dump_cpu *cpu, bool is_halted, const struct to *to)
{
	say(to, "RIP=%016llx RFL=%08llx [%c%c%c%c%c%c%c] CPL=%u HLT=%u", U64(cpu->rip),
	    U64(cpu->rflags), flag(cpu, 10, 'D'), flag(cpu, 11, 'O'), flag(cpu, 7, 'S'),
	    flag(cpu, 6, 'Z'), flag(cpu, 4, 'A'), flag(cpu, 2, 'P'), flag(cpu, 0, 'C'),
	    cpu->segment[DUMP_SS].rights >> 5 & 3, is_halted);
}

static void say_segment(const char *name, const struct dump_segment *segment, const struct to *to)
{
	say(to, "%-3s=%04x %016llx %08x %08x", name, segment->selector, U64(segment->base),
	    segment->limit, (segment->rights & 0xf0ff) << 8);
}

static void say_table(const char *name, const struct dump_segment *table, const struct to *to)
{
	say(to, "%s=     %016llx %08x", name, U64(table->base), table->limit);
}

void cpu_text(const struct dump_cpu *cpu, unsigned index, bool is_halted, info_emit *emit,
	      void *context)
{
	static const char names[N_DUMP_SEGMENTS][4] = {"ES", "CS", "SS",  "DS",
						       "FS", "GS", "LDT", "TR"};
	struct to to = {emit, context};

	say(&to, "CPU#%u", index);
	say_general(cpu->gpr, &to);
	say_flags(cpu, is_halted, &to);
	for (unsigned i = 0; i < N_DUMP_SEGMENTS; i++)
		say_segment(names[i], &cpu->segment[i], &to);
	say_table("GDT", &cpu->gdt, &to);
	say_table("IDT", &cpu->idt, &to);
	say(&to, "CR0=%08llx CR2=%016llx CR3=%016llx CR4=%08llx", U64(cpu->cr[0]), U64(cpu->cr[2]),
	    U64(cpu->cr[3]), U64(cpu->cr[4]));
}
