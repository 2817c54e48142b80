/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/config/acpi_input.h"

#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/virtio/virtio_pmem.h"
#include "hv/vm/nvdimm_labels.h"
#include "tests/unit/support.h"

#define START	   UINT64_C(0x100000)
#define IMAGE_SIZE MIB(1)
#define LABEL_SIZE KIB(128)
#define ODD	   UINT64_C(0x20123)
#define N_FRAMES   256

static struct image image;
static struct backend ram[2]; /* of the nodes */
static struct backend mem[4]; /* of the DIMMs: ROM, private, shared, shared without an image */
static struct numa_node_config nodes[3];
static struct dimm_config dimms[4];
static struct vm_config config;
static struct mem_map map;
static struct acpi_room room;
static struct acpi_config acpi;

static void add(const struct backend *backend, uint64_t gpa, uint64_t len)
{
	map.region[map.n++] = (struct mem_region){.gpa = {gpa}, .len = len, .backend = backend};
}

static void make_nodes(void)
{
	nodes[0] = (struct numa_node_config){.next = &nodes[1], .backend = &ram[0]};
	nodes[1] = (struct numa_node_config){.next = &nodes[2], .nodeid = 1};
	nodes[2] = (struct numa_node_config){.nodeid = 2, .backend = &ram[1]};
}

static void make_dimms(void)
{
	static const enum mem_kind kinds[] = {MEM_ROM, MEM_COW, MEM_SHARED, MEM_SHARED};

	for (unsigned i = 0; i < 4; i++) {
		mem[i] = (struct backend){.kind = kinds[i],
					  .image = i < 3 ? &image : NULL,
					  .offset = i * PAGE_SIZE,
					  .size = IMAGE_SIZE / 2};
		dimms[i] = (struct dimm_config){.next = i < 3 ? &dimms[i + 1] : NULL,
						.is_nvdimm = true,
						.label_size = LABEL_SIZE,
						.slot = (int32_t)(2 * i),
						.node = 2,
						.backend = &mem[i]};
	}
	dimms[1].label_size = ODD;
}

static int setup(void **state)
{
	uint8_t *bytes = phys_arena(START, IMAGE_SIZE + N_FRAMES * PAGE_SIZE);

	memset(&config, 0, sizeof(config));
	config.topology = TOPOLOGY_ONE_CPU;
	memset(&map, 0, sizeof(map));
	memset(&room, 0xcc, sizeof(room));
	memset(ram, 0, sizeof(ram));
	acpi = (struct acpi_config){.n_cpus = 1};
	image = (struct image){.base = START, .size = IMAGE_SIZE};
	for (size_t i = 0; i < IMAGE_SIZE; i++)
		bytes[i] = (uint8_t)(i ^ i >> 7 ^ i >> 13);
	frame_reset();
	frame_add_range(START + IMAGE_SIZE, N_FRAMES * PAGE_SIZE);
	make_nodes();
	make_dimms();
	return 0;
}

static void a_plain_vm_needs_no_tables(void **state)
{
	struct vm_labels labels;

	add(NULL, 0, GIB(1));
	acpi = acpi_input(&config, &map, &room);
	assert_int_equal(acpi.n_memory, 0);
	assert_int_equal(acpi.n_nvdimms, 0);
	assert_null(acpi.distance);
	assert_false(vm_has_nvdimms(&config));
	assert_int_equal(vm_labels_create(&config, &labels), OK);
	assert_int_equal(labels.n, 0);
	vm_labels_destroy(&labels);
	assert_int_equal(frame_available(), N_FRAMES);
}

static void check_ram(const struct acpi_memory *memory, uint64_t gpa, uint64_t len, uint32_t node)
{
	assert_int_equal(memory->gpa, gpa);
	assert_int_equal(memory->len, len);
	assert_int_equal(memory->node, node);
	assert_int_equal(memory->flags, ACPI_MEMORY_ENABLED);
}

static void nodes_have_their_backends_memory(void **state)
{
	static const uint8_t distance[9] = {10}, cpu_node[] = {1, 0, 2};

	config.numa_nodes = nodes;
	config.n_numa_nodes = 3;
	config.cpu_node = cpu_node;
	config.topology.n_cpus = 3;
	config.numa_distance = distance;
	add(&ram[0], 0, GIB(1));
	add(&ram[1], GIB(1), GIB(2));
	add(&ram[1], GIB(4), MIB(4));
	acpi = acpi_input(&config, &map, &room);
	assert_int_equal(acpi.n_memory, 3);
	check_ram(&acpi.memory[0], 0, GIB(1), 0);
	check_ram(&acpi.memory[1], GIB(1), GIB(2), 2);
	check_ram(&acpi.memory[2], GIB(4), MIB(4), 2);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(acpi.cpu_node[i], cpu_node[i]);
	assert_int_equal(acpi.n_nodes, 3);
	assert_ptr_equal(acpi.distance, distance);
	assert_int_equal(acpi.n_nvdimms, 0);
}

