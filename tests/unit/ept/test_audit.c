/* SPDX-License-Identifier: BSD-2-Clause */
/* Each rule that the audit checks is broken once. */
#include "hv/ept/audit.h"

#include <string.h>

#include "hv/ept/table.h"
#include "tests/unit/ept_freeze.h"
#include "tests/unit/support.h"

/* The image lies below the free memory, and one frame of the hypervisor's own above it. */
#define IMAGE	   MIB(2)
#define FREE	   MIB(3)
#define N_FRAMES   128
#define HYPERVISOR (FREE + N_FRAMES * PAGE_SIZE)
#define BLOCK	   MIB(4) /* free memory, too, for the test that adds it */
#define N_USES	   ((BLOCK + MIB(2)) / PAGE_SIZE)
#define RX	   (EPT_R | EPT_X | EPT_TYPE(6))

/* Guest-physical addresses: private over the image, shared over it, ROM, zeros. */
#define COW    MIB(0)
#define SHARED MIB(16)
#define ROM    MIB(32)
#define ZEROS  MIB(48)
#define LEN    (4 * PAGE_SIZE)

static struct ept template, clone, other;
static struct ept_layer *layer, *second; /* 'second' is over the first; NULL: none */
static char said[4000];
static phys_t merged, scratch; /* 0: none */
static uint64_t n_merged;      /* leaves that the last audit found */
static uint8_t use[N_USES];

static gpa_t at(uint64_t raw)
{
	return (gpa_t){raw};
}

static bool shows(const void *context, gpa_t gpa, phys_t frame, bool writes)
{
	(void)context;
	return frame == IMAGE + (gpa.raw & (MIB(2) - 1)) && gpa.raw < ZEROS &&
	       (!writes || (gpa.raw >= SHARED && gpa.raw < SHARED + LEN));
}

static void say(const char *name, const char *what)
{
	strcat(said, name);
	strcat(said, ": ");
	strcat(said, what);
	strcat(said, "\n");
}

static void claim_free(void *context, phys_t frame)
{
	ept_audit_claim(context, frame, FRAME_FREE);
}

static uint64_t audit_all(void)
{
	const struct ept_memory memory = {NULL, shows};
	struct ept_audit audit = {.uses = {use, N_USES}, .say = say, .name = "free"};
	struct ept *trees[] = {&template, &clone, &other};
	static const char *const names[] = {"template", "clone", "other"};

	memset(use, 0, sizeof(use));
	said[0] = '\0';
	frame_each_free(claim_free, &audit);
	for (unsigned i = 0; i < 4; i++)
		ept_audit_claim(&audit, IMAGE + i * PAGE_SIZE, FRAME_IMAGE);
	ept_audit_claim_zeros(&audit);
	if (merged)
		ept_audit_claim(&audit, merged, FRAME_MERGED);
	if (scratch)
		ept_audit_claim(&audit, scratch, FRAME_SCRATCH);
	assert_true(ept_audit_claim_layer(&audit, layer));
	assert_false(ept_audit_claim_layer(&audit, layer));
	layer->n_found = 1; /* the test's own */
	if (second) {
		assert_true(ept_audit_claim_layer(&audit, second));
		second->n_found = 1 + (clone.base == second);
		layer->n_found++;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(trees); i++) {
		audit.name = names[i];
		ept_audit_claim_tree(&audit, trees[i]);
		layer->n_found += trees[i]->base == layer;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(trees); i++) {
		audit.name = names[i];
		ept_audit_check_tree(&audit, trees[i], &memory);
	}
	audit.name = "layer";
	ept_audit_check_layer(&audit, layer, &memory);
	if (second)
		ept_audit_check_layer(&audit, second, &memory);
	n_merged = audit.n_merged;
	return audit.n_faults;
}

/* Something is wrong, and a message has these words. */
static void expect(const char *words)
{
	assert_int_not_equal(audit_all(), 0);
	if (strstr(said, words) == NULL)
		fail_msg("'%s' is not in:\n%s", words, said);
}

