/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random histories of a forest of virtual machines: writes, freezes, clones,
 * resets, ends, merging, discarding, preallocation, while allocations fail at
 * random and frames run out; some are done again and again, and each of their
 * allocations fails in turn. The model of each VM, and of each layer, is a flat
 * array. VMs have two processors with TLBs of their own, which use what they
 * hold until they catch up with the generation.
 *
 *     test_history [SEED [STEPS]]
 */
#include "hv/guest/merge.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>

#include "hv/ept/merged.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/discard.h"
#include "hv/guest/fault.h"
#include "hv/guest/guest_memory.h"
#include "hv/guest/hidden_memory.h"
#include "hv/guest/region_map.h"
#include "tests/unit/ept_check.h"
#include "tests/unit/ept_freeze.h"
#include "tests/unit/support.h"

#define N_VMS	6
#define N_VCPUS 2
#define N_HELD	4

/* Physical memory: two images, frames. */
#define TEMPLATE_PAGES 576
#define FILE_PAGES     600
#define TEMPLATE_BASE  MIB(2)
#define FILE_BASE      MIB(6)
#define FRAMES	       MIB(10)
#define N_FRAMES       3072

/* Guest memory: windows that contain the borders of tables of each level, sorted like the map. */
enum { TEMPLATE, FILE_SHARED, ZEROS, FILE_COW, ROM, UNMERGED, HIDDEN, N_REGIONS };
static struct image template_image = {.base = TEMPLATE_BASE, .aligned = true};
static struct image file_image = {.base = FILE_BASE, .aligned = true, .is_written = true};
static const struct backend merging = {.merge = true};
static const struct window {
	uint64_t gpa;
	unsigned n_pages;
	enum mem_kind kind;
	const struct image *image;
} windows[N_REGIONS] = {
	[TEMPLATE] = {MIB(2), TEMPLATE_PAGES, MEM_COW, &template_image},
	[FILE_SHARED] = {MIB(16), FILE_PAGES, MEM_SHARED, &file_image},
	[ZEROS] = {GIB(1) - MIB(2), 1024, MEM_COW, NULL},
	[FILE_COW] = {GIB(512) - MIB(2), FILE_PAGES, MEM_COW, &file_image},
	[ROM] = {BIT(46) - MIB(2), TEMPLATE_PAGES, MEM_ROM, &template_image},
	[UNMERGED] = {BIT(47) - KIB(256), 64, MEM_COW, NULL},
	[HIDDEN] = {BIT(48) - GIB(1) - MIB(1), FILE_PAGES, MEM_COW, &file_image},
};
#define N_PAGES (1024 + 2 * TEMPLATE_PAGES + 3 * FILE_PAGES + 64)

/* Only the first and the last word of a page are ever written. */
struct page {
	uint32_t first, last;
	/*
	 * If set, the other fields are ignored: the page is the file's, with
	 * its current contents.
	 */
	bool is_file;
};

/* A layer, and what it must translate to. Counted like the layer. */
struct snapshot {
	struct snapshot *parent, *next;
	unsigned n_refs, depth;
	struct ept_layer *layer;
	struct page page[N_PAGES];
};

struct vcpu {
	bool in_guest;
	uint64_t generation;
	uint64_t stamp; /* an entry of the TLB is valid if it has the same */
	struct {
		uint64_t entry, stamp;
	} tlb[N_PAGES];
};

static struct vm {
	bool is_live;
	struct ept ept;
	struct guest_memory memory;
	struct merge merge;
	uint64_t scan_generation;
	struct snapshot *base;
	struct vcpu vcpu[N_VCPUS];
	struct page page[N_PAGES];
} vms[N_VMS];

static struct mem_map map;	      /* the map of all VMs */
static struct snapshot *held[N_HELD]; /* layers on which the test itself holds a count */
static struct snapshot *snapshots;    /* all that exist */
static struct page template_page[TEMPLATE_PAGES], file_page[FILE_PAGES];
static phys_t scratch;
static uint64_t n_fixed; /* frames in use before the first VM */

static uint64_t seed = 1, n_steps = 1000000, step_now;
static uint64_t random_state;
static unsigned fail_one_in;		/* 0: none */
static unsigned fail_at, n_allocations; /* of an operation: this one fails, from 1; 0: none */

/* How often the things happened that must happen. */
static struct {
	unsigned nomem, injected, in_turn, copied, stale, frozen, cloned, reset, restored,
		destroyed, discarded, freed;
	unsigned discarded_hidden, given_back, shown, deepest, large, ballooned;
	uint64_t shared_most;
} seen;

static uint64_t random_below(uint64_t n)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (random_state >> 33) % n;
}

