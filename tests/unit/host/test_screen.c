/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/screen.h"

#include <string.h>

#include "tests/unit/support.h"

enum { WIDTH = 8 * 10 + 3, HEIGHT = 16 * 4 + 5, PITCH = 100 };
enum { WIDE = 3840, WIDE_ROWS = 2, TALL = 16 * 3 * WIDE_ROWS };

#define PLAIN	0xaaaaaa
#define NEWEST	0xffffff
#define WARNING 0xffd700
#define ERROR	0xff5050
#define BEFORE	0xeeeeeeee /* what the frame buffer held before */

/* Every glyph has its own code in its first line, and a second line that ends in a set pixel. */
#define GLYPH(c) [c] = {c, 0x01}
#define GLYPH8(c) \
	GLYPH(c), GLYPH(c + 1), GLYPH(c + 2), GLYPH(c + 3), GLYPH(c + 4), GLYPH(c + 5), \
		GLYPH(c + 6), GLYPH(c + 7)
#define GLYPH32(c) GLYPH8(c), GLYPH8(c + 8), GLYPH8(c + 16), GLYPH8(c + 24)
const uint8_t font[FONT_GLYPHS][FONT_HEIGHT] = {GLYPH32(32), GLYPH32(64), GLYPH32(96)};

static uint32_t pixels[HEIGHT * PITCH];
static uint32_t wide[TALL * WIDE];
static struct screen screen;

static const struct screen_display display = {.base = pixels,
					      .width = WIDTH,
					      .height = HEIGHT,
					      .pitch = PITCH * 4,
					      .red_shift = 16,
					      .green_shift = 8};

static void start(void)
{
	memset(pixels, 0xee, sizeof(pixels));
	screen_init(&screen);
	screen_add(&screen, &display);
}

static void print(const char *s)
{
	screen_write(&screen, SCREEN_PLAIN, s, strlen(s));
}

/* The character painted at 'at', told by its glyph's lines, in the given scale. */
static char painted_at(const uint32_t *at, size_t pitch, unsigned scale, uint32_t *color)
{
	uint8_t bits = 0;

	*color = at[scale * pitch + 7 * scale]; /* set in each glyph */
	for (unsigned i = 0; i < 8 * scale; i++) {
		assert_true(at[i] == *color || at[i] == 0);
		assert_int_equal(at[i], at[i - i % scale]);
		for (unsigned y = 0; y < scale; y++)
			assert_int_equal(at[y * pitch + i], at[i]);
		if (i % scale == 0)
			bits = (uint8_t)(bits << 1 | (at[i] != 0));
	}
	assert_int_equal(at[scale * pitch + 7 * scale - 1], 0);
	return (char)bits;
}

static char painted(unsigned row, unsigned column, uint32_t *color)
{
	return painted_at(&pixels[row * 16 * PITCH + column * 8], PITCH, 1, color);
}

static void expect_rows(const char *const *rows)
{
	uint32_t color;

	screen_draw(&screen);
	for (unsigned row = 0; row < 4; row++) {
		for (unsigned column = 0; column < 10; column++) {
			char want = column < strlen(rows[row]) ? rows[row][column] : ' ';

			if (want == ' ')
				assert_int_equal(pixels[row * 16 * PITCH + column * 8], 0);
			else
				assert_int_equal(painted(row, column, &color), want);
		}
	}
}

static void the_display_is_cleared_and_its_padding_is_not(void **state)
{
	start();
	print("ab\ncd");
	expect_rows((const char *const[]){"ab", "cd", "", ""});
	for (unsigned y = 0; y < HEIGHT; y++) {
		for (unsigned x = 0; x < PITCH; x++) {
			if (x >= WIDTH)
				assert_int_equal(pixels[y * PITCH + x], BEFORE);
			else if (x >= 80 || y >= 64)
				assert_int_equal(pixels[y * PITCH + x], 0);
		}
	}
}