static uint64_t *slot_of(const struct ept *ept, uint64_t gpa, unsigned to)
{
	bool has_top = !ept->owns_root && (ept->top & EPT_OWN);
	uint64_t *table = has_top ? table_of(ept->top) : table_at(ept->root);

	for (unsigned level = ROOT_LEVEL - has_top; level > to; level--)
		table = table_of(table[index_at(at(gpa), level)]);
	return &table[index_at(at(gpa), to)];
}

/* Put another entry into a slot, see the message, and put the old one back. */
static void break_slot(uint64_t *slot, uint64_t entry, const char *words)
{
	uint64_t old = *slot;

	*slot = entry;
	expect(words);
	*slot = old;
	assert_int_equal(audit_all(), 0);
}

static void map_all(struct ept *ept)
{
	assert_int_equal(ept_init(ept, 3, EPT_UNLIMITED), OK);
	assert_int_equal(ept_map(ept, at(COW), IMAGE, LEN, RX), OK);
	assert_int_equal(ept_map(ept, at(SHARED), IMAGE, LEN, RX | EPT_W), OK);
	assert_int_equal(ept_map(ept, at(ROM), IMAGE, LEN, RX), OK);
	assert_int_equal(ept_map_zero(ept, at(ZEROS), MIB(2)), OK);
}

static int setup(void **state)
{
	phys_t frame;

	frame_reset();
	phys_arena(IMAGE, MIB(4)); /* to the end of BLOCK */
	frame_add_range(FREE, N_FRAMES * PAGE_SIZE);
	if (ept_setup() != OK)
		return -1;
	map_all(&template);
	map_all(&other);
	assert_int_equal(ept_copy(&template, at(COW), &frame), OK);
	assert_int_equal(ept_copy(&template, at(ZEROS), &frame), OK);
	assert_int_equal(freeze_tree(&template, &layer), OK);
	ept_clone(&clone, layer, EPT_UNLIMITED);
	assert_int_equal(ept_copy(&clone, at(ZEROS + PAGE_SIZE), &frame), OK);
	assert_int_equal(ept_copy(&other, at(COW), &frame), OK);
	return 0;
}

static int teardown(void **state)
{
	ept_destroy(&clone);
	ept_destroy(&template);
	ept_destroy(&other);
	ept_layer_put(layer);
	assert_int_equal(frame_available(), frame_total() - EPT_ZERO_LEVELS);
	return 0;
}

static void sound_trees_pass(void **state)
{
	assert_int_equal(audit_all(), 0);
	assert_string_equal(said, "");
	/* Sealed for merging. */
	ept_seal(&clone, at(ZEROS + PAGE_SIZE));
	assert_int_equal(audit_all(), 0);
}

static void a_frame_has_one_owner(void **state)
{
	uint64_t page = *slot_of(&other, COW, 0);

	break_slot(slot_of(&clone, ZEROS + PAGE_SIZE, 0), page,
		   "other: frame 0x3"); /* the second one to claim it */
	assert_null(strstr(said, "free"));
}

static void a_free_frame_is_nobodys(void **state)
{
	phys_t frame = frame_alloc();

	assert_int_not_equal(frame, 0);
	frame_free(frame);
	break_slot(slot_of(&clone, ZEROS + 2 * PAGE_SIZE, 0), frame | EPT_OWN | RX | EPT_W,
		   "is a VM's memory and free");
	break_slot(slot_of(&clone, ZEROS + 2 * PAGE_SIZE, 0), frame | RX, "which is free");
}

static void no_tree_leads_to_the_hypervisor(void **state)
{
	break_slot(slot_of(&other, ROM, 0), HYPERVISOR | RX, "which is the hypervisor's own");
	/* A table is no memory for a guest either, nor is the record of a template. */
	break_slot(slot_of(&other, ROM, 0), (clone.top & EPT_ADDR) | RX, "which is a VM's memory");
	break_slot(slot_of(&other, ROM, 0), virt_to_phys(layer) | RX, "a template's record");
	break_slot(slot_of(&other, ROM, 0), GIB(64) | RX, "which is the hypervisor's own");
}

