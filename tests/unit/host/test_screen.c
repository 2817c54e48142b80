/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/screen.h"

#include <string.h>

#include "tests/unit/support.h"

enum { WIDTH = 8 * 10 + 3, HEIGHT = 16 * 4 + 5, PITCH = 100 };

#define COLOR 0xcccccc

/* Every glyph has its own code in its first line, and a second line that ends in a set pixel. */
#define GLYPH(c) [c] = {c, 0x01}
#define GLYPH8(c) \
	GLYPH(c), GLYPH(c + 1), GLYPH(c + 2), GLYPH(c + 3), GLYPH(c + 4), GLYPH(c + 5), \
		GLYPH(c + 6), GLYPH(c + 7)
#define GLYPH32(c) GLYPH8(c), GLYPH8(c + 8), GLYPH8(c + 16), GLYPH8(c + 24)
const uint8_t font[FONT_GLYPHS][FONT_HEIGHT] = {GLYPH32(32), GLYPH32(64), GLYPH32(96)};

static uint32_t pixels[HEIGHT * PITCH];
static struct screen screen;

static void start(void)
{
	memset(pixels, 0xee, sizeof(pixels));
	screen_init(&screen, &(struct screen_pixels){.base = pixels,
						     .width = WIDTH,
						     .height = HEIGHT,
						     .pitch = PITCH * 4,
						     .color = COLOR});
}

static void print(const char *s)
{
	screen_write(&screen, s, strlen(s));
}

/* The character painted at a place, told by its glyph's lines. */
static char painted(unsigned row, unsigned column)
{
	const uint32_t *at = &pixels[row * 16 * PITCH + column * 8];
	uint8_t bits = 0;

	for (unsigned i = 0; i < 8; i++) {
		assert_true(at[i] == COLOR || at[i] == 0);
		bits = (uint8_t)(bits << 1 | (at[i] == COLOR));
	}
	assert_int_equal(at[PITCH + 7], COLOR);
	assert_int_equal(at[PITCH + 6], 0);
	return (char)bits;
}

static void expect_rows(const char *const *rows)
{
	screen_draw(&screen);
	for (unsigned row = 0; row < 4; row++) {
		for (unsigned column = 0; column < 10; column++) {
			char want = column < strlen(rows[row]) ? rows[row][column] : ' ';

			assert_int_equal(painted(row, column), want);
		}
	}
}

static void text_is_painted_where_it_belongs_and_nowhere_else(void **state)
{
	start();
	print("ab\ncd");
	expect_rows((const char *const[]){"ab", "cd", "", ""});
	for (unsigned y = 0; y < HEIGHT; y++) {
		for (unsigned x = 0; x < PITCH; x++) {
			if (x >= 80 || y >= 64)
				assert_int_equal(pixels[y * PITCH + x], 0xeeeeeeee);
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

static void escape_sequences_leave_no_trace_even_in_pieces(void **state)
{
	start();
	print("a\033[0;32mb\033[");
	print("1");
	print("mc\033cd");
	expect_rows((const char *const[]){"abcd", "", "", ""});
}

static void only_cells_that_changed_are_painted(void **state)
{
	start();
	print("abc");
	screen_draw(&screen);
	memset(pixels, 0, sizeof(pixels));
	print("\raXc");
	screen_draw(&screen);
	assert_int_equal(painted(0, 1), 'X');
	for (unsigned y = 0; y < HEIGHT; y++) {
		for (unsigned x = 0; x < PITCH; x++) {
			if (x / 8 != 1 || y >= 16)
				assert_int_equal(pixels[y * PITCH + x], 0);
		}
	}
}

static void no_frame_buffer_or_one_without_room_is_no_screen(void **state)
{
	static const struct screen_pixels none[] = {
		{.base = NULL, .width = 80, .height = 80, .pitch = 320},
		{.base = pixels, .width = 7, .height = 80, .pitch = 28},
		{.base = pixels, .width = 80, .height = 15, .pitch = 320},
	};

	memset(pixels, 0xee, sizeof(pixels));
	for (unsigned i = 0; i < ARRAY_SIZE(none); i++) {
		screen_init(&screen, &none[i]);
		print("abc\n");
		screen_draw(&screen);
		assert_int_equal(pixels[0], 0xeeeeeeee);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_painted_where_it_belongs_and_nowhere_else),
		cmocka_unit_test(long_lines_wrap_and_the_oldest_row_scrolls_away),
		cmocka_unit_test(control_characters_act_as_on_a_terminal),
		cmocka_unit_test(escape_sequences_leave_no_trace_even_in_pieces),
		cmocka_unit_test(only_cells_that_changed_are_painted),
		cmocka_unit_test(no_frame_buffer_or_one_without_room_is_no_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