static void long_lines_wrap_and_the_oldest_row_scrolls_away(void **state)
{
	start();
	print("0123456789"); /* a full row does not open the next one */
	expect_rows((const char *const[]){"0123456789", "", "", ""});
	print("\n1\n2\n");
	print("abcdefghijK");
	expect_rows((const char *const[]){"1", "2", "abcdefghij", "K"});
}

static void control_characters_act_as_on_a_terminal(void **state)
{
	start();
	print("abc\rX\n");
	print("ab\bC\n");
	print("a\tb\n");
	print("\x01\x7f\xc3z");
	expect_rows((const char *const[]){"Xbc", "aC", "a       b", "?z"});
	start();
	print("\b\b1\t\tx"); /* the second tab wraps */
	expect_rows((const char *const[]){"1", "        x", "", ""});
}

static void a_tab_ends_on_a_screen_narrower_than_a_tab(void **state)
{
	struct screen_display narrow = display;

	narrow.width = 8 * 5;
	screen_init(&screen);
	screen_add(&screen, &narrow);
	assert_int_equal(screen.columns, 5);
	print("a\tb");
	assert_in_range(screen.column, 1, 5);
}

static void escape_sequences_leave_no_trace_even_in_pieces(void **state)
{
	start();
	print("a\033[0;32mb\033[");
	print("1");
	print("\x7fmc\033cd");
	expect_rows((const char *const[]){"abcd", "", "", ""});
}

static void only_cells_that_changed_are_painted(void **state)
{
	uint32_t color;

	start();
	print("abc");
	screen_draw(&screen);
	memset(pixels, 0, sizeof(pixels));
	print("\b\bXc");
	screen_draw(&screen);
	assert_int_equal(painted(0, 1, &color), 'X');
	for (unsigned y = 0; y < HEIGHT; y++) {
		for (unsigned x = 0; x < PITCH; x++) {
			if (x / 8 != 1 || y >= 16)
				assert_int_equal(pixels[y * PITCH + x], 0);
		}
	}
}

static void expect_color(unsigned row, uint32_t want)
{
	uint32_t color;

	screen_draw(&screen);
	(void)painted(row, 0, &color);
	assert_int_equal(color, want);
}

static void errors_warnings_and_the_newest_line_have_a_colour(void **state)
{
	start();
	print("a\n");
	expect_color(0, NEWEST);
	screen_write(&screen, SCREEN_ERROR, "eeeeeeeeeeE\n", 12); /* wraps */
	expect_color(0, PLAIN);
	expect_color(1, ERROR);
	expect_color(2, ERROR);
	screen_write(&screen, SCREEN_WARNING, "w\n", 2);
	expect_color(1, ERROR); /* scrolled by one */
	expect_color(2, WARNING);
	print("b\n");
	print("c");
	expect_color(2, PLAIN);
	expect_color(3, NEWEST);
	print("d"); /* the same line */
	expect_color(3, NEWEST);
}

static void wide_displays_have_larger_letters(void **state)
{
	static const struct {
		uint32_t width;
		unsigned scale, columns;
	} cases[] = {{1919, 1, 239}, {1920, 2, 120}, {3839, 2, 239}, {3840, 3, 160}};
	uint32_t color;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned scale = cases[i].scale;

		memset(wide, 0xee, sizeof(wide));
		screen_init(&screen);
		screen_add(&screen, &(struct screen_display){.base = wide,
							     .width = cases[i].width,
							     .height = 16 * scale * WIDE_ROWS,
							     .pitch = WIDE * 4,
							     .green_shift = 8,
							     .blue_shift = 16});
		assert_int_equal(screen.columns, cases[i].columns);
		assert_int_equal(screen.rows, WIDE_ROWS);
		screen_write(&screen, SCREEN_ERROR, "a\nbZ", 4);
		screen_draw(&screen);
		assert_int_equal(painted_at(wide, WIDE, scale, &color), 'a');
		assert_int_equal(painted_at(wide + (16 * WIDE + 8) * scale, WIDE, scale, &color),
				 'Z');
		assert_int_equal(color, 0x5050ff); /* red is the lowest byte here */
		assert_int_equal(wide[cases[i].width - 1], 0);
	}
}