/* Fails in turn or at random, before the allocator that runs out of frames. */
static bool must_fail(void)
{
	bool fails = ++n_allocations == fail_at;

	seen.in_turn += fails;
	if (fail_one_in > 0 && random_below(fail_one_in) == 0) {
		seen.injected++;
		fails = true;
	}
	return fails;
}

phys_t __real_frame_alloc(void);
phys_t __real_frame_alloc_zeroed(void);
phys_t __real_frame_alloc_by(const struct frame_policy *policy, uint64_t index);
phys_t __wrap_frame_alloc(void);
phys_t __wrap_frame_alloc_zeroed(void);
phys_t __wrap_frame_alloc_by(const struct frame_policy *policy, uint64_t index);

phys_t __wrap_frame_alloc(void)
{
	return must_fail() ? 0 : __real_frame_alloc();
}

phys_t __wrap_frame_alloc_zeroed(void)
{
	return must_fail() ? 0 : __real_frame_alloc_zeroed();
}

phys_t __wrap_frame_alloc_by(const struct frame_policy *policy, uint64_t index)
{
	return must_fail() ? 0 : __real_frame_alloc_by(policy, index);
}

/* An operation may only fail because no frame is left. */
static bool succeeded(enum status status)
{
	seen.nomem += status == ERR_NOMEM;
	if (status != OK)
		assert_int_equal(status, ERR_NOMEM);
	return status == OK;
}

static unsigned region_of(unsigned n, unsigned *ret_page)
{
	unsigned region = 0;

	for (; n >= windows[region].n_pages; region++)
		n -= windows[region].n_pages;
	*ret_page = n;
	return region;
}

static unsigned first_of(unsigned region)
{
	unsigned n = 0;

	while (region > 0)
		n += windows[--region].n_pages;
	return n;
}

static gpa_t gpa_of(unsigned n)
{
	unsigned page, region = region_of(n, &page);

	return (gpa_t){windows[region].gpa + page * PAGE_SIZE};
}

static const struct mem_region *region_at(unsigned n)
{
	unsigned page;

	return &map.region[region_of(n, &page)];
}

/* Whether a vCPU can address the page; else only a device does. */
static bool is_memory(unsigned n)
{
	return !mem_region_is_hidden(region_at(n));
}

/* What a page holds before the first write. */
static struct page original(unsigned n)
{
	unsigned page, region = region_of(n, &page);

	if (windows[region].image == &file_image)
		return (struct page){.is_file = true};
	return windows[region].image ? template_page[page] : (struct page){0};
}

static struct page *model_of(struct vm *vm, unsigned n)
{
	unsigned page;

	region_of(n, &page);
	return vm->page[n].is_file ? &file_page[page] : &vm->page[n];
}

static void write_word(phys_t frame, bool last, uint64_t value)
{
	((uint64_t *)phys_to_virt(frame))[last ? 511 : 0] = value;
}

/* Whether the frame holds what the model says. 'n' is the page of the file. */
static void check_bytes(phys_t frame, unsigned n, struct page want, bool thorough)
{
	const uint64_t *words = phys_to_virt(frame);
	unsigned page;

	region_of(n, &page);
	if (want.is_file) {
		assert_int_equal(frame, FILE_BASE + page * PAGE_SIZE);
		want = file_page[page];
	}
	if (words[0] != want.first || words[511] != want.last)
		fail_msg("page %u: %llu %llu instead of %u %u", n, (unsigned long long)words[0],
			 (unsigned long long)words[511], want.first, want.last);
	for (unsigned i = 1; thorough && i < 511; i++)
		if (words[i] != 0)
			fail_msg("page %u: stray bytes", n);
}

static phys_t frame_of(const struct ept *ept, unsigned n, uint64_t *ret_entry)
{
	unsigned level;
	gpa_t gpa = gpa_of(n);

	*ret_entry = ept_lookup(ept, gpa, &level);
	if (!(*ret_entry & EPT_FRESH))
		assert_int_equal(*ret_entry & (EPT_R | EPT_X), EPT_R | EPT_X);
	return (*ret_entry & EPT_ADDR) +
	       align_down(gpa.raw & ((PAGE_SIZE << (9 * level)) - 1), PAGE_SIZE);
}

static void check_page(const struct vm *vm, unsigned n, bool thorough)
{
	uint64_t entry;
	phys_t frame = frame_of(&vm->ept, n, &entry);

	check_bytes(frame, n, vm->page[n], thorough);
	if (region_at(n)->kind == MEM_ROM)
		assert_false(entry & (EPT_W | EPT_OWN));
	if (region_at(n)->kind == MEM_COW && (entry & EPT_W))
		assert_true(entry & EPT_OWN);
}

