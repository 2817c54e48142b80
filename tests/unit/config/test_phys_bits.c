/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory above the physical addresses of the guest's processor is refused, at the option's place.
 */
#include "tests/unit/support.h"

#include "tests/unit/config_run.h"

/* Whether the machine with addresses of that width accepts the line. */
static bool accepts(unsigned phys_bits, const char *text)
{
	struct diag diag = {.file = "t"};
	enum status status;

	start_machine();
	log_reset();
	assert_int_equal(config_parse(text, strlen(text), &arena, &diag, &config), OK);
	assert_int_equal(config.phys_bits, CONFIG_PHYS_BITS_MAX);
	config.phys_bits = phys_bits;
	status = config_open(&config, &images, &diag);
	assert_int_equal(status == OK, diag.n_errors == 0);
	return diag.n_errors == 0;
}

static void refuses(unsigned phys_bits, const char *text, const char *message)
{
	assert_false(accepts(phys_bits, text));
	assert_string_equal(strtok(logged, "\n"), message);
}

/* 64 GiB of addresses; a hole of 1 GiB is below 4 GiB. */
static void ram_may_end_at_the_limit(void **state)
{
	assert_true(accepts(36, "vm v -kernel k -m 63G"));
	refuses(36, "vm v -kernel k -m 64516M",
		"error: t:1:19: Address space limit 0xfffffffff < 0x10003fffff phys-bits too low "
		"(36)");
	assert_true(accepts(37, "vm v -kernel k -m 64516M"));
	assert_true(accepts(36, "vm v -kernel k"));
}

static void ram_of_nodes_may_end_at_the_limit(void **state)
{
#define NODES(m) \
	"vm v -kernel k -m " m " -object memory-backend-ram,id=a,size=32G -object " \
	"memory-backend-ram,id=b,size=31G -numa node,memdev=a -numa node,memdev=b"
	assert_true(accepts(36, NODES("63G")));
	refuses(35, NODES("63G"),
		"error: t:1:19: Address space limit 0x7ffffffff < 0xfffffffff phys-bits too low "
		"(35)");
}

/* The size is the backend's: no -m says it. */
static void ram_of_a_backend_is_refused_at_the_vm(void **state)
{
	refuses(35,
		"vm v -kernel k -machine memory-backend=m -object memory-backend-ram,id=m,size=40G",
		"error: t:1:4: Address space limit 0x7ffffffff < 0xa3fffffff phys-bits too low "
		"(35)");
}

static void a_dimm_may_end_at_the_limit(void **state)
{
#define DIMM(addr) \
	"vm v -kernel k -m 1G,slots=1,maxmem=200G -object memory-backend-file,id=f,size=32M," \
	"mem-path=/d/f32 -device pc-dimm,memdev=f,addr=" addr
	assert_true(accepts(36, DIMM("0xffe000000")));
	refuses(36, DIMM("0xffe001000"),
		"error: t:1:108: Address space limit 0xfffffffff < 0x1000000fff phys-bits too low "
		"(36)");
	assert_true(accepts(37, DIMM("0xffe001000")));
}

/* The window begins after the RAM. */
static void a_dimm_without_address_may_end_at_the_limit(void **state)
{
#define AFTER(m) \
	"vm v -kernel k -m " m ",slots=1,maxmem=100G -object memory-backend-ram,id=r,size=1G " \
	"-device pc-dimm,memdev=r"
	assert_true(accepts(36, AFTER("62G")));
	refuses(36, AFTER("63G"),
		"error: t:1:91: Address space limit 0xfffffffff < 0x103fffffff phys-bits too low "
		"(36)");
}

/* The machine has 64 GiB. */
static void what_is_refused_already_is_not_measured(void **state)
{
	assert_false(accepts(36, "vm v -kernel k -m 100G"));
	assert_non_null(strstr(logged, "Cannot allocate memory"));
	assert_null(strstr(logged, "phys-bits"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_may_end_at_the_limit),
		cmocka_unit_test(ram_of_nodes_may_end_at_the_limit),
		cmocka_unit_test(ram_of_a_backend_is_refused_at_the_vm),
		cmocka_unit_test(a_dimm_may_end_at_the_limit),
		cmocka_unit_test(a_dimm_without_address_may_end_at_the_limit),
		cmocka_unit_test(what_is_refused_already_is_not_measured),
	};

	return cmocka_run_group_tests(tests, config_run_setup, NULL);
}