static void dimms_are_told_with_the_ram(void **state)
{
	config.dimms = dimms;
	dimms[0].is_nvdimm = false;
	dimms[1].unarmed = true;
	/* Node 0, although a node without memory has no backend either. */
	add(NULL, 0, MIB(64));
	add(&mem[0], GIB(4), MIB(2));
	add(&mem[1], GIB(5), MIB(4));
	add(&mem[2], GIB(6), MIB(6));
	acpi = acpi_input(&config, &map, &room);
	assert_int_equal(acpi.n_memory, 2);
	check_ram(&acpi.memory[0], 0, MIB(64), 0);
	assert_int_equal(acpi.cpu_node[0], 0);
	assert_int_equal(acpi.memory[1].gpa, GIB(4));
	assert_int_equal(acpi.memory[1].len, MIB(2));
	assert_int_equal(acpi.memory[1].node, 2);
	assert_int_equal(acpi.memory[1].slot, 0);
	assert_int_equal(acpi.memory[1].flags, ACPI_MEMORY_ENABLED | ACPI_MEMORY_HOTPLUG);
	assert_int_equal(acpi.n_nvdimms, 2);
	assert_int_equal(acpi.nvdimms[0].gpa, GIB(5));
	assert_int_equal(acpi.nvdimms[0].len, MIB(4));
	assert_int_equal(acpi.nvdimms[0].node, 2);
	assert_int_equal(acpi.nvdimms[0].slot, 2);
	assert_int_equal(acpi.nvdimms[0].serial, 0x123458);
	assert_true(acpi.nvdimms[0].unarmed);
	assert_int_equal(acpi.nvdimms[1].slot, 4);
	assert_int_equal(acpi.nvdimms[1].serial, 0x12345a);
	assert_false(acpi.nvdimms[1].unarmed);
	assert_true(vm_has_nvdimms(&config));
}

static void firmware_is_no_ram(void **state)
{
	config.numa_nodes = nodes;
	config.n_numa_nodes = 3;
	add(&ram[0], 0, MIB(64));
	add(&config.bios, GIB(4) - KIB(128), KIB(128));
	acpi = acpi_input(&config, &map, &room);
	assert_int_equal(acpi.n_memory, 1);
	check_ram(&acpi.memory[0], 0, MIB(64), 0);
}

/* RAM without a backend is node 0's, although a node without memory has no backend either. */
static void memory_without_a_backend_is_in_the_first_node(void **state)
{
	static const uint8_t cpu_node[] = {1};

	config.numa_nodes = nodes;
	config.n_numa_nodes = 3;
	config.cpu_node = cpu_node;
	config.topology.n_cpus = 1;
	add(&ram[1], 0, GIB(1));
	add(NULL, GIB(1), MIB(64));
	acpi = acpi_input(&config, &map, &room);
	assert_int_equal(acpi.n_memory, 2);
	check_ram(&acpi.memory[0], 0, GIB(1), 2);
	check_ram(&acpi.memory[1], GIB(1), MIB(64), 0);
}

static const uint8_t *image_bytes(const struct backend *backend, uint64_t label_size)
{
	return (const uint8_t *)phys_to_virt(START) + backend->offset + backend->size - label_size;
}

static void labels_are_the_backends_end(void **state)
{
	struct vm_labels labels;

	config.dimms = dimms;
	assert_int_equal(vm_labels_create(&config, &labels), OK);
	assert_int_equal(labels.n, 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct nvdimm_labels *here = &labels.labels[i];

		assert_int_equal(here->handle, 2 * i + 1);
		assert_int_equal(here->size, i == 1 ? ODD : LABEL_SIZE);
		assert_true(here->writable == NULL || here->writable == here->bytes);
	}
	assert_null(labels.labels[0].writable);
	assert_ptr_equal(labels.labels[0].bytes, image_bytes(&mem[0], LABEL_SIZE));
	assert_non_null(labels.labels[1].writable);
	assert_ptr_equal(labels.labels[2].writable, image_bytes(&mem[2], LABEL_SIZE));
	assert_non_null(labels.labels[3].writable);
	vm_labels_destroy(&labels);
	assert_int_equal(frame_available(), N_FRAMES);
}

static void private_labels_are_a_copy(void **state)
{
	static uint8_t before[IMAGE_SIZE];
	struct vm_labels labels;
	phys_t frame = frame_alloc_run(N_FRAMES, PAGE_SIZE);

	memset(phys_to_virt(frame), 0xee, N_FRAMES * PAGE_SIZE);
	frame_free_run(frame, N_FRAMES);
	memcpy(before, phys_to_virt(START), IMAGE_SIZE);
	config.dimms = dimms;
	assert_int_equal(vm_labels_create(&config, &labels), OK);
	assert_memory_equal(labels.labels[1].bytes, image_bytes(&mem[1], ODD), ODD);
	for (unsigned i = 0; i < LABEL_SIZE; i++)
		assert_int_equal(labels.labels[3].bytes[i], 0);
	memset(labels.labels[1].writable, 1, ODD);
	memset(labels.labels[3].writable, 3, LABEL_SIZE);
	assert_memory_equal(phys_to_virt(START), before, IMAGE_SIZE);
	assert_int_equal(labels.labels[1].bytes[ODD - 1], 1);
	assert_int_equal(labels.labels[3].handle, 7);
	vm_labels_destroy(&labels);
}

