/* SPDX-License-Identifier: BSD-2-Clause */
/* Core files, read by means of <elf.h>, readelf and gdb. */
#define _GNU_SOURCE /* memmem() */
#include "hv/monitor/dump.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/region_map.h"
#include "tests/unit/support.h"

#define IMAGE	 MIB(2)
#define FRAMES	 (IMAGE + MIB(2))
#define N_FRAMES 256
#define N_CPUS	 2

static const struct image image = {.base = IMAGE, .size = MIB(2)};
static const struct backend kept = {.id = "kept", .dump = true}, left_out = {.id = "out"};
static struct ept ept;
static struct mem_map map;
static struct guest_memory memory = {.ept = &ept, .map = &map};
static struct dump_cpu cpus[N_CPUS];
static const struct dump dump = {&memory, cpus, N_CPUS};
static uint8_t *core;

static void add(uint64_t gpa, uint64_t len, const struct backend *backend, const struct image *from)
{
	struct mem_region region = {.gpa = {gpa},
				    .len = len,
				    .kind = from ? MEM_ROM : MEM_COW,
				    .image = from,
				    .backend = backend};

	assert_int_equal(mem_map_add(&map, &region), OK);
	assert_int_equal(region_map(&ept, &region), OK);
}

static void fill_cpu(struct dump_cpu *cpu, uint64_t seed)
{
	uint64_t *words = (uint64_t *)cpu;

	for (size_t i = 0; i < sizeof(*cpu) / 8; i++)
		words[i] = seed + i;
	for (size_t i = 0; i < N_DUMP_SEGMENTS; i++)
		cpu->segment[i] = (struct dump_segment){(uint32_t)(seed + i) & 0xfff8, 0xfffff,
							0xa09b, seed + i};
}

/* RAM of two regions, RAM that is left out, ROM after it, RAM above 4 GiB. */
static int setup(void **state)
{
	frame_reset();
	memset(&map, 0, sizeof(map));
	uint8_t *bytes = phys_arena(IMAGE, MIB(4));

	for (uint64_t i = 0; i < MIB(2); i++)
		bytes[i] = (uint8_t)(i * 7 + (i >> 12) + 1);
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	assert_int_equal(ept_init(&ept, 2, EPT_UNLIMITED), OK);
	add(0, KIB(64), NULL, NULL);
	add(KIB(64), KIB(64), &kept, NULL);
	add(KIB(128), KIB(32), &left_out, NULL);
	add(KIB(160), KIB(64), &kept, &image);
	add(GIB(4), KIB(16), &kept, NULL);
	assert_int_equal(guest_write(&memory, (gpa_t){0x4ff8}, "over two pages", 15), OK);
	assert_int_equal(guest_write(&memory, (gpa_t){KIB(128)}, "a secret", 8), OK);
	assert_int_equal(guest_write(&memory, (gpa_t){GIB(4) + 0x3ff8}, "the end", 8), OK);
	fill_cpu(&cpus[0], 0x1000);
	fill_cpu(&cpus[1], 0x2000);
	core = malloc(dump_size(&dump));
	assert_non_null(core);
	dump_write_head(&dump, core);
	for (uint64_t at = dump_head_size(&dump); at < dump_size(&dump); at += PAGE_SIZE)
		dump_read_page(&dump, at, core + at);
	return 0;
}

static int teardown(void **state)
{
	free(core);
	ept_destroy(&ept);
	return 0;
}

static const Elf64_Phdr *program(unsigned n)
{
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)core;

	assert_in_range(n, 0, head->e_phnum - 1);
	return (const Elf64_Phdr *)(core + head->e_phoff) + n;
}

static void the_head_is_that_of_a_core_file(void **state)
{
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)core;

	assert_memory_equal(head->e_ident, ELFMAG, SELFMAG);
	assert_int_equal(head->e_ident[EI_CLASS], ELFCLASS64);
	assert_int_equal(head->e_ident[EI_DATA], ELFDATA2LSB);
	assert_int_equal(head->e_type, ET_CORE);
	assert_int_equal(head->e_machine, EM_X86_64);
	assert_int_equal(head->e_phentsize, sizeof(Elf64_Phdr));
	assert_int_equal(head->e_phnum, 5);
	assert_int_equal(head->e_shnum, 0);
}

