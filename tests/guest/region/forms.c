/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every instruction form of the table, at every placement: run once on RAM and once with
 * the region in RAM's place, at the same virtual addresses and with the same bytes there.
 * Registers and flags must come out the same; so must memory, except that ROM keeps its own.
 * Where there is no memory, all bytes are ones, and no event can be delivered through them.
 */
#include "tests/guest/lib/form.h"
#include "tests/guest/region/region.h"

#define N_PAGES	    4
#define WORDS	    (N_PAGES * PAGE_SIZE / 8)
#define PAGE_WORDS  (PAGE_SIZE / 8)
#define SCRATCH	    0x3ff /* port of the UART's scratch register */
#define MAX_DETAILS 3

/* Where rdi points: an offset in page 1 of the window, and which pages are the region's. */
struct placement {
	const char *name;
	uint16_t offset;
	uint8_t region_pages;
};

static const struct placement placements[] = {
	{"at a page's start", 0x000, 0xf},
	{"unaligned", 0x123, 0xf},
	{"across pages by 1", 0xfff, 0xf},
	{"across pages by 5", 0xffb, 0xf},
	{"from RAM to the region, by 1", 0xfff, 0x5},
	{"from RAM to the region, by 5", 0xffb, 0x5},
	{"from the region to RAM, by 1", 0xfff, 0xa},
	{"from the region to RAM, by 5", 0xffb, 0xa},
};
#define N_PLACEMENTS (sizeof(placements) / sizeof(placements[0]))

typedef uint64_t pages[WORDS] __attribute__((aligned(4096)));
static pages before, reference, beside; /* beside: the RAM pages of a mixed placement */
static uint64_t source[1024], source_expected[1024];
static struct form_state expected;
static uint64_t next_page;

static void copy_words(uint64_t *to, const uint64_t *from, uint64_t n)
{
	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static void fill_ones(uint64_t *words)
{
	uint64_t n = WORDS;

	asm volatile("rep stosq" : "+D"(words), "+c"(n) : "a"(UINT64_MAX) : "memory");
}

static bool words_equal(const uint64_t *a, const uint64_t *b, uint64_t n)
{
	bool equal;

	asm volatile("repe cmpsq" : "+D"(a), "+S"(b), "+c"(n), "=@cce"(equal) : : "memory");
	return equal;
}

/* Both runs execute the same code for state "equal", so its origin cannot differ. */
static void start_state(uint64_t rdi)
{
	form_state = (struct form_state){
		.rax = UINT64_C(0x8182838485868780),
		.rbx = UINT64_C(0x1122334455667788),
		.rcx = 5,
		.rdx = UINT64_C(0xf0e1d2c3b4a59687),
		.rsi = (uint64_t)(uintptr_t)(source + 512),
		.rdi = rdi,
		.rbp = UINT64_C(0x0f1e2d3c4b5a6978),
		.r8 = UINT64_C(0xfedcba9876543210),
		.r9 = rdi + 0x800,
		.r10 = SCRATCH,
		.rflags = 2,
	};
	form_state.fx[0] = 0x7f; /* FCW 0x37f */
	form_state.fx[1] = 0x03;
	form_state.fx[24] = 0x80; /* MXCSR 0x1f80 */
	form_state.fx[25] = 0x1f;
	for (unsigned i = 0; i < 64; i++) /* xmm0 to xmm3 */
		form_state.fx[160 + i] = (uint8_t)(i * 37 + 0x85);
	for (unsigned i = 0; i < 1024; i++)
		source[i] = UINT64_C(0x0706050403020100) * (i + 3);
	outb(0xa7, SCRATCH);
	write_dr6(UINT64_C(0xffff0ff0));
}

static void set_gates(bool escape)
{
	static const uint8_t vectors[] = {VECTOR_DE, VECTOR_BP, VECTOR_UD, VECTOR_GP,
					  VECTOR_PF, 0x80,	0x81};

	for (unsigned i = 0; i < sizeof(vectors); i++)
		trap_gate(vectors[i], escape ? form_escape : NULL, escape && vectors[i] == 0x81);
	trap_gate(VECTOR_DB, escape ? form_escape_step : NULL, 0);
	trap_gate(0x41, escape ? form_escape_irq : NULL, 0);
}

static int run(const struct form *form, uint64_t rdi)
{
	int vector;

	start_state(rdi);
	form_code = form->code;
	if (form->kind == ESCAPES)
		set_gates(true);
	vector = catch_fault(form_run, NULL);
	if (form->kind == ESCAPES)
		set_gates(false);
	return vector;
}

/* x87 and SSE state, except the addresses of the last instruction and operand. */
static bool fx_equal(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, 5) == 0 && memcmp(a + 24, b + 24, 4) == 0 &&
	       memcmp(a + 32, b + 32, 256 + 128) == 0;
}