static void what_others_read_is_not_writable(void **state)
{
	break_slot(slot_of(&other, ROM, 0), IMAGE | RX | EPT_W, "with the right to write");
	break_slot(slot_of(&clone, ZEROS + 2 * PAGE_SIZE, 0), ept_zero_frame() | RX | EPT_W,
		   "zeros, with the right to write");
	break_slot(slot_of(&clone, ZEROS, 0), *slot_of(&clone, ZEROS, 0) | EPT_W,
		   "a template's, with the right to write");
	break_slot(slot_of(&(struct ept){.root = layer->root}, ROM, 0), IMAGE | RX | EPT_W,
		   "layer: address 0x2000000 leads to frame 0x200000");
}

static void an_image_is_seen_where_it_lies(void **state)
{
	break_slot(slot_of(&other, ROM, 0), (IMAGE + PAGE_SIZE) | RX, "which is an image's");
	break_slot(slot_of(&other, ZEROS, 1), IMAGE | RX | EPT_LARGE, "which is an image's");
}

static void a_clone_sees_its_own_template(void **state)
{
	uint64_t page = *slot_of(&clone, ZEROS, 0);

	break_slot(slot_of(&clone, ZEROS + 2 * PAGE_SIZE, 0), page, "which is a template's");
	break_slot(slot_of(&other, ROM, 0), page, "which is a template's");
}

static void borrowed_tables_are_not_writable(void **state)
{
	uint64_t *slot = slot_of(&clone, COW, 1);

	break_slot(slot, *slot | EPT_W, "the table");
	break_slot(slot, (other.root & EPT_ADDR) | EPT_R | EPT_X, "the table");
}

static void own_entries_are_whole(void **state)
{
	uint64_t *page = slot_of(&clone, ZEROS + PAGE_SIZE, 0), *table = slot_of(&clone, ZEROS, 1);

	break_slot(page, *page & ~EPT_R, "the own entry");
	break_slot(page, *page | EPT_MERGED, "the own entry");
	break_slot(table, *table & ~EPT_W, "the own entry");
	/* A layer has none. */
	page = slot_of(&(struct ept){.root = layer->root}, ZEROS, 0);
	break_slot(page, *page | EPT_OWN, "layer: address 0x3000000: the own entry");
}

/* What a reset has put back is in a tree's own tables only, and not merged as well. */
static void returned_entries_are_trees(void **state)
{
	uint64_t *page = slot_of(&clone, ZEROS + PAGE_SIZE, 0);

	ept_reset(&clone);
	assert_true(*page & EPT_RETURNED);
	assert_int_equal(ept_show_zeros(&clone, at(ZEROS)), OK);
	assert_int_equal(audit_all(), 0);
	break_slot(page, *page | EPT_MERGED, "the returned entry");
	page = slot_of(&(struct ept){.root = layer->root}, COW, 0);
	break_slot(page, *page | EPT_RETURNED, "the returned entry");
}

/* Fresh memory has no translation, and only zeros for bytes. */
static void fresh_memory_is_zeros(void **state)
{
	uint64_t *slot = slot_of(&clone, ZEROS + 2 * PAGE_SIZE, 0);

	assert_true(*slot & EPT_FRESH);
	break_slot(slot, *slot | EPT_R, "address 0x3002000: the fresh entry");
	break_slot(slot, *slot | EPT_OWN, "address 0x3002000: the fresh entry");
	break_slot(slot, *slot + PAGE_SIZE, "address 0x3002000: the fresh entry");
	slot = slot_of(&other, ZEROS, 1);
	assert_true(*slot & EPT_FRESH);
	break_slot(slot, *slot | EPT_W, "other: address 0x3000000: the fresh entry");
	assert_int_equal(ept_show_zeros(&other, at(ZEROS)), OK);
	assert_int_equal(ept_show_zeros(&clone, at(ZEROS)), OK);
	assert_int_equal(audit_all(), 0);
}

static void zeros_stay_zeros(void **state)
{
	uint64_t *zeros = table_at(ept_zero_frame()), *table = table_at(ept_zero_table(1));

	break_slot(&zeros[7], 1, "word 7 of zeros at level 0 is 0x1");
	break_slot(&table[3], table[3] | EPT_W, "word 3 of zeros at level 1");
}