static void contiguous_memory_is_one_segment(void **state)
{
	static const struct {
		uint64_t gpa, len;
		bool is_dumped;
	} want[] = {
		{0, KIB(128), true},
		{KIB(128), KIB(32), false},
		{KIB(160), KIB(64), true},
		{GIB(4), KIB(16), true},
	};
	uint64_t offset = dump_head_size(&dump);

	for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
		const Elf64_Phdr *load = program(i + 1);

		assert_int_equal(load->p_type, PT_LOAD);
		assert_int_equal(load->p_paddr, want[i].gpa);
		assert_int_equal(load->p_vaddr, want[i].gpa);
		assert_int_equal(load->p_memsz, want[i].len);
		assert_int_equal(load->p_filesz, want[i].is_dumped ? want[i].len : 0);
		assert_int_equal(load->p_offset, offset);
		offset += load->p_filesz;
	}
	assert_int_equal(offset, dump_size(&dump));
}

static void memory_is_there_but_for_what_is_left_out(void **state)
{
	for (unsigned i = 1; i < 5; i++) {
		const Elf64_Phdr *load = program(i);
		uint8_t page[PAGE_SIZE];

		for (uint64_t at = 0; at < load->p_filesz; at += PAGE_SIZE) {
			gpa_t gpa = {load->p_paddr + at};

			assert_int_equal(guest_read(&memory, gpa, page, PAGE_SIZE), OK);
			assert_memory_equal(core + load->p_offset + at, page, PAGE_SIZE);
		}
	}
	assert_null(memmem(core, dump_size(&dump), "a secret", 8));
	assert_non_null(memmem(core, dump_size(&dump), "over two pages", 14));
}

/* The n-th note, which must be of this type and size. */
static const void *note(unsigned n, const char *name, uint32_t type, size_t size)
{
	const Elf64_Phdr *notes = program(0);
	const uint8_t *at = core + notes->p_offset, *end = at + notes->p_filesz;

	assert_int_equal(notes->p_type, PT_NOTE);
	for (;; n--) {
		const Elf64_Nhdr *head = (const Elf64_Nhdr *)at;

		assert_true(at + sizeof(*head) + 8 + head->n_descsz <= end);
		assert_int_equal(head->n_namesz, 5);
		at += sizeof(*head) + 8;
		if (n == 0) {
			assert_string_equal((const char *)(at - 8), name);
			assert_int_equal(head->n_type, type);
			assert_int_equal(head->n_descsz, size);
			return at;
		}
		at += head->n_descsz;
	}
}

static void registers_are_in_the_notes(void **state)
{
	for (unsigned i = 0; i < N_CPUS; i++) {
		const struct dump_cpu *cpu = &cpus[i];
		struct elf_prstatus status;
		struct user_regs_struct regs;

		memcpy(&status, note(i, "CORE", NT_PRSTATUS, sizeof(status)), sizeof(status));
		memcpy(&regs, status.pr_reg, sizeof(regs));
		assert_int_equal(status.pr_pid, i + 1);
		assert_int_equal(regs.rax, cpu->gpr[RAX]);
		assert_int_equal(regs.rbx, cpu->gpr[RBX]);
		assert_int_equal(regs.rcx, cpu->gpr[RCX]);
		assert_int_equal(regs.rdx, cpu->gpr[RDX]);
		assert_int_equal(regs.rsi, cpu->gpr[RSI]);
		assert_int_equal(regs.rdi, cpu->gpr[RDI]);
		assert_int_equal(regs.rbp, cpu->gpr[RBP]);
		assert_int_equal(regs.rsp, cpu->gpr[RSP]);
		assert_int_equal(regs.r8, cpu->gpr[R8]);
		assert_int_equal(regs.r9, cpu->gpr[R9]);
		assert_int_equal(regs.r10, cpu->gpr[R10]);
		assert_int_equal(regs.r11, cpu->gpr[R11]);
		assert_int_equal(regs.r12, cpu->gpr[R12]);
		assert_int_equal(regs.r13, cpu->gpr[R13]);
		assert_int_equal(regs.r14, cpu->gpr[R14]);
		assert_int_equal(regs.r15, cpu->gpr[R15]);
		assert_int_equal(regs.rip, cpu->rip);
		assert_int_equal(regs.eflags, cpu->rflags);
		assert_int_equal(regs.cs, cpu->segment[DUMP_CS].selector);
		assert_int_equal(regs.ss, cpu->segment[DUMP_SS].selector);
		assert_int_equal(regs.ds, cpu->segment[DUMP_DS].selector);
		assert_int_equal(regs.es, cpu->segment[DUMP_ES].selector);
		assert_int_equal(regs.fs, cpu->segment[DUMP_FS].selector);
		assert_int_equal(regs.gs, cpu->segment[DUMP_GS].selector);
		assert_int_equal(regs.fs_base, cpu->segment[DUMP_FS].base);
		assert_int_equal(regs.gs_base, cpu->segment[DUMP_GS].base);
	}
}