static const char *state_difference(const struct form *form)
{
	static const char *const names[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",
					    "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
	const uint64_t *a = &expected.rax, *b = &form_state.rax;
	uint64_t flags = 0xcd5 & ~(uint64_t)form->undefined;

	for (unsigned i = 0; i < 15; i++) {
		if (a[i] != b[i])
			return names[i];
	}
	if ((expected.rflags & flags) != (form_state.rflags & flags))
		return "flags";
	return fx_equal(expected.fx, form_state.fx) ? NULL : "x87 or SSE state";
}

static void print_words(const uint64_t *found, const uint64_t *wanted, uint64_t skip)
{
	for (uint64_t i = 0; i < PAGE_WORDS; i++) {
		if (found[i] != wanted[i])
			print("  at %#lx: %#lx, not %#lx\n", WINDOW + (skip + i) * 8, found[i],
			      wanted[i]);
	}
}

/* The page holds nothing: to read a word suffices. */
static bool reads_ones(const uint64_t *words)
{
	return *(const volatile uint64_t *)words == UINT64_MAX;
}

static bool page_equal(bool of_region, const uint64_t *found, const uint64_t *wanted)
{
	if (of_region && region.expect == EXPECT_ABSENT)
		return reads_ones(found);
	return words_equal(found, wanted, PAGE_WORDS);
}

static const char *memory_difference(const struct placement *at, uint64_t *tested)
{
	for (unsigned i = 0; i < N_PAGES; i++) {
		uint64_t skip = i * PAGE_WORDS;
		bool of_region = at->region_pages >> i & 1;
		const uint64_t *found = (of_region ? tested : beside) + skip;
		const uint64_t *wanted = reference + skip;

		if (of_region && region_drops())
			wanted = before + skip;
		if (page_equal(of_region, found, wanted))
			continue;
		print_words(found, wanted, skip);
		return of_region ? "the region" : "RAM beside it";
	}
	return words_equal(source, source_expected, 1024) ? NULL : "the source in RAM";
}

static void map_window(const struct placement *at, uint64_t *of_region, uint64_t *of_ram)
{
	for (unsigned i = 0; i < N_PAGES; i++) {
		uint64_t *from = at->region_pages >> i & 1 ? of_region : of_ram;

		window_set(i, (uint64_t)(uintptr_t)(from + i * PAGE_WORDS) | PTE_P | PTE_W);
	}
}

/* Each case uses the next pages, so that most of them have not been copied yet. */
static uint64_t *take_pages(void)
{
	if ((next_page + N_PAGES) * PAGE_SIZE > region.span)
		next_page = 0;
	next_page += N_PAGES;
	return (uint64_t *)(region.base + region.work + (next_page - N_PAGES) * PAGE_SIZE);
}

/* What is in the region: it takes an instruction for each word, which exits where it is absent. */
static void copy_before(const uint64_t *tested)
{
	if (region.expect == EXPECT_ABSENT)
		fill_ones(before);
	else
		copy_words(before, tested, WORDS);
}

/* NULL if all is well, otherwise what went wrong. */
static const char *run_case(const struct form *form, const struct placement *at)
{
	uint64_t rdi = WINDOW + PAGE_SIZE + (at->offset & ~(form->align - UINT64_C(1)));
	uint64_t *tested = take_pages();
	const char *difference;

	copy_before(tested);
	copy_words(reference, before, WORDS);
	copy_words(beside, before, WORDS);

	map_window(at, reference, reference);
	if (run(form, rdi) != NO_FAULT)
		return "an exception on RAM";
	expected = form_state;
	copy_words(source_expected, source, 1024);

	map_window(at, tested, beside);
	if (run(form, rdi) != NO_FAULT)
		return "an exception";
	difference = state_difference(form);
	return difference != NULL ? difference : memory_difference(at, tested);
}

static void print_detail(const struct form *form, const struct placement *at, const char *what)
{
	print("  %s %s: wrong is %s\n", form->name, at->name, what);
	if (str_equal(what, "an exception") || str_equal(what, "an exception on RAM"))
		print("  vector %u, error %#lx at %#lx, cr2 %#lx\n", last_fault.vector,
		      last_fault.error, last_fault.rip, last_fault.cr2);
	else
		print("  rax %#lx/%#lx flags %#lx/%#lx rdi %#lx/%#lx rcx %#lx/%#lx\n",
		      form_state.rax, expected.rax, form_state.rflags, expected.rflags,
		      form_state.rdi, expected.rdi, form_state.rcx, expected.rcx);
}

static void run_form(const struct form *form)
{
	unsigned n_wrong = 0;

	for (unsigned i = 0; i < N_PLACEMENTS; i++) {
		const char *what = run_case(form, &placements[i]);

		if (what != NULL && n_wrong++ < MAX_DETAILS)
			print_detail(form, &placements[i], what);
	}
	report(n_wrong == 0, "%s", form->name);
}

static bool have(uint8_t needs)
{
	uint32_t ecx1 = cpuid(1, 0).ecx;
	bool avx = (ecx1 & BIT(28)) && (ecx1 & BIT(27)) && (xgetbv(0) & 7) == 7;

	switch (needs) {
	case NEEDS_AVX:
		return avx;
	case NEEDS_AVX2:
		return avx && (cpuid(7, 0).ebx & BIT(5));
	case NEEDS_F16C:
		return avx && (ecx1 & BIT(29));
	case NEEDS_MOVBE:
		return ecx1 & BIT(22);
	case NEEDS_XSAVE:
		return ecx1 & BIT(27);
	case NEEDS_XSAVEC:
		return (ecx1 & BIT(27)) && (cpuid(0xd, 1).eax & BIT(1));
	case NEEDS_SSE41:
		return ecx1 & BIT(19);
	case NEEDS_CX16:
		return ecx1 & BIT(13);
	case NEEDS_MOVDIRI:
		return cpuid(7, 0).ecx & BIT(27);
	default:
		return true;
	}
}

/* Whether 'text' contains the value of only=, if given. */
static bool wanted(const char *text)
{
	char only[32];

	if (!line_param(command_line(), "only", only, sizeof(only)))
		return true;
	for (; *text != '\0'; text++) {
		if (strlen(text) >= strlen(only) && memcmp(text, only, strlen(only)) == 0)
			return true;
	}
	return false;
}

static bool fits(const struct form *form)
{
	return region.expect != EXPECT_ABSENT || form->kind != ESCAPES;
}

void forms_check(void)
{
	apic_enable();
	trap_set_ist(1, WINDOW + PAGE_SIZE + 0x800);
	for (const struct form *form = forms_start; form < forms_end; form++) {
		if (!wanted(form->name) || !fits(form))
			continue;
		if (have(form->needs))
			run_form(form);
		else
			report_skip("%s: not in this processor", form->name);
	}
}
