/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text on a frame buffer. Reading and moving a frame buffer is slow, so the text is kept here and
 * only changed cells are painted, line by line in order of address. At most SCREEN_ROWS_MAX by
 * SCREEN_COLUMNS_MAX characters, at the top left.
 */
#include "hv/host/screen.h"

#include "hv/lib/string.h"

enum { FONT_WIDTH = 8, TAB = 8 };

static unsigned at_most(unsigned n, unsigned max)
{
	return n < max ? n : max;
}

void screen_init(struct screen *screen, const struct screen_pixels *pixels)
{
	*screen = (struct screen){.pixels = *pixels};
	screen->columns = at_most(pixels->width / FONT_WIDTH, SCREEN_COLUMNS_MAX);
	screen->rows = at_most(pixels->height / FONT_HEIGHT, SCREEN_ROWS_MAX);
	if (screen->columns == 0 || screen->rows == 0)
		screen->pixels.base = NULL;
	memset(screen->text, ' ', sizeof(screen->text));
	screen->dirty = true;
}

static void next_row(struct screen *screen)
{
	size_t row_size = sizeof(screen->text[0]);

	screen->column = 0;
	if (screen->row + 1 < screen->rows) {
		screen->row++;
		return;
	}
	memmove(screen->text[0], screen->text[1], (screen->rows - 1) * row_size);
	memset(screen->text[screen->rows - 1], ' ', row_size);
}

static void put_glyph(struct screen *screen, char c)
{
	if (screen->column == screen->columns)
		next_row(screen);
	screen->text[screen->row][screen->column++] = c;
}

/* ESC, then either one character, or [ and all characters up to a letter. */
static bool skip_escape(struct screen *screen, char c)
{
	switch (screen->escape) {
	case SCREEN_TEXT:
		if (c == '\033')
			screen->escape = SCREEN_ESCAPE;
		return c == '\033';
	case SCREEN_ESCAPE:
		screen->escape = c == '[' ? SCREEN_SEQUENCE : SCREEN_TEXT;
		return true;
	case SCREEN_SEQUENCE:
		if (c >= '@' && c <= '~')
			screen->escape = SCREEN_TEXT;
		return true;
	}
	return false;
}

static void put_char(struct screen *screen, char c)
{
	if (skip_escape(screen, c))
		return;
	switch (c) {
	case '\n':
		next_row(screen);
		break;
	case '\r':
		screen->column = 0;
		break;
	case '\b':
		screen->column -= screen->column > 0;
		break;
	case '\t':
		do
			put_glyph(screen, ' ');
		while (screen->column % TAB != 0);
		break;
	default:
		if ((unsigned char)c >= ' ' && c != 0x7f)
			put_glyph(screen, (char)((unsigned char)c < FONT_GLYPHS ? c : '?'));
	}
}

void screen_write(struct screen *screen, const char *data, size_t len)
{
	if (screen->pixels.base == NULL)
		return;
	for (size_t i = 0; i < len; i++)
		put_char(screen, data[i]);
	screen->dirty = true;
}

static void draw_glyph_line(volatile uint32_t *to, uint8_t bits, uint32_t color)
{
	for (unsigned i = 0; i < FONT_WIDTH; i++)
		to[i] = bits & 0x80 >> i ? color : 0;
}

static void draw_row(struct screen *screen, unsigned row)
{
	const struct screen_pixels *pixels = &screen->pixels;
	const char *text = screen->text[row], *shown = screen->shown[row];

	for (unsigned y = 0; y < FONT_HEIGHT; y++) {
		uint32_t *line = pixels->base + (row * FONT_HEIGHT + y) * (pixels->pitch / 4);

		for (unsigned column = 0; column < screen->columns; column++) {
			if (text[column] != shown[column])
				draw_glyph_line(line + column * FONT_WIDTH,
						font[(uint8_t)text[column]][y], pixels->color);
		}
	}
}

void screen_draw(struct screen *screen)
{
	if (screen->pixels.base == NULL || !screen->dirty)
		return;
	for (unsigned row = 0; row < screen->rows; row++) {
		if (memcmp(screen->text[row], screen->shown[row], screen->columns) == 0)
			continue;
		draw_row(screen, row);
		memcpy(screen->shown[row], screen->text[row], screen->columns);
	}
	screen->dirty = false;
}