static void enter_guest(struct vm *vm, struct vcpu *vcpu)
{
	vcpu->in_guest = true;
	if (vcpu->generation == vm->ept.generation)
		return;
	vcpu->generation = vm->ept.generation;
	vcpu->stamp++;
}

/* The vCPUs in the guest had to leave it, and have entered again. */
static void catch_up(struct vm *vm)
{
	for (unsigned i = 0; i < N_VCPUS; i++)
		if (vm->vcpu[i].in_guest)
			enter_guest(vm, &vm->vcpu[i]);
}

static void park(struct vm *vm)
{
	for (unsigned i = 0; i < N_VCPUS; i++)
		vm->vcpu[i].in_guest = false;
}

static uint64_t caught_up(const struct vm *vm)
{
	uint64_t all = vm->ept.generation;

	for (unsigned i = 0; i < N_VCPUS; i++)
		if (vm->vcpu[i].in_guest && vm->vcpu[i].generation < all)
			all = vm->vcpu[i].generation;
	return all;
}

/* The entry, as for 4 KiB, that the processor uses: the one it holds, or else the tree's. */
static uint64_t translate(struct vm *vm, struct vcpu *vcpu, unsigned n)
{
	uint64_t entry;
	phys_t frame;

	if (vcpu->tlb[n].stamp == vcpu->stamp)
		return vcpu->tlb[n].entry;
	frame = frame_of(&vm->ept, n, &entry);
	vcpu->tlb[n].entry = frame | (entry & ~EPT_ADDR);
	/* Entries that are not present are not cached. */
	if (entry & EPT_PRESENT)
		vcpu->tlb[n].stamp = vcpu->stamp;
	return vcpu->tlb[n].entry;
}

static struct vcpu *any_in_guest(struct vm *vm)
{
	struct vcpu *vcpu = &vm->vcpu[random_below(N_VCPUS)];

	if (!vcpu->in_guest)
		enter_guest(vm, vcpu);
	return vcpu;
}

/* The tree has given the page a frame of its own. */
static void detach(struct vm *vm, unsigned n)
{
	vm->page[n] = *model_of(vm, n);
	seen.copied++;
}

/* Do what the exit does. False: the instruction does not write. */
static bool mend(struct vm *vm, struct vcpu *vcpu, unsigned n, unsigned access)
{
	const struct mem_region *region = region_at(n);
	uint64_t entry;
	phys_t frame;
	bool ok = true;

	vcpu->tlb[n].stamp = 0; /* a violation drops what the processor held of the page */
	frame_of(&vm->ept, n, &entry);
	switch (fault_decide(region, entry, access)) {
	case FAULT_COPY:
		ok = succeeded(region_copy_page(&vm->ept, region, gpa_of(n), &frame));
		if (ok && !(entry & EPT_OWN))
			detach(vm, n);
		if (ok && (entry & EPT_FRESH))
			ept_fill_around(&vm->ept, gpa_of(n), region->gpa,
					gpa_add(region->gpa, region->len));
		break;
	case FAULT_MAP:
		ok = succeeded(region_map_page(&vm->ept, region, gpa_of(n)));
		break;
	case FAULT_ZEROS:
		ok = succeeded(ept_show_zeros(&vm->ept, gpa_of(n)));
		seen.shown += ok;
		break;
	case FAULT_RETRY:
		vcpu->generation = 0;
		break;
	default:
		assert_int_equal(region->kind, MEM_ROM);
		ok = false;
	}
	catch_up(vm);
	return ok;
}

static void guest_reads(struct vm *vm, unsigned n)
{
	struct vcpu *vcpu = any_in_guest(vm);
	uint64_t entry = translate(vm, vcpu, n);

	if (!(entry & EPT_R)) {
		if (!mend(vm, vcpu, n, ACCESS_READ))
			return;
		entry = translate(vm, vcpu, n);
	}
	assert_true(entry & EPT_R);
	seen.stale += vcpu->generation != vm->ept.generation;
	check_bytes(entry & EPT_ADDR, n, vm->page[n], true);
}

static void guest_stores(struct vm *vm, unsigned n, bool last, uint32_t value)
{
	struct vcpu *vcpu = any_in_guest(vm);

	for (unsigned tries = 0; !(translate(vm, vcpu, n) & EPT_W); tries++) {
		assert_true(tries < 2);
		if (!mend(vm, vcpu, n, ACCESS_WRITE))
			return;
	}
	seen.stale += vcpu->generation != vm->ept.generation;
	write_word(translate(vm, vcpu, n) & EPT_ADDR, last, value);
	*(last ? &model_of(vm, n)->last : &model_of(vm, n)->first) = value;
}

