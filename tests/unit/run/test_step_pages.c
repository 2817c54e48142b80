/* SPDX-License-Identifier: BSD-2-Clause */
/* An instruction that writes to many pages of ROM has the latest ones, each in a frame of its own.
 */
#include "hv/run/step_pages.h"

#include "tests/unit/support.h"

#define N_PAGES 32 /* of a scatter */

static void the_latest_pages_keep_their_frames(void **state)
{
	struct step_pages pages = {0};
	unsigned n = 0;

	for (unsigned page = 0; page < N_PAGES; page++) {
		if (n == STEP_PAGES_MAX) {
			step_pages_age(&pages);
			n--;
		}
		if (pages.scratch[n] == 0)
			pages.scratch[n] = PAGE_SIZE * (n + 1);
		pages.gpa[n] = (gpa_t){page};
		pages.old_entry[n] = 2 * page;
		n++;
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(pages.gpa[i].raw, page + 1 - n + i);
			assert_int_equal(pages.old_entry[i], 2 * pages.gpa[i].raw);
			assert_int_equal(pages.scratch[i],
					 PAGE_SIZE * (pages.gpa[i].raw % STEP_PAGES_MAX + 1));
		}
	}
}

static void a_scatter_has_enough(void **state)
{
	assert_true(STEP_REUSED_MAX >= N_PAGES * (1 + 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_latest_pages_keep_their_frames),
		cmocka_unit_test(a_scatter_has_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
