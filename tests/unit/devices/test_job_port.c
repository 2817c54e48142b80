/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/job_port.h"

#include "tests/unit/support.h"

static uint32_t write(struct job_port *port, uint64_t off, unsigned size, uint64_t value)
{
	return job_port_class.write(port,
				    &(struct io_access){.off = off, .size = size, .value = value});
}

static uint64_t read(struct job_port *port, uint64_t off, unsigned size)
{
	return job_port_class.read(port, &(struct io_access){.off = off, .size = size});
}

static void bytes_go_to_their_channel(void **state)
{
	struct job_port port = {.is_there = true};

	assert_int_equal(write(&port, 0, 1, 'a'), WISH_JOB_OUTPUT | JOB_STDOUT << 8 | 'a');
	assert_int_equal(write(&port, 4, 1, 0xff), WISH_JOB_OUTPUT | JOB_STDERR << 8 | 0xff);
	assert_int_equal(write(&port, 8, 1, 0), WISH_JOB_OUTPUT | JOB_FILE << 8);
	assert_int_equal(write(&port, 12, 4, 1), WISH_JOB_PUT);
	assert_int_equal(write(&port, 12, 4, 0), WISH_JOB_DROP);
	assert_int_equal(write(&port, 16, 4, 0xdead8b00), WISH_JOB_END | 0x8b00);
}

static void other_accesses_do_nothing(void **state)
{
	struct job_port port = {.is_there = true};

	assert_int_equal(write(&port, 0, 4, 'a'), 0);
	assert_int_equal(write(&port, 1, 1, 'a'), 0);
	assert_int_equal(write(&port, 12, 4, 2), 0);
	assert_int_equal(write(&port, 12, 1, 1), 0);
	assert_int_equal(write(&port, 13, 4, 1), 0);
	assert_int_equal(write(&port, 16, 2, 0), 0);
	assert_true(read(&port, 0, 1) == UINT64_MAX);
	assert_true(read(&port, 12, 1) == UINT64_MAX);
	assert_true(read(&port, 16, 4) == UINT64_MAX);
}

static void the_answer_is_about_the_last_file(void **state)
{
	struct job_port port = {.is_there = true};

	assert_int_equal(read(&port, 12, 4), JOB_KEPT);
	port.is_refused = true;
	assert_int_equal(read(&port, 12, 4), JOB_REFUSED);
}

static void a_vm_without_a_job_has_no_ports(void **state)
{
	struct job_port port = {0};

	for (unsigned off = 0; off < JOB_N_PORTS; off++)
		for (unsigned size = 1; size <= 4; size *= 2) {
			assert_int_equal(write(&port, off, size, 1), 0);
			assert_true(read(&port, off, size) == UINT64_MAX);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_go_to_their_channel),
		cmocka_unit_test(other_accesses_do_nothing),
		cmocka_unit_test(the_answer_is_about_the_last_file),
		cmocka_unit_test(a_vm_without_a_job_has_no_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