static void note_device_write(struct vm *vm, unsigned n, bool last, uint32_t value)
{
	const struct mem_region *region = region_at(n);
	uint64_t entry;
	phys_t frame = frame_of(&vm->ept, n, &entry);

	if (region->kind == MEM_ROM)
		return;
	if (vm->page[n].is_file && frame - FILE_BASE >= FILE_PAGES * PAGE_SIZE)
		detach(vm, n);
	/* The write may have failed before it reached this page. */
	if (((uint64_t *)phys_to_virt(frame))[last ? 511 : 0] == value)
		*(last ? &model_of(vm, n)->last : &model_of(vm, n)->first) = value;
}

/* A write on the guest's behalf, from the end of a page into the next. */
static void device_writes(struct vm *vm, unsigned n, uint32_t value)
{
	uint64_t words[2] = {value, value};
	unsigned page, region = region_of(n, &page);
	bool is_long = page + 1 < windows[region].n_pages && random_below(2);
	gpa_t gpa = gpa_add(gpa_of(n), PAGE_SIZE - 8);
	uint64_t len = is_long ? 16 : 8;
	bool ok = succeeded(region == HIDDEN ? hidden_write(&vm->memory, gpa, words, len)
					     : guest_write(&vm->memory, gpa, words, len));

	note_device_write(vm, n, true, value);
	if (is_long)
		note_device_write(vm, n + 1, false, value);
	if (ok && windows[region].kind != MEM_ROM)
		assert_int_equal(model_of(vm, n)->last, value);
	catch_up(vm);
}

static void snapshot_put(struct snapshot *snapshot)
{
	while (snapshot != NULL && --snapshot->n_refs == 0) {
		struct snapshot *parent = snapshot->parent, **link = &snapshots;

		while (*link != snapshot)
			link = &(*link)->next;
		*link = snapshot->next;
		free(snapshot);
		snapshot = parent;
	}
}

static struct snapshot *new_snapshot(struct vm *vm, struct ept_layer *layer)
{
	struct snapshot *snapshot = malloc(sizeof(*snapshot));

	assert_non_null(snapshot);
	snapshot->parent = vm->base;
	snapshot->n_refs = 1;
	snapshot->depth = 1 + (vm->base ? vm->base->depth : 0);
	if (snapshot->depth > seen.deepest)
		seen.deepest = snapshot->depth;
	snapshot->layer = layer;
	snapshot->next = snapshots;
	snapshots = snapshot;
	memcpy(snapshot->page, vm->page, sizeof(vm->page));
	return snapshot;
}

static void let_go(struct snapshot **slot)
{
	if (*slot == NULL)
		return;
	ept_layer_put((*slot)->layer);
	snapshot_put(*slot);
	*slot = NULL;
}

static void do_freeze(struct vm *vm)
{
	struct snapshot **slot = &held[random_below(N_HELD)];
	struct ept_layer *layer;

	park(vm);
	merge_forget(&vm->merge, &vm->ept);
	if (!succeeded(freeze_tree(&vm->ept, &layer)))
		return;
	seen.frozen++;
	if (vm->base == NULL || layer != vm->base->layer)
		vm->base = new_snapshot(vm, layer);
	vm->base->n_refs++;
	let_go(slot);
	*slot = vm->base;
}

static void do_destroy(struct vm *vm)
{
	park(vm);
	merge_forget(&vm->merge, &vm->ept);
	ept_destroy(&vm->ept);
	snapshot_put(vm->base);
	vm->base = NULL;
	vm->is_live = false;
	seen.destroyed++;
}

/* Pages of the VM's own are copies of the file as it was at that time. */
static void note_restore(struct vm *vm)
{
	for (unsigned n = 0; n < N_PAGES; n++) {
		uint64_t entry;

		(void)frame_of(&vm->ept, n, &entry);
		if (entry & EPT_OWN)
			vm->page[n] = *model_of(vm, n);
	}
	seen.restored++;
}

static void do_reset(struct vm *vm)
{
	if (vm->base == NULL)
		return;
	park(vm);
	merge_forget(&vm->merge, &vm->ept);
	memcpy(vm->page, vm->base->page, sizeof(vm->page));
	if (random_below(2))
		ept_reset(&vm->ept);
	else if (ept_restore(&vm->ept, random_below(400), random_below(2)))
		note_restore(vm);
	if (random_below(2))
		ept_reclaim(&vm->ept);
	seen.reset++;
}

static void prepare(struct vm *vm)
{
	vm->memory = (struct guest_memory){.ept = &vm->ept, .map = &map};
	vm->merge = (struct merge){.id = (uint32_t)(vm - vms)};
	vm->scan_generation = 0;
	for (unsigned i = 0; i < N_VCPUS; i++) {
		vm->vcpu[i].in_guest = false;
		vm->vcpu[i].generation = 0;
	}
	vm->is_live = true;
}