static void only_its_driver_knows_of_pmem(void **state)
{
	struct virtio_pmem_config pmem;

	config.dimms = dimms;
	dimms[1].is_nvdimm = false;
	dimms[1].pmem = &pmem;
	add(&mem[0], GIB(4), MIB(2));
	add(&mem[1], GIB(5), MIB(2));
	acpi = acpi_input(&config, &map, &room);
	assert_int_equal(acpi.n_memory, 0);
	assert_int_equal(acpi.n_nvdimms, 1);
	assert_int_equal(acpi.nvdimms[0].gpa, GIB(4));
}

static void dimms_without_labels_take_nothing(void **state)
{
	struct vm_labels labels;

	config.dimms = dimms;
	for (unsigned i = 0; i < 4; i++)
		dimms[i].label_size = 0;
	dimms[0].is_nvdimm = false;
	dimms[0].label_size = LABEL_SIZE; /* ignored, because it is not an NVDIMM */
	assert_int_equal(vm_labels_create(&config, &labels), OK);
	assert_int_equal(labels.n, 0);
	assert_int_equal(frame_available(), N_FRAMES);
	vm_labels_destroy(&labels);
}

/* With any number of frames, none is lost; with too few, ERR_NOMEM. */
static void labels_without_memory_are_refused(void **state)
{
	uint64_t need = align_up(4 * sizeof(struct nvdimm_labels) + ODD + LABEL_SIZE, PAGE_SIZE) /
			PAGE_SIZE;
	struct vm_labels labels;

	config.dimms = dimms;
	for (uint64_t n = 0; n <= need; n++) {
		frame_reset();
		frame_add_range(START + IMAGE_SIZE, n * PAGE_SIZE);
		assert_int_equal(vm_labels_create(&config, &labels), n < need ? ERR_NOMEM : OK);
		vm_labels_destroy(&labels);
		assert_int_equal(frame_available(), n);
	}
}

/* ACPI tells the size in 32 bits. ROM's labels are not copied. */
static void labels_of_4_gib_end_before_that(void **state)
{
	static const uint64_t sizes[] = {UINT32_MAX - 1, UINT32_MAX, BIT(32), GIB(6)};

	config.dimms = dimms;
	dimms[0].next = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct vm_labels labels;

		dimms[0].label_size = mem[0].size = sizes[i];
		assert_int_equal(vm_labels_create(&config, &labels), OK);
		assert_int_equal(labels.n, 1);
		assert_int_equal(labels.labels->size, i == 0 ? UINT32_MAX - 1 : UINT32_MAX);
		assert_ptr_equal(labels.labels->bytes, image_bytes(&mem[0], sizes[i]));
		vm_labels_destroy(&labels);
	}
}

static void only_dimms_with_labels_are_listed(void **state)
{
	struct vm_labels labels;

	config.dimms = dimms;
	dimms[0].label_size = 0;
	dimms[2].is_nvdimm = false;
	assert_int_equal(vm_labels_create(&config, &labels), OK);
	assert_int_equal(labels.n, 2);
	assert_int_equal(labels.labels[0].handle, 3);
	assert_int_equal(labels.labels[1].handle, 7);
	assert_memory_equal(labels.labels[0].bytes, image_bytes(&mem[1], ODD), ODD);
	memset(labels.labels[0].writable, 1, ODD);
	for (unsigned i = 0; i < LABEL_SIZE; i++)
		assert_int_equal(labels.labels[1].bytes[i], 0);
	vm_labels_destroy(&labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_plain_vm_needs_no_tables, setup),
		cmocka_unit_test_setup(nodes_have_their_backends_memory, setup),
		cmocka_unit_test_setup(dimms_are_told_with_the_ram, setup),
		cmocka_unit_test_setup(only_its_driver_knows_of_pmem, setup),
		cmocka_unit_test_setup(firmware_is_no_ram, setup),
		cmocka_unit_test_setup(memory_without_a_backend_is_in_the_first_node, setup),
		cmocka_unit_test_setup(labels_are_the_backends_end, setup),
		cmocka_unit_test_setup(labels_of_4_gib_end_before_that, setup),
		cmocka_unit_test_setup(only_dimms_with_labels_are_listed, setup),
		cmocka_unit_test_setup(private_labels_are_a_copy, setup),
		cmocka_unit_test_setup(dimms_without_labels_take_nothing, setup),
		cmocka_unit_test_setup(labels_without_memory_are_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