/* A page that was found equal: to zeros, and later to a page that is kept for such. */
static void merged_pages_are_borrowed(void **state)
{
	gpa_t page = at(ZEROS + PAGE_SIZE);
	uint64_t *slot = slot_of(&clone, page.raw, 0);
	phys_t frame = *slot & EPT_ADDR;

	ept_seal(&clone, page);
	assert_int_equal(ept_give_back(&clone, page, frame, ept_zero_frame() | RX), frame);
	frame_free(frame);
	assert_int_equal(audit_all(), 0);
	assert_int_equal(n_merged, 1);
	break_slot(slot, *slot | EPT_W, "zeros, with the right to write");
	merged = frame_alloc();
	break_slot(slot, merged | RX | EPT_MERGED | EPT_W,
		   "a merged page, with the right to write");
	assert_int_equal(audit_all(), 0);
	frame_free(merged);
	merged = 0;
	/* The layer keeps the page, and its log the note. */
	assert_int_equal(freeze_tree(&clone, &second), OK);
	assert_int_equal(audit_all(), 0);
	assert_int_equal(n_merged, 1);
	ept_layer_put(second);
	second = NULL;
}

/* For one instruction that writes to ROM. */
static void a_scratch_page_is_a_trees(void **state)
{
	uint64_t rom, unused;

	scratch = frame_alloc();
	assert_int_equal(ept_override(&other, at(ROM), scratch | RX | EPT_W, &rom), OK);
	assert_int_equal(audit_all(), 0);
	break_slot(slot_of(&(struct ept){.root = layer->root}, ROM, 0), scratch | RX,
		   "layer: address 0x2000000 leads to frame");
	assert_int_equal(ept_override(&other, at(ROM), rom, &unused), OK);
	frame_free(scratch);
	scratch = 0;
}

/* Of a VM, of a template, and waiting to be freed. */
static void a_large_page_is_all_of_its_frames(void **state)
{
	static const struct frame_policy anywhere = {.mode = FRAME_LOCAL};
	uint64_t gpa = ZEROS + MIB(2), *entry, *slot;

	frame_add_range(BLOCK, MIB(2));
	assert_int_equal(ept_map_zero(&clone, at(gpa), MIB(4)), OK);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), BLOCK);
	assert_int_equal(ept_populate_large_begin(&clone, at(gpa), &entry), OK);
	ept_populate_large_end(&clone, entry, BLOCK);
	assert_int_equal(audit_all(), 0);
	slot = slot_of(&clone, gpa, 1);
	break_slot(slot, *slot & ~EPT_W, "the own entry");
	break_slot(slot, *slot & ~EPT_X, "the own entry");
	break_slot(slot, *slot | EPT_MERGED, "the own entry");
	break_slot(slot, *slot + PAGE_SIZE, "the own entry");
	break_slot(slot, (*slot & ~EPT_X) | EPT_W, "the own entry");
	break_slot(slot_of(&other, ROM, 0), (BLOCK + MIB(1)) | RX, "which is a VM's memory");
	break_slot(slot_of(&other, COW, 0), (BLOCK + MIB(1)) | RX | EPT_W | EPT_OWN,
		   "is a VM's memory and a VM's memory");
	/* On a processor whose large pages are not executable. */
	*slot ^= EPT_X | EPT_SMALL_CODE;
	assert_int_equal(audit_all(), 0);
	*slot ^= EPT_X | EPT_SMALL_CODE;
	slot = slot_of(&clone, ZEROS + PAGE_SIZE, 0);
	break_slot(slot, *slot | EPT_LARGE,
		   "is a VM's memory and"); /* of all the frames after it */
	break_slot(slot, *slot | EPT_SMALL_CODE, "the own entry");
	assert_int_equal(freeze_tree(&clone, &second), OK);
	assert_int_equal(audit_all(), 0);
	break_slot(slot_of(&other, ROM, 0), (BLOCK + MIB(1)) | RX, "which is a template's");
	ept_layer_put(second);
	second = NULL;
}