/* Make a VM of its own, or none if no frame is left. */
static void create(struct vm *vm)
{
	enum status status = ept_init(&vm->ept, 1 + (unsigned)random_below(3), EPT_UNLIMITED);

	if (!succeeded(status))
		return;
	for (unsigned i = 0; i < N_REGIONS && status == OK; i++)
		status = region_map(&vm->ept, &map.region[i]);
	if (!succeeded(status)) {
		ept_destroy(&vm->ept);
		return;
	}
	for (unsigned n = 0; n < N_PAGES; n++)
		vm->page[n] = original(n);
	prepare(vm);
}

/* Make a VM from a layer, if there is one, and sometimes from none. */
static void do_create(struct vm *vm)
{
	struct snapshot *base = held[random_below(N_HELD)];

	if (base == NULL || random_below(16) == 0) {
		create(vm);
		return;
	}
	ept_clone(&vm->ept, base->layer, random_below(4) ? EPT_UNLIMITED : 40);
	memcpy(vm->page, base->page, sizeof(vm->page));
	vm->base = base;
	base->n_refs++;
	prepare(vm);
	seen.cloned++;
}

/* The page of a device becomes zeros. */
static void device_discards(struct vm *vm, unsigned n)
{
	uint64_t n_done;

	if (!succeeded(hidden_discard(&vm->memory, gpa_of(n), PAGE_SIZE, &n_done)))
		return;
	assert_int_equal(n_done, PAGE_SIZE);
	vm->page[n] = (struct page){0};
	catch_up(vm);
	seen.discarded_hidden++;
}

/* Pages become what they were before the first write; after a failure only a first part of them. */
static void note_discard(struct vm *vm, unsigned n, unsigned n_pages, bool ok)
{
	for (; n_pages > 0; n++, n_pages--) {
		struct page page = original(n);
		uint64_t entry;
		phys_t frame = frame_of(&vm->ept, n, &entry);
		bool is_private = entry & (EPT_OWN | EPT_MERGED);
		uint64_t *words = phys_to_virt(frame);

		if (!ok && is_private)
			return;
		assert_false(is_private);
		/*
		 * The operation failed and the page is borrowed from a layer:
		 * its contents decide whether it is the file's.
		 */
		if (!ok && page.is_file && frame - FILE_BASE >= FILE_PAGES * PAGE_SIZE)
			return;
		if (!ok && !page.is_file && (words[0] != page.first || words[511] != page.last))
			return;
		vm->page[n] = page;
	}
}

static void do_discard(struct vm *vm, unsigned n)
{
	unsigned page, region = region_of(n, &page), n_pages = 1;
	enum status status = OK;

	park(vm);
	if (random_below(16) == 0) { /* the whole region, or its first 2 MiB */
		n_pages = windows[region].n_pages;
		n = first_of(region);
		if (region == ZEROS && random_below(2)) {
			n_pages = 512;
			status = ept_map_zero(&vm->ept, gpa_of(n), MIB(2));
		} else {
			status = region_map(&vm->ept, &map.region[region]);
		}
	} else {
		status = region_map_page(&vm->ept, region_at(n), gpa_of(n));
	}
	note_discard(vm, n, n_pages, succeeded(status));
	seen.discarded++;
}

/* The file becomes zeros for all VMs. */
static void do_discard_file(void)
{
	struct backend backend = {
		.kind = MEM_SHARED,
		.discard_data = true,
		.image = &file_image,
		.size = FILE_PAGES * PAGE_SIZE,
	};

	while (backend_discard_some(&backend, PAGE_SIZE))
		;
	memset(file_page, 0, sizeof(file_page));
}

static void do_populate(struct vm *vm, unsigned n)
{
	static const struct frame_policy anywhere = {.mode = FRAME_LOCAL};
	unsigned page, region = region_of(n, &page);
	unsigned n_pages = 1 + (unsigned)random_below(24);
	uint64_t *entries;

	if (windows[region].kind != MEM_COW || region == HIDDEN)
		return;
	if (n_pages > windows[region].n_pages - page)
		n_pages = windows[region].n_pages - page;
	if (n_pages > 512 - gpa_of(n).raw / PAGE_SIZE % 512)
		n_pages = 512 - gpa_of(n).raw / PAGE_SIZE % 512;
	park(vm);
	if (!succeeded(ept_populate_begin(&vm->ept, gpa_of(n), n_pages, &entries)))
		return;
	for (unsigned i = 0; i < n_pages; i++)
		if (succeeded(ept_populate_page(&entries[i], &anywhere, i)))
			detach(vm, n + i);
	ept_populate_end(&vm->ept, entries, n_pages);
}

