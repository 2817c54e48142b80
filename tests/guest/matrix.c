/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many adjacent regions of different kinds, files and offsets: the effect of reads, stores,
 * locked operations, string I/O and a device's DMA on each, inside it and across the edge to
 * its neighbour, and who else sees the effect.
 *
 * base= size=    of the first region, and of each
 * map=           three characters a region, in the order of their addresses:
 *   kind   r ROM, v ROM of a file that others share, c private, s shared, p private zeros, z shared
 *          zeros
 *   offset 0, 4 (4 KiB) or 2 (2 MiB) in the file
 *   file   the character that the file holds at 3 MiB instead of the pattern's byte; 8 bytes
 *          after it is a request to fw_cfg, for BUFFER_LEN bytes of item FW_CFG_ITEM to BUFFER
 */
#include "tests/guest/lib/lib.h"

#define REGION_MAX 40
#define SCRATCH	   0x3ff /* port of the UART's scratch register */
#define SPAN	   64	 /* bytes that an operation may change */
#define LARGE_PAGE UINT64_C(0x200000)
#define TAG_AT	   UINT64_C(0x300000) /* in the file; in all windows */
#define WORDS_AT   (TAG_AT + 0x10000) /* a word for each region to write to */
#define WORD_STEP  32
#define UNTOUCHED  2048 /* offset in each page that is never written */
#define REQUEST_AT (TAG_AT + 8)

/* QEMU's fw_cfg: its ports, its first file, and the bits of a request's control word. */
#define FW_CFG_SELECT  0x510
#define FW_CFG_DATA    0x511
#define FW_CFG_DMA     0x514
#define FW_CFG_ITEM    0x20
#define FW_CFG_NO_ITEM 0x3fff
#define CONTROL_READ   2u
#define CONTROL_SELECT 8u
#define BUFFER	       UINT64_C(0x700000)
#define BUFFER_LEN     40

struct region {
	uint64_t base, offset;
	char kind, file;
};

static struct region regions[REGION_MAX];
static unsigned n_regions;
static uint64_t region_size;

static bool is_writable(const struct region *r)
{
	return r->kind != 'r' && r->kind != 'v';
}

static bool is_zeros(const struct region *r)
{
	return r->kind == 'p' || r->kind == 'z';
}

/* Whether the region shows others' writes to the file. */
static bool is_shared(const struct region *r)
{
	return r->kind == 's' || r->kind == 'v';
}

/* The region of an address; NULL: after the last one. */
static const struct region *region_of(uint64_t address)
{
	uint64_t i = (address - regions[0].base) / region_size;

	return i < n_regions ? &regions[i] : NULL;
}

static uint64_t load(uint64_t address)
{
	return *(volatile uint64_t *)address;
}

/* The file's byte, and so the region's initial one, at this offset of the region. */
static uint64_t image_word(const struct region *r, uint64_t o)
{
	uint64_t word = is_zeros(r) ? 0 : PATTERN(r->offset + o);

	if (!is_zeros(r) && r->offset + o == TAG_AT)
		word = (word & ~UINT64_C(0xff)) | (uint8_t)r->file;
	return word;
}

static bool has_image_words(const struct region *r, uint64_t start, uint64_t step)
{
	for (uint64_t o = start; o < region_size; o += step)
		if (load(r->base + o) != image_word(r, o))
			return false;
	return true;
}

#define NAME(r) \
	(r)->kind, (char)((r)->offset == 0 ? '0' : (r)->offset == PAGE_SIZE ? '4' : '2'), (r)->file

static void check_reads(const struct region *r)
{
	uint64_t tag = r->base + TAG_AT - r->offset;
	bool ok = has_image_words(r, 0, PAGE_SIZE) && has_image_words(r, PAGE_SIZE - 8, PAGE_SIZE);

	if (!is_zeros(r))
		ok = ok && load(tag) == image_word(r, tag - r->base);
	report(ok, "matrix: %c%c%c: holds the file's bytes", NAME(r));
}

/* ---- who sees a write ---- */

/* Word 'i' of the file, seen through 'r'. */
static uint64_t word_address(const struct region *r, unsigned i)
{
	return r->base + WORDS_AT - r->offset + i * WORD_STEP;
}

static bool sees(const struct region *reader, const struct region *writer)
{
	if (!is_writable(writer))
		return false;
	return reader == writer ||
	       (reader->file == writer->file && is_shared(reader) && is_shared(writer));
}

static void check_views(unsigned writer)
{
	const struct region *w = &regions[writer];
	uint64_t value = UINT64_C(0x6d61747269780000) + writer;
	unsigned n_wrong = 0;

	*(volatile uint64_t *)word_address(w, writer) = value;
	for (unsigned i = 0; i < n_regions; i++) {
		uint64_t at = word_address(&regions[i], writer);
		uint64_t old = image_word(&regions[i], at - regions[i].base);

		n_wrong += load(at) != (sees(&regions[i], w) ? value : old);
	}
	report(n_wrong == 0,
	       "matrix: %c%c%c: a store is visible where it should be, and only there", NAME(w));
}

