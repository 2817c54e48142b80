/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Core files of VMs, page by page. Sources: the ELF-64 object file format, the System V ABI's AMD64
 * supplement for the order of registers, and QEMU's documentation of its notes. Memory is only
 * read.
 */
#include "hv/monitor/dump.h"

#include "hv/lib/assert.h"
#include "hv/lib/string.h"

enum {
	ELF_HEAD_SIZE = 64,
	ELF_PROGRAM_SIZE = 56,
	ELF_CORE = 4,
	ELF_X86_64 = 62,
	PT_LOAD = 1,
	PT_NOTE = 4,
	PF_ALL = 7,
	NT_PRSTATUS = 1,
	NT_QEMU = 0,
	QEMU_STATE_VERSION = 1,
};

struct elf_head {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_head) == ELF_HEAD_SIZE, "ELF-64");

struct elf_program {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf_program) == ELF_PROGRAM_SIZE, "ELF-64");

struct note_head {
	uint32_t name_len, len, type;
	char name[8]; /* 5 bytes with the NUL, padded */
};

/* Linux's struct elf_prstatus, mostly unused. */
struct prstatus {
	struct note_head head;
	uint8_t unused1[32];
	uint32_t pid;
	uint8_t unused2[76];
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax;
	uint64_t rip, cs, rflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
	uint64_t unused3;
} __attribute__((packed));
_Static_assert(sizeof(struct prstatus) == sizeof(struct note_head) + 336, "System V ABI");

struct qemu_segment {
	uint32_t selector, limit, flags, unused;
	uint64_t base;
};

struct qemu_state {
	struct note_head head;
	uint32_t version, size;
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags;
	struct qemu_segment cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt;
	uint64_t cr[5];
	uint64_t kernel_gs_base;
} __attribute__((packed));
_Static_assert(sizeof(struct qemu_state) == sizeof(struct note_head) + 440, "QEMU");

/* Contiguous regions that are either all dumped or all left out. */
struct stretch {
	gpa_t gpa;
	uint64_t len;
	bool is_dumped;
};

static bool is_dumped(const struct mem_region *region)
{
	return region->backend == NULL || region->backend->dump;
}

/* The stretch that begins with region '*i', which moves past the stretch. False: none is left. */
static bool next_stretch(const struct mem_map *map, size_t *i, struct stretch *ret)
{
	const struct mem_region *region = &map->region[*i];

	if (*i == map->n)
		return false;
	*ret = (struct stretch){region->gpa, region->len, is_dumped(region)};
	for ((*i)++, region++; *i < map->n; (*i)++, region++) {
		if (region->gpa.raw != ret->gpa.raw + ret->len ||
		    is_dumped(region) != ret->is_dumped)
			break;
		ret->len += region->len;
	}
	return true;
}

static size_t notes_size(const struct dump *dump)
{
	return dump->n_cpus * (sizeof(struct prstatus) + sizeof(struct qemu_state));
}

/* Including the header for the notes. */
static size_t count_programs(const struct dump *dump)
{
	struct stretch stretch;
	size_t n = 1;

	for (size_t i = 0; next_stretch(dump->memory->map, &i, &stretch);)
		n++;
	return n;
}

size_t dump_head_size(const struct dump *dump)
{
	size_t n_programs = count_programs(dump);

	return align_up(ELF_HEAD_SIZE + n_programs * ELF_PROGRAM_SIZE + notes_size(dump),
			PAGE_SIZE);
}

uint64_t dump_size(const struct dump *dump)
{
	uint64_t size = dump_head_size(dump);
	struct stretch stretch;

	for (size_t i = 0; next_stretch(dump->memory->map, &i, &stretch);)
		size += stretch.is_dumped ? stretch.len : 0;
	return size;
}

static void *write_elf_head(const struct dump *dump, void *to)
{
	struct elf_head head = {
		.ident = {0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little-endian */, 1},
		.type = ELF_CORE,
		.machine = ELF_X86_64,
		.version = 1,
		.phoff = ELF_HEAD_SIZE,
		.ehsize = ELF_HEAD_SIZE,
		.phentsize = ELF_PROGRAM_SIZE,
		.phnum = (uint16_t)count_programs(dump),
	};

	memcpy(to, &head, sizeof(head));
	return (char *)to + sizeof(head);
}

static void *write_program(const struct elf_program *program, void *to)
{
	memcpy(to, program, sizeof(*program));
	return (char *)to + sizeof(*program);
}

static void *write_programs(const struct dump *dump, void *to)
{
	uint64_t offset = dump_head_size(dump);
	struct stretch stretch;

	to = write_program(&(struct elf_program){.type = PT_NOTE,
						 .offset = ELF_HEAD_SIZE +
							   count_programs(dump) * ELF_PROGRAM_SIZE,
						 .filesz = notes_size(dump),
						 .memsz = notes_size(dump)},
			   to);
	for (size_t i = 0; next_stretch(dump->memory->map, &i, &stretch);) {
		uint64_t size = stretch.is_dumped ? stretch.len : 0;

		to = write_program(&(struct elf_program){.type = PT_LOAD,
							 .flags = PF_ALL,
							 .offset = offset,
							 .vaddr = stretch.gpa.raw,
							 .paddr = stretch.gpa.raw,
							 .filesz = size,
							 .memsz = stretch.len},
				   to);
		offset += size;
	}
	return to;
}