static void a_retired_large_page_is_its_trees(void **state)
{
	static const struct frame_policy anywhere = {.mode = FRAME_LOCAL};
	uint64_t *entry;

	frame_add_range(BLOCK, MIB(2));
	assert_int_equal(ept_map_zero(&other, at(ZEROS), MIB(2)), OK);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), BLOCK);
	assert_int_equal(ept_populate_large_begin(&other, at(ZEROS), &entry), OK);
	ept_populate_large_end(&other, entry, BLOCK);
	assert_int_equal(ept_map(&other, at(ZEROS), 0, MIB(2), 0), OK);
	assert_int_equal(other.n_retired, FRAME_BLOCK);
	assert_int_equal(audit_all(), 0);
	ept_reclaim(&other);
	assert_int_equal(audit_all(), 0);
}

/* More pages than fit in the record, and frames that wait to be freed. */
static void long_logs_and_retired_frames_are_the_trees(void **state)
{
	phys_t frame;

	for (unsigned i = 0; i < 2 * EPT_LOG_FIRST; i++)
		assert_int_equal(ept_copy(&clone, at(ZEROS + i * PAGE_SIZE), &frame), OK);
	assert_int_not_equal(clone.log.n_chunks, 0);
	assert_int_equal(audit_all(), 0);
	assert_int_equal(ept_map(&clone, at(ZEROS), 0, 2 * EPT_LOG_FIRST * PAGE_SIZE, 0), OK);
	assert_int_not_equal(clone.n_retired, 0);
	assert_int_equal(audit_all(), 0);
	ept_reclaim(&clone);
}

static void a_processors_root_has_one_entry(void **state)
{
	struct ept_audit audit = {.say = say, .name = "the machine"};
	phys_t root = frame_alloc_zeroed();
	uint64_t *table = table_at(root);

	table[0] = clone.top;
	ept_audit_check_root(&audit, root, clone.top);
	assert_int_equal(audit.n_faults, 0);
	said[0] = '\0';
	table[511] = clone.top;
	ept_audit_check_root(&audit, root, clone.top);
	assert_int_equal(audit.n_faults, 1);
	assert_non_null(strstr(said, "entry 511 of a processor's root is 0x"));
	table[511] = 0;
	ept_audit_check_root(&audit, root, 0);
	assert_int_equal(audit.n_faults, 2);
	assert_non_null(strstr(said, "entry 0 of a processor's root is 0x"));
	frame_free(root);
}

static void counts_are_right(void **state)
{
	clone.n_owned++;
	expect("clone: owns ");
	clone.n_owned--;
	layer->n_owned++;
	expect("the layer owns ");
	layer->n_owned--;
	layer->n_refs++;
	expect("is used 3 times, but counts 4");
	layer->n_refs--;
	assert_int_equal(audit_all(), 0);
}

static void a_tree_without_a_root_of_its_own_has_its_layers(void **state)
{
	phys_t root = template.root;

	template.root = other.root;
	expect("is neither the VM's own nor its template's: a bug of Stencil; destroy the VM, and "
	       "report this line");
	template.root = root;
	template.base = NULL;
	expect("template: the root table 0x");
	template.base = layer;
	assert_int_equal(audit_all(), 0);
}

static void the_first_entry_is_the_roots_or_the_trees_own(void **state)
{
	break_slot(&template.top, clone.top & ~(EPT_OWN | EPT_W), "address 0: the root's entry 0x");
	break_slot(&template.top, 0, "address 0: the root's entry 0x");
	break_slot(&other.top, 0, "address 0: the root's entry 0x");
	break_slot(&clone.top, clone.top & ~EPT_W, "address 0: the own entry 0x");
	layer->is_narrow = false;
	expect("clone: address 0: the root's entry 0x");
	layer->is_narrow = true;
	assert_int_equal(audit_all(), 0);
}

static void a_table_of_zeros_is_no_page(void **state)
{
	break_slot(slot_of(&other, ROM, 0), ept_zero_table(1) | RX, "which is zeros");
}

/* The log still has the slot of a page that was unmapped. */
static void what_was_unmapped_before_a_freeze_is_not_the_layers(void **state)
{
	phys_t frame;

	assert_int_equal(ept_copy(&clone, at(ZEROS + 2 * PAGE_SIZE), &frame), OK);
	assert_int_equal(ept_map(&clone, at(ZEROS + 2 * PAGE_SIZE), 0, PAGE_SIZE, 0), OK);
	ept_reclaim(&clone);
	assert_int_equal(freeze_tree(&clone, &second), OK);
	assert_int_equal(audit_all(), 0);
	ept_layer_put(second);
	second = NULL;
}