/* ---- operations ---- */

static const uint8_t source[SPAN] = "copies of forty bytes and more into regions";

#define OPERATION(name, text) \
	static uint64_t name(void *at) \
	{ \
		uint64_t a = UINT64_C(0x8182838485868788), c = 40; \
		void *d = at; \
		const void *s = source; \
		asm volatile(text \
			     : "+a"(a), "+c"(c), "+D"(d), "+S"(s) \
			     : "d"(SCRATCH), "r"(at) \
			     : "memory", "cc"); \
		return a ^ c << 8 ^ (uint64_t)((uint8_t *)d - (uint8_t *)at) << 16; \
	}
OPERATION(load_quad, "mov (%%rdi), %%rax")
OPERATION(store_byte, "movb %%al, (%%rdi)")
OPERATION(store_word, "movw %%ax, (%%rdi)")
OPERATION(store_long, "movl %%eax, 1(%%rdi)")
OPERATION(store_quad, "movq %%rax, (%%rdi)")
OPERATION(add_to, "addq %%rax, (%%rdi); setc %%cl")
OPERATION(rep_stosb, "rep stosb")
OPERATION(rep_stosq, "mov $5, %%ecx; rep stosq")
OPERATION(rep_movsb, "rep movsb")
OPERATION(locked_inc, "lock incq (%%rdi); setz %%cl")
OPERATION(locked_or, "lock orl %%eax, 2(%%rdi); sets %%cl")
OPERATION(locked_xadd, "lock xaddq %%rax, (%%rdi); setc %%cl")
OPERATION(locked_bts, "lock btsq $41, (%%rdi); setc %%cl")
OPERATION(exchange, "xchgq %%rax, (%%rdi)")
OPERATION(compare_fails, "lock cmpxchgq %%rcx, (%%rdi); setz %%cl")
OPERATION(compare_works, "movq (%%rdi), %%rax; lock cmpxchgq %%rcx, (%%rdi); setz %%cl")
OPERATION(insb_once, "insb")
OPERATION(rep_insb, "rep insb")
OPERATION(rep_insb_down, "lea 39(%%rdi), %%rdi; std; rep insb; cld")
OPERATION(outsb_once, "mov %%rdi, %%rsi; outsb; inb %%dx, %%al")
OPERATION(rep_outsb, "mov %%rdi, %%rsi; rep outsb; inb %%dx, %%al")

/* ---- DMA ---- */

/* Big-endian. */
struct dma_request {
	uint32_t control, len;
	uint64_t address;
};

static struct dma_request make_request(uint16_t item, uint64_t address)
{
	return (struct dma_request){
		.control = __builtin_bswap32((uint32_t)item << 16 | CONTROL_SELECT | CONTROL_READ),
		.len = __builtin_bswap32(BUFFER_LEN),
		.address = __builtin_bswap64(address),
	};
}

/* When this returns, the device has read the request, carried it out and answered. */
static void do_dma(const void *request)
{
	uint64_t address = (uint64_t)request;

	outl(__builtin_bswap32((uint32_t)(address >> 32)), FW_CFG_DMA);
	outl(__builtin_bswap32((uint32_t)address), FW_CFG_DMA + 4);
}

static uint64_t read_item(uint16_t item, void *at)
{
	struct dma_request request = make_request(item, (uint64_t)at);

	do_dma(&request);
	return *(volatile uint32_t *)&request.control;
}

static uint64_t dma_of_text(void *at)
{
	return read_item(FW_CFG_ITEM, at);
}

static uint64_t dma_of_zeros(void *at)
{
	return read_item(FW_CFG_NO_ITEM, at);
}

struct operation {
	const char *name;
	uint64_t (*run)(void *at);
};

static const struct operation operations[] = {
	{"load", load_quad},
	{"store of 1", store_byte},
	{"store of 2", store_word},
	{"store of 4", store_long},
	{"store of 8", store_quad},
	{"add", add_to},
	{"rep stosb", rep_stosb},
	{"rep stosq", rep_stosq},
	{"rep movsb", rep_movsb},
	{"lock inc", locked_inc},
	{"lock or", locked_or},
	{"lock xadd", locked_xadd},
	{"lock bts", locked_bts},
	{"xchg", exchange},
	{"lock cmpxchg, not equal", compare_fails},
	{"lock cmpxchg, equal", compare_works},
	{"insb", insb_once},
	{"rep insb", rep_insb},
	{"rep insb downwards", rep_insb_down},
	{"outsb", outsb_once},
	{"rep outsb", rep_outsb},
	{"DMA to it", dma_of_text},
	{"DMA of zeros to it", dma_of_zeros},
};
#define N_OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/*
 * Do the same on RAM with the same bytes, then on the regions. The result is the same; each byte
 * equals RAM's new byte if its region may be written, otherwise its old one.
 */