/* A block, even if its frames must be found among single ones. */
static phys_t find_block(void)
{
	static const struct frame_policy local = {.mode = FRAME_LOCAL};
	phys_t block = frame_alloc_block_by(&local, 0);

	return block != 0 ? block : frame_alloc_run(FRAME_BLOCK, MIB(2));
}

/* The same for the 2 MiB around the page, if they are all of one region. */
static void do_populate_large(struct vm *vm, unsigned n)
{
	unsigned page, region = region_of(n, &page);
	uint64_t before = gpa_of(n).raw / PAGE_SIZE % FRAME_BLOCK, *entry;
	phys_t block;

	if (windows[region].kind != MEM_COW || before > page ||
	    windows[region].n_pages - (page - before) < FRAME_BLOCK || vm->ept.leaf_levels < 2 ||
	    (block = find_block()) == 0)
		return;
	park(vm);
	n -= (unsigned)before;
	if (!succeeded(ept_populate_large_begin(&vm->ept, gpa_of(n), &entry)) || entry == NULL) {
		frame_free_block(block);
		return;
	}
	ept_populate_large(entry, block);
	ept_populate_large_end(&vm->ept, entry, block);
	for (unsigned i = 0; i < FRAME_BLOCK; i++)
		detach(vm, n + i);
	seen.large++;
}

/* A guest gives a page back. Pages that are not its VM's own stay. */
static void do_balloon(struct vm *vm, unsigned n)
{
	struct discard discard = {0};
	uint64_t entry;

	frame_of(&vm->ept, n, &entry);
	discard_page(&discard, &vm->memory, gpa_of(n));
	if (discard.n > 0) {
		assert_true(entry & EPT_OWN);
		vm->page[n] = (struct page){0};
		seen.ballooned++;
	}
	catch_up(vm);
	discard_free(&discard);
}

/* As for an instruction that writes to ROM: map another page in its place, and the ROM again. */
static void do_override(struct vm *vm, unsigned n)
{
	uint64_t old = 0, back = 0, entry;

	park(vm);
	frame_of(&vm->ept, n, &entry);
	if (region_at(n)->kind != MEM_ROM ||
	    !succeeded(ept_override(&vm->ept, gpa_of(n), scratch | region_attr(MEM_COW), &old)))
		return;
	assert_int_equal(frame_of(&vm->ept, n, &entry), scratch);
	assert_int_equal(ept_override(&vm->ept, gpa_of(n), old, &back), OK);
	assert_int_equal(back & EPT_ADDR, scratch);
}

static void do_reclaim(struct vm *vm)
{
	catch_up(vm);
	ept_reclaim(&vm->ept);
}

/* What hv/vm/merge_scan.c does after a scan of all VMs. */
static void end_scan(void)
{
	bool all_caught_up = true;

	for (unsigned i = 0; i < N_VMS; i++)
		if (vms[i].is_live)
			all_caught_up &= caught_up(&vms[i]) >= vms[i].scan_generation;
	for (unsigned i = 0; i < N_VMS; i++) {
		if (all_caught_up && vms[i].is_live)
			vms[i].scan_generation = vms[i].ept.generation;
	}
	if (all_caught_up) {
		merged_free();
		seen.freed++;
	}
	merge_begin_scan();
}

/* Look at the VM again from its first page, as hv/vm/merge_scan.c does. */
static void restart(struct merge *merge)
{
	assert_int_equal(merge->n, 0);
	*merge = (struct merge){.id = merge->id};
}

static void do_merge(struct vm *vm)
{
	uint64_t shared;

	for (unsigned i = 0; i < 12; i++) {
		uint64_t sharing = merged_count().sharing;

		if (merge_step(&vm->merge, &vm->ept, &map, caught_up(vm)) == MERGE_ENDED) {
			restart(&vm->merge);
			if (random_below(4) == 0)
				end_scan();
			break;
		}
		seen.given_back += merged_count().sharing > sharing;
	}
	shared = merged_count().shared;
	if (shared > seen.shared_most)
		seen.shared_most = shared;
}

/* Faults are injected for some time, and then stop. */
static void do_weather(void)
{
	static const unsigned choices[] = {0, 0, 0, 0, 0, 64, 8, 2, 1};

	fail_one_in = choices[random_below(ARRAY_SIZE(choices))];
}

static unsigned count_merged(const struct ept_layer *layer)
{
	struct ept_log log = layer->log;
	struct ept_log_cursor cursor = ept_log_begin(&log);
	unsigned n = 0;

	for (const struct ept_log_item *item = ept_log_next(&cursor); item;
	     item = ept_log_next(&cursor))
		n += item->slot & 1;
	return n;
}