static void several_displays_show_the_text_of_the_smallest(void **state)
{
	uint32_t color;

	start();
	screen_add(&screen, &(struct screen_display){.base = wide,
						     .width = WIDE,
						     .height = TALL,
						     .pitch = WIDE * 4,
						     .green_shift = 8,
						     .blue_shift = 16});
	assert_int_equal(screen.n_displays, 2);
	print("0123456789Z"); /* the columns of the first, the rows of the second */
	expect_color(1, NEWEST);
	assert_int_equal(painted(1, 0, &color), 'Z');
	assert_int_equal(painted_at(wide + 16 * 3 * WIDE, WIDE, 3, &color), 'Z');
	print("\nb");
	screen_draw(&screen);
	assert_int_equal(painted_at(wide, WIDE, 3, &color), 'Z');
	assert_int_equal(painted(0, 0, &color), 'Z');
	assert_int_equal(pixels[32 * PITCH], 0);
}

/* So that a pass ends although the text changes all the time. */
static void each_row_is_taken_once_in_a_pass(void **state)
{
	struct screen_row row;
	unsigned at, n = 0;
	uint32_t color;

	start();
	print("a\nb\nc");
	assert_false(screen_take(&screen, &at, &row)); /* not begun */
	screen_begin(&screen);
	while (screen_take(&screen, &at, &row)) {
		assert_int_equal(at, n);
		screen_paint(&screen, at, &row);
		print("\rX\n");
		n++;
	}
	assert_in_range(n, 3, 4);
	assert_true(screen_is_dirty(&screen));
	screen_begin(&screen);
	while (screen_take(&screen, &at, &row))
		screen_paint(&screen, at, &row);
	assert_false(screen_is_dirty(&screen));
	assert_int_equal(painted(2, 0, &color), 'X');
}

static void a_display_without_room_stays_as_it_is(void **state)
{
	static const struct screen_display none[] = {
		{.base = pixels, .width = 7, .height = 80, .pitch = 28},
		{.base = pixels, .width = 80, .height = 15, .pitch = 320},
	};

	memset(pixels, 0xee, sizeof(pixels));
	for (unsigned i = 0; i < ARRAY_SIZE(none); i++) {
		screen_init(&screen);
		screen_add(&screen, &none[i]);
		print("abc\n");
		screen_draw(&screen);
		assert_int_equal(screen.n_displays, 0);
		assert_int_equal(pixels[0], BEFORE);
	}
}

static void displays_beyond_the_limit_are_left_alone(void **state)
{
	start();
	for (unsigned i = 1; i < SCREEN_DISPLAYS_MAX; i++)
		screen_add(&screen, &display);
	memset(pixels, 0xee, sizeof(pixels));
	screen_add(&screen, &display);
	assert_int_equal(screen.n_displays, SCREEN_DISPLAYS_MAX);
	assert_int_equal(pixels[0], BEFORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_display_is_cleared_and_its_padding_is_not),
		cmocka_unit_test(long_lines_wrap_and_the_oldest_row_scrolls_away),
		cmocka_unit_test(control_characters_act_as_on_a_terminal),
		cmocka_unit_test(a_tab_ends_on_a_screen_narrower_than_a_tab),
		cmocka_unit_test(escape_sequences_leave_no_trace_even_in_pieces),
		cmocka_unit_test(only_cells_that_changed_are_painted),
		cmocka_unit_test(errors_warnings_and_the_newest_line_have_a_colour),
		cmocka_unit_test(wide_displays_have_larger_letters),
		cmocka_unit_test(several_displays_show_the_text_of_the_smallest),
		cmocka_unit_test(each_row_is_taken_once_in_a_pass),
		cmocka_unit_test(a_display_without_room_stays_as_it_is),
		cmocka_unit_test(displays_beyond_the_limit_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