/* Its tables of zeros are the machine's. */
static void a_layer_may_borrow_tables(void **state)
{
	assert_int_equal(ept_map_zero(&clone, at(GIB(1)), MIB(2)), OK);
	assert_int_equal(freeze_tree(&clone, &second), OK);
	assert_int_equal(audit_all(), 0);
	ept_layer_put(second);
	second = NULL;
}

static void only_the_first_faults_are_said(void **state)
{
	uint64_t saved[ENTRIES], *table = slot_of(&other, COW, 1);

	memcpy(saved, table, sizeof(saved));
	for (unsigned i = 0; i < ENTRIES; i++)
		table[i] = HYPERVISOR | RX | EPT_LARGE;
	assert_true(audit_all() >= ENTRIES);
	memcpy(table, saved, sizeof(saved));
	assert_int_equal(audit_all(), 0);
}

/* The root's entry for what no processor may find, of a tree and of a layer. */
static void what_is_hidden_stays_hidden(void **state)
{
	const uint64_t hidden = EPT_HIDDEN_START + ZEROS;
	struct ept_layer *both;
	uint64_t *slot;
	phys_t frame;

	assert_int_equal(ept_map_zero(&other, at(hidden), MIB(2)), OK);
	assert_int_equal(ept_copy(&other, at(hidden), &frame), OK);
	assert_int_equal(audit_all(), 0);
	slot = &table_at(other.root)[index_at(at(hidden), ROOT_LEVEL)];
	break_slot(slot, *slot | EPT_PRESENT, "is not hidden");
	break_slot(slot, *slot | EPT_R, "is not hidden");
	break_slot(slot, *slot & ~EPT_HIDDEN, "is not hidden");
	assert_int_equal(freeze_tree(&other, &both), OK);
	slot = &table_at(both->root)[index_at(at(hidden), ROOT_LEVEL)];
	assert_int_equal(*slot & (EPT_OWN | EPT_PRESENT), 0);
	assert_true(*slot & EPT_HIDDEN);
	ept_layer_put(both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sound_trees_pass, setup, teardown),
		cmocka_unit_test_setup_teardown(a_frame_has_one_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(a_free_frame_is_nobodys, setup, teardown),
		cmocka_unit_test_setup_teardown(no_tree_leads_to_the_hypervisor, setup, teardown),
		cmocka_unit_test_setup_teardown(what_others_read_is_not_writable, setup, teardown),
		cmocka_unit_test_setup_teardown(an_image_is_seen_where_it_lies, setup, teardown),
		cmocka_unit_test_setup_teardown(a_clone_sees_its_own_template, setup, teardown),
		cmocka_unit_test_setup_teardown(borrowed_tables_are_not_writable, setup, teardown),
		cmocka_unit_test_setup_teardown(own_entries_are_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(merged_pages_are_borrowed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_scratch_page_is_a_trees, setup, teardown),
		cmocka_unit_test_setup_teardown(a_retired_large_page_is_its_trees, setup, teardown),
		cmocka_unit_test_setup_teardown(a_large_page_is_all_of_its_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(long_logs_and_retired_frames_are_the_trees, setup,
						teardown),
		cmocka_unit_test_setup_teardown(zeros_stay_zeros, setup, teardown),
		cmocka_unit_test_setup_teardown(returned_entries_are_trees, setup, teardown),
		cmocka_unit_test_setup_teardown(fresh_memory_is_zeros, setup, teardown),
		cmocka_unit_test_setup_teardown(a_processors_root_has_one_entry, setup, teardown),
		cmocka_unit_test_setup_teardown(counts_are_right, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_entry_is_the_roots_or_the_trees_own,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_tree_without_a_root_of_its_own_has_its_layers,
						setup, teardown),
		cmocka_unit_test_setup_teardown(only_the_first_faults_are_said, setup, teardown),
		cmocka_unit_test_setup_teardown(a_table_of_zeros_is_no_page, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_unmapped_before_a_freeze_is_not_the_layers,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_layer_may_borrow_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_hidden_stays_hidden, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