static uint64_t check_vm(struct vm *vm, uint64_t *n_sharing, bool thorough)
{
	catch_up(vm);
	merge_forget(&vm->merge, &vm->ept);
	check_tree(&vm->ept);
	for (unsigned n = 0; n < N_PAGES; n++) {
		uint64_t entry;

		check_page(vm, n, thorough);
		frame_of(&vm->ept, n, &entry);
		*n_sharing += (entry & EPT_MERGED) != 0;
	}
	return vm->ept.n_owned;
}

static uint64_t check_snapshot(const struct snapshot *snapshot, uint64_t *n_sharing, bool thorough)
{
	struct ept ept = ept_view(snapshot->layer->root);
	uint64_t entry;

	check_layer(snapshot->layer);
	for (unsigned n = 0; n < N_PAGES; n++)
		check_bytes(frame_of(&ept, n, &entry), n, snapshot->page[n], thorough);
	*n_sharing += count_merged(snapshot->layer);
	return snapshot->layer->n_owned + 1;
}

static void check_images(bool thorough)
{
	for (unsigned i = 0; i < TEMPLATE_PAGES; i++)
		check_bytes(TEMPLATE_BASE + i * PAGE_SIZE, i, template_page[i], thorough);
	assert_int_equal(((uint64_t *)phys_to_virt(scratch))[0], 0);
}

/* Check all bytes and all frames. */
static void check_everything(bool thorough)
{
	uint64_t n = n_fixed, n_sharing = 0;

	for (unsigned i = 0; i < N_VMS; i++)
		if (vms[i].is_live)
			n += check_vm(&vms[i], &n_sharing, thorough);
	for (const struct snapshot *s = snapshots; s; s = s->next)
		n += check_snapshot(s, &n_sharing, thorough);
	check_images(thorough);
	/* All vCPUs have caught up, twice. */
	merged_free();
	merged_free();
	assert_int_equal(merged_count().sharing, n_sharing);
	assert_int_equal(frame_total() - frame_available(), n + merged_count().shared);
}

/*
 * Half of the time few pages, so that translations are used again; few values,
 * so that pages are equal.
 */
static unsigned any_page(void)
{
	return (unsigned)(random_below(4) ? random_below(48) * 84 : random_below(N_PAGES));
}

static uint32_t any_value(void)
{
	return (uint32_t)(random_below(4) ? random_below(6) : step_now);
}

static void rare_step(struct vm *vm, unsigned n)
{
	switch (random_below(36)) {
	case 0 ... 2:
		do_destroy(vm);
		break;
	case 3 ... 5:
		do_freeze(vm);
		break;
	case 6 ... 9:
		do_reset(vm);
		break;
	case 10 ... 11:
		do_discard_file();
		break;
	case 12 ... 13:
		do_populate(vm, n);
		break;
	case 14 ... 15:
		do_override(vm, n);
		break;
	case 16:
		park(vm);
		break;
	case 17:
		let_go(&held[random_below(N_HELD)]);
		break;
	case 18:
		do_populate_large(vm, n);
		break;
	case 19 ... 21:
		do_balloon(vm, n);
		break;
	default:
		if (is_memory(n))
			do_discard(vm, n);
		else
			device_discards(vm, n);
		break;
	}
}

static void step(struct vm *vm)
{
	unsigned n = any_page();
	uint64_t dice = random_below(64);

	if (random_below(1000) == 0)
		do_weather();
	if (!vm->is_live)
		do_create(vm);
	else if (dice < 50 && (dice >= 44 || !is_memory(n)))
		device_writes(vm, n, any_value());
	else if (dice < 32)
		guest_stores(vm, n, random_below(4) == 0, any_value());
	else if (dice < 44)
		guest_reads(vm, n);
	else if (dice < 58)
		do_merge(vm);
	else if (dice < 59)
		enter_guest(vm, &vm->vcpu[random_below(N_VCPUS)]);
	else if (dice < 60)
		do_reclaim(vm);
	else
		rare_step(vm, n);
	if (vm->is_live)
		check_page(vm, n, true);
}

/* The same step until none of its allocations is left to fail. What succeeded is not undone. */
static void step_failing_in_turn(struct vm *vm)
{
	uint64_t start = random_state;
	unsigned weather = fail_one_in;

	fail_one_in = 0;
	for (fail_at = 1; n_allocations >= fail_at - 1; fail_at++) {
		random_state = start;
		n_allocations = 0;
		step(vm);
	}
	fail_at = 0;
	fail_one_in = weather;
}

static void make_image(struct image *image, struct page *pages, unsigned n_pages)
{
	image->size = n_pages * PAGE_SIZE;
	for (unsigned i = 0; i < n_pages; i++) {
		pages[i].first = i % 2 * (i % 3);
		pages[i].last = i % 5 ? 0 : i;
		write_word(image->base + i * PAGE_SIZE, false, pages[i].first);
		write_word(image->base + i * PAGE_SIZE, true, pages[i].last);
	}
}