/* In 64-bit words: version and size, then general registers and segments. */
static void qemus_state_is_in_the_notes(void **state)
{
	static const uint8_t order[] = {RAX, RBX, RCX, RDX, RSI, RDI, RSP, RBP,
					R8,  R9,  R10, R11, R12, R13, R14, R15};
	static const uint8_t segments[] = {DUMP_CS, DUMP_DS, DUMP_ES,	DUMP_FS,
					   DUMP_GS, DUMP_SS, DUMP_LDTR, DUMP_TR};

	for (unsigned i = 0; i < N_CPUS; i++) {
		const struct dump_cpu *cpu = &cpus[i];
		uint64_t words[55];

		memcpy(words, note(N_CPUS + i, "QEMU", 0, sizeof(words)), sizeof(words));
		assert_int_equal(words[0], 1 | sizeof(words) << 32);
		for (unsigned r = 0; r < 16; r++)
			assert_int_equal(words[1 + r], cpu->gpr[order[r]]);
		assert_int_equal(words[17], cpu->rip);
		assert_int_equal(words[18], cpu->rflags);
		for (unsigned s = 0; s < ARRAY_SIZE(segments); s++) {
			const struct dump_segment *segment = &cpu->segment[segments[s]];

			assert_int_equal(words[19 + 3 * s],
					 segment->selector | (uint64_t)segment->limit << 32);
			assert_int_equal(words[20 + 3 * s], 0xa09b00);
			assert_int_equal(words[21 + 3 * s], segment->base);
		}
		assert_int_equal(words[45], cpu->gdt.base);
		assert_int_equal(words[48], cpu->idt.base);
		for (unsigned c = 0; c < 5; c++)
			assert_int_equal(words[49 + c], cpu->cr[c]);
		assert_int_equal(words[54], cpu->kernel_gs_base);
	}
}

/* The output of a command that reads the file must match all patterns. */
static void says(const char *path, const char *command, const char *const patterns[])
{
	char line[512];

	for (; *patterns; patterns++) {
		snprintf(line, sizeof(line), command, path);
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " 2>&1 | grep -qE '%s'",
			 *patterns);
		if (system(line) != 0)
			fail_msg("%s", line);
	}
}

static void the_tools_can_read_it(void **state)
{
	static const char *const of_readelf[] = {"CORE +0x00000150.NT_PRSTATUS", "QEMU +0x000001b8",
						 NULL};
	static const char *const of_gdb[] = {"^rip +0x1010 ", "\"over two pages\"",
					     "0x100003ff8:.*\"the end\"", "2 +LWP 2", NULL};
	char path[] = "/tmp/stencil-core.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, core, dump_size(&dump)), dump_size(&dump));
	close(fd);
	says(path, "readelf -n %s", of_readelf);
	says(path,
	     "gdb -nx -batch -ex 'info registers' -ex 'x/s 0x4ff8' -ex 'x/s 0x100003ff8' "
	     "-ex 'info threads' -c %s",
	     of_gdb);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_is_that_of_a_core_file),
		cmocka_unit_test(contiguous_memory_is_one_segment),
		cmocka_unit_test(memory_is_there_but_for_what_is_left_out),
		cmocka_unit_test(registers_are_in_the_notes),
		cmocka_unit_test(qemus_state_is_in_the_notes),
		cmocka_unit_test(the_tools_can_read_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