static bool works(const struct operation *operation, uint64_t at)
{
	uint8_t ram[SPAN], before[SPAN];
	const volatile uint8_t *now = (const volatile uint8_t *)at;
	uint64_t expected, result;

	memcpy(before, (const void *)at, SPAN);
	memcpy(ram, before, SPAN);
	outb((uint8_t)(0x31 + at / SPAN), SCRATCH);
	expected = operation->run(ram);
	outb((uint8_t)(0x31 + at / SPAN), SCRATCH);
	result = operation->run((void *)at);
	for (unsigned i = 0; i < SPAN; i++)
		if (now[i] != (is_writable(region_of(at + i)) ? ram[i] : before[i]))
			return false;
	return result == expected;
}

static void check_at(const struct region *r, uint64_t at, const char *where)
{
	const struct region *end = region_of(at + SPAN);

	if (end == NULL)
		return;
	for (unsigned i = 0; i < N_OPERATIONS; i++)
		if (!works(&operations[i], at)) {
			report(false, "matrix: %c%c%c, %s: %s", NAME(r), where, operations[i].name);
			return;
		}
	if (end == r)
		report(true, "matrix: %c%c%c: %lu operations %s", NAME(r), N_OPERATIONS, where);
	else
		report(true, "matrix: %c%c%c: %lu operations %s, %c%c%c", NAME(r), N_OPERATIONS,
		       where, NAME(end));
}

static void check_operations(const struct region *r)
{
	check_at(r, r->base + 0x2040, "in a page");
	check_at(r, r->base + 0x6000 - 3, "across pages");
	check_at(r, r->base + LARGE_PAGE - 5, "across 2 MiB");
	check_at(r, r->base + region_size - 3, "across the edge");
}

/* ---- requests for DMA that lie in the regions ---- */

/* What the device should write, read byte by byte. */
static void read_text(uint8_t *text)
{
	outw(FW_CFG_ITEM, FW_CFG_SELECT);
	for (unsigned i = 0; i < BUFFER_LEN; i++)
		text[i] = inb(FW_CFG_DATA);
}

/* The device reads what the processor reads; only ROM drops its answer. */
static bool is_done(const struct region *r, void *request)
{
	volatile uint32_t *control = request;
	uint32_t before = *control;
	uint8_t text[BUFFER_LEN] = {0};
	void *buffer = (void *)BUFFER;

	if (before != 0)
		read_text(text);
	memset(buffer, 0, BUFFER_LEN);
	do_dma(request);
	return memcmp(buffer, text, BUFFER_LEN) == 0 && *control == (is_writable(r) ? 0 : before);
}

static void check_requests(const struct region *r)
{
	const struct dma_request good = make_request(FW_CFG_ITEM, BUFFER);
	uint8_t *across = (uint8_t *)(r->base + LARGE_PAGE - 6);
	bool ok;

	for (unsigned i = 0; i < n_regions; i++)
		if (sees(r, &regions[i]))
			memcpy((void *)(regions[i].base + REQUEST_AT - regions[i].offset), &good,
			       sizeof(good));
	ok = is_done(r, (void *)(r->base + REQUEST_AT - r->offset));
	if (is_writable(r)) {
		memcpy(across, &good, sizeof(good));
		ok = ok && is_done(r, across);
	}
	report(ok, "matrix: %c%c%c: DMA reads it", NAME(r));
}

/* ---- the whole ---- */

static bool read_map(void)
{
	static char map[3 * REGION_MAX + 1];

	regions[0].base = param_number("base", 0);
	region_size = param_number("size", 0);
	if (!line_param(command_line(), "map", map, sizeof(map)) || strlen(map) % 3 != 0 ||
	    regions[0].base == 0 || region_size < 2 * LARGE_PAGE)
		return false;
	for (const char *c = map; *c != '\0'; c += 3) {
		uint64_t offset = c[1] == '4' ? PAGE_SIZE : c[1] == '2' ? LARGE_PAGE : 0;

		regions[n_regions] = (struct region){regions[0].base + n_regions * region_size,
						     offset, c[0], c[2]};
		n_regions++;
	}
	return n_regions > 0;
}

void payload(void)
{
	if (!report(read_map(), "matrix: parameters base=, size=, map="))
		return;
	for (unsigned i = 0; i < n_regions; i++)
		check_reads(&regions[i]);
	for (unsigned i = 0; i < n_regions; i++)
		check_views(i);
	for (unsigned i = 0; i < n_regions; i++)
		check_operations(&regions[i]);
	for (unsigned i = 0; i < n_regions; i++)
		check_requests(&regions[i]);
	for (unsigned i = 0; i < n_regions; i++)
		report(has_image_words(&regions[i], UNTOUCHED, PAGE_SIZE),
		       "matrix: %c%c%c: all else is as it was", NAME(&regions[i]));
}