static int start(void **state)
{
	frame_reset();
	merge_reset();
	frame_poison = true;
	phys_arena(TEMPLATE_BASE, FRAMES - TEMPLATE_BASE + N_FRAMES * PAGE_SIZE);
	make_image(&template_image, template_page, TEMPLATE_PAGES);
	make_image(&file_image, file_page, FILE_PAGES);
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	assert_int_equal(merge_setup(8192, &(struct siphash_key){{1, 2}}), OK);
	scratch = frame_alloc_zeroed();
	n_fixed = frame_total() - frame_available();
	for (unsigned i = 0; i < N_REGIONS; i++) {
		struct mem_region region = {
			.gpa = {windows[i].gpa},
			.len = windows[i].n_pages * PAGE_SIZE,
			.kind = windows[i].kind,
			.image = windows[i].image,
			.backend = i == UNMERGED ? NULL : &merging,
		};

		assert_int_equal(mem_map_add(&map, &region), OK);
	}
	random_state = seed;
	return 0;
}

static void end_all(void)
{
	fail_one_in = 0;
	for (unsigned i = 0; i < N_VMS; i++)
		if (vms[i].is_live)
			do_destroy(&vms[i]);
	for (unsigned i = 0; i < N_HELD; i++)
		let_go(&held[i]);
	assert_null(snapshots);
	check_everything(true);
	assert_int_equal(frame_total() - frame_available(), n_fixed);
	assert_int_equal(merged_count().shared, 0);
}

/* A history proves little if little has happened. */
static void check_seen(void)
{
	assert_true(seen.nomem > n_steps / 1000);
	assert_true(seen.injected > n_steps / 1000);
	assert_true(seen.in_turn > n_steps / 100);
	assert_true(seen.copied > n_steps / 20);
	assert_true(seen.stale > n_steps / 100);
	assert_true(seen.frozen > n_steps / 1000);
	assert_true(seen.cloned > n_steps / 2000);
	assert_true(seen.reset > n_steps / 1000);
	assert_true(seen.restored > n_steps / 10000);
	assert_true(seen.destroyed > n_steps / 2000);
	assert_true(seen.discarded > n_steps / 1000);
	assert_true(seen.discarded_hidden > n_steps / 5000);
	assert_true(seen.shown > n_steps / 2000);
	assert_true(seen.freed > n_steps / 2000);
	assert_true(seen.given_back > n_steps / 1000);
	assert_true(seen.shared_most > 4);
	assert_true(seen.deepest > 4);
	assert_true(seen.large > n_steps / 50000);
	assert_true(seen.ballooned > n_steps / 10000);
}

static void histories_are_as_flat_arrays(void **state)
{
	for (step_now = 0; step_now < n_steps; step_now++) {
		const struct vm *other;

		if (random_below(16) == 0)
			step_failing_in_turn(&vms[random_below(N_VMS)]);
		else
			step(&vms[random_below(N_VMS)]);
		/* An operation on one VM does not affect another. */
		other = &vms[random_below(N_VMS)];
		for (unsigned k = 0; other->is_live && k < 3; k++)
			check_page(other, any_page(), k == 0);
		if (step_now % 2000 == 0)
			check_everything(step_now % 20000 == 0);
	}
	check_everything(true);
	end_all();
	check_seen();
}

static void say_step(void)
{
	fprintf(stderr, "test_history %llu %llu: at step %llu\n", (unsigned long long)seed,
		(unsigned long long)n_steps, (unsigned long long)step_now);
}

static int say_if_failed(void **state)
{
	if (step_now < n_steps)
		say_step();
	printf("no memory %u, injected %u, in turn %u, copied %u, stale %u, frozen %u, cloned %u, "
	       "reset %u, restored %u, destroyed %u, discarded %u, hidden %u, shown %u, scans %u, "
	       "given back %u, layers %u deep, shared %llu, large %u, ballooned %u\n",
	       seen.nomem, seen.injected, seen.in_turn, seen.copied, seen.stale, seen.frozen,
	       seen.cloned, seen.reset, seen.restored, seen.destroyed, seen.discarded,
	       seen.discarded_hidden, seen.shown, seen.freed, seen.given_back, seen.deepest,
	       (unsigned long long)seen.shared_most, seen.large, seen.ballooned);
	return 0;
}

static void say_abort(int number)
{
	say_step();
	_exit(1);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(histories_are_as_flat_arrays, start, say_if_failed),
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		n_steps = strtoull(argv[2], NULL, 0);
	signal(SIGABRT, say_abort);
	__sanitizer_set_death_callback(say_step);
	printf("test_history %llu %llu\n", (unsigned long long)seed, (unsigned long long)n_steps);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