static void *write_prstatus(const struct dump_cpu *cpu, uint32_t pid, void *to)
{
	const uint64_t *gpr = cpu->gpr;
	const struct dump_segment *segment = cpu->segment;
	struct prstatus note = {
		.head = {5, sizeof(note) - sizeof(note.head), NT_PRSTATUS, "CORE"},
		.pid = pid,
		.r15 = gpr[R15],
		.r14 = gpr[R14],
		.r13 = gpr[R13],
		.r12 = gpr[R12],
		.r11 = gpr[R11],
		.r10 = gpr[R10],
		.r9 = gpr[R9],
		.r8 = gpr[R8],
		.rax = gpr[RAX],
		.rbx = gpr[RBX],
		.rcx = gpr[RCX],
		.rdx = gpr[RDX],
		.rsi = gpr[RSI],
		.rdi = gpr[RDI],
		.rbp = gpr[RBP],
		.rsp = gpr[RSP],
		.rip = cpu->rip,
		.rflags = cpu->rflags,
		.cs = segment[DUMP_CS].selector,
		.ss = segment[DUMP_SS].selector,
		.ds = segment[DUMP_DS].selector,
		.es = segment[DUMP_ES].selector,
		.fs = segment[DUMP_FS].selector,
		.gs = segment[DUMP_GS].selector,
		.fs_base = segment[DUMP_FS].base,
		.gs_base = segment[DUMP_GS].base,
	};

	memcpy(to, &note, sizeof(note));
	return (char *)to + sizeof(note);
}

/* QEMU's flags are the second word of a descriptor, without base and limit. */
static struct qemu_segment qemu_segment(const struct dump_segment *segment)
{
	return (struct qemu_segment){
		.selector = segment->selector,
		.limit = segment->limit,
		.flags = (segment->rights & 0xf0ff) << 8,
		.base = segment->base,
	};
}

static void *write_qemu_state(const struct dump_cpu *cpu, void *to)
{
	const uint64_t *gpr = cpu->gpr;
	const struct dump_segment *segment = cpu->segment;
	struct qemu_state note = {
		.head = {5, sizeof(note) - sizeof(note.head), NT_QEMU, "QEMU"},
		.version = QEMU_STATE_VERSION,
		.size = sizeof(note) - sizeof(note.head),
		.rax = gpr[RAX],
		.rbx = gpr[RBX],
		.rcx = gpr[RCX],
		.rdx = gpr[RDX],
		.rsi = gpr[RSI],
		.rdi = gpr[RDI],
		.rsp = gpr[RSP],
		.rbp = gpr[RBP],
		.r8 = gpr[R8],
		.r9 = gpr[R9],
		.r10 = gpr[R10],
		.r11 = gpr[R11],
		.r12 = gpr[R12],
		.r13 = gpr[R13],
		.r14 = gpr[R14],
		.r15 = gpr[R15],
		.rip = cpu->rip,
		.rflags = cpu->rflags,
		.cs = qemu_segment(&segment[DUMP_CS]),
		.ds = qemu_segment(&segment[DUMP_DS]),
		.es = qemu_segment(&segment[DUMP_ES]),
		.fs = qemu_segment(&segment[DUMP_FS]),
		.gs = qemu_segment(&segment[DUMP_GS]),
		.ss = qemu_segment(&segment[DUMP_SS]),
		.ldt = qemu_segment(&segment[DUMP_LDTR]),
		.tr = qemu_segment(&segment[DUMP_TR]),
		.gdt = qemu_segment(&cpu->gdt),
		.idt = qemu_segment(&cpu->idt),
		.kernel_gs_base = cpu->kernel_gs_base,
	};

	memcpy(note.cr, cpu->cr, sizeof(note.cr));
	memcpy(to, &note, sizeof(note));
	return (char *)to + sizeof(note);
}

void dump_write_head(const struct dump *dump, void *buf)
{
	void *to = buf;

	memset(buf, 0, dump_head_size(dump));
	to = write_elf_head(dump, to);
	to = write_programs(dump, to);
	for (unsigned i = 0; i < dump->n_cpus; i++)
		to = write_prstatus(&dump->cpus[i], i + 1, to);
	for (unsigned i = 0; i < dump->n_cpus; i++)
		to = write_qemu_state(&dump->cpus[i], to);
}

void dump_read_page(const struct dump *dump, uint64_t offset, void *buf)
{
	uint64_t at = offset - dump_head_size(dump);
	struct stretch stretch;
	enum status status = ERR_RANGE;

	for (size_t i = 0; next_stretch(dump->memory->map, &i, &stretch);) {
		uint64_t size = stretch.is_dumped ? stretch.len : 0;

		if (at < size) {
			status = guest_read(dump->memory, gpa_add(stretch.gpa, at), buf, PAGE_SIZE);
			break;
		}
		at -= size;
	}
	assert(status == OK); /* the offset is in a stretch that is dumped */
}
