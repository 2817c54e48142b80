/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text on frame buffers. Reading and moving a frame buffer is slow, so the text is kept here and
 * only changed cells are painted, line by line in order of address. Displays with many pixels get
 * larger letters. The text has the size of the smallest display, at the top left of each.
 */
#include "hv/host/screen.h"

#include "hv/lib/string.h"

enum { FONT_WIDTH = 8, TAB = 8 };

/* Red, green and blue. */
static const uint8_t palette[SCREEN_N_COLORS][3] = {
	[SCREEN_PLAIN] = {0xaa, 0xaa, 0xaa},   [SCREEN_NEWEST] = {0xff, 0xff, 0xff},
	[SCREEN_WARNING] = {0xff, 0xd7, 0x00}, [SCREEN_ERROR] = {0xff, 0x50, 0x50},
	[SCREEN_HEADING] = {0x5f, 0xd7, 0xff},
};

static unsigned at_most(unsigned n, unsigned max)
{
	return n < max ? n : max;
}

static void clear_row(struct screen_row *row)
{
	memset(row->text, ' ', sizeof(row->text));
	row->color = SCREEN_PLAIN;
}

void screen_init(struct screen *screen)
{
	*screen = (struct screen){.columns = SCREEN_COLUMNS_MAX, .rows = SCREEN_ROWS_MAX};
	for (unsigned row = 0; row < SCREEN_ROWS_MAX; row++) {
		clear_row(&screen->text[row]);
		clear_row(&screen->shown[row]);
	}
}

static uint32_t *display_line(const struct screen_display *display, size_t y)
{
	return display->base + y * (display->pitch / 4);
}

static void clear_display(const struct screen_display *display)
{
	for (uint32_t y = 0; y < display->height; y++)
		memset(display_line(display, y), 0, display->width * sizeof(uint32_t));
}

static uint8_t choose_scale(uint32_t width)
{
	if (width >= 3840)
		return 3;
	return width >= 1920 ? 2 : 1;
}

void screen_add(struct screen *screen, const struct screen_display *display)
{
	uint8_t scale = choose_scale(display->width);
	unsigned columns = display->width / (FONT_WIDTH * scale);
	unsigned rows = display->height / (FONT_HEIGHT * scale);
	struct screen_display *added = &screen->displays[screen->n_displays];

	if (columns == 0 || rows == 0 || screen->n_displays == SCREEN_DISPLAYS_MAX)
		return;
	*added = *display;
	added->scale = scale;
	screen->n_displays++;
	screen->columns = at_most(columns, screen->columns);
	screen->rows = at_most(rows, screen->rows);
	clear_display(added);
}

static void next_row(struct screen *screen)
{
	screen->column = 0;
	if (screen->row + 1 < screen->rows) {
		screen->row++;
		return;
	}
	memmove(&screen->text[0], &screen->text[1], (screen->rows - 1) * sizeof(screen->text[0]));
	clear_row(&screen->text[screen->rows - 1]);
}

static void put_glyph(struct screen *screen, enum screen_color color, char c)
{
	if (screen->column == screen->columns)
		next_row(screen);
	screen->text[screen->row].color = color;
	screen->text[screen->row].text[screen->column++] = c;
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

/* A screen may be narrower than a tab. */
static void put_tab(struct screen *screen, enum screen_color color)
{
	unsigned n = 0;

	do
		put_glyph(screen, color, ' ');
	while (screen->column % TAB != 0 && ++n < 2 * TAB);
}

static void put_char(struct screen *screen, enum screen_color color, char c)
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
		put_tab(screen, color);
		break;
	default:
		if ((unsigned char)c >= ' ' && c != 0x7f)
			put_glyph(screen, color, (char)((unsigned char)c < FONT_GLYPHS ? c : '?'));
	}
}

static void end_newest(struct screen *screen)
{
	for (unsigned row = 0; row < screen->rows; row++)
		if (screen->text[row].color == SCREEN_NEWEST)
			screen->text[row].color = SCREEN_PLAIN;
}

void screen_write(struct screen *screen, enum screen_color color, const char *data, size_t len)
{
	if (screen->n_displays == 0)
		return;
	if (screen->column == 0)
		end_newest(screen);
	for (size_t i = 0; i < len; i++)
		put_char(screen, color == SCREEN_PLAIN ? SCREEN_NEWEST : color, data[i]);
	screen_touch(screen);
}

static uint32_t pixel_of(const struct screen_display *display, enum screen_color color)
{
	const uint8_t *rgb = palette[color];

	return (uint32_t)rgb[0] << display->red_shift | (uint32_t)rgb[1] << display->green_shift |
	       (uint32_t)rgb[2] << display->blue_shift;
}

/* One line of a glyph, each bit 'scale' pixels wide. */
static void draw_glyph_line(volatile uint32_t *to, uint8_t bits, uint32_t pixel, unsigned scale)
{
	for (unsigned i = 0; i < FONT_WIDTH; i++)
		for (unsigned x = 0; x < scale; x++)
			*to++ = bits & 0x80 >> i ? pixel : 0;
}

static void draw_row(const struct screen *screen, unsigned row, const struct screen_row *now,
		     const struct screen_display *display)
{
	const struct screen_row *shown = &screen->shown[row];
	uint32_t pixel = pixel_of(display, now->color);
	unsigned scale = display->scale, height = FONT_HEIGHT * scale;

	for (unsigned y = 0; y < height; y++) {
		uint32_t *line = display_line(display, row * height + y);

		for (unsigned i = 0; i < screen->columns; i++)
			if (now->text[i] != shown->text[i] ||
			    (now->color != shown->color && now->text[i] != ' '))
				draw_glyph_line(line + i * FONT_WIDTH * scale,
						font[(uint8_t)now->text[i]][y / scale], pixel,
						scale);
	}
}

static bool is_shown(const struct screen *screen, unsigned row, const struct screen_row *now)
{
	return memcmp(now, &screen->shown[row], sizeof(*now)) == 0;
}

void screen_touch(struct screen *screen)
{
	screen->n_clean = 0;
}

bool screen_is_dirty(const struct screen *screen)
{
	return screen->n_displays > 0 && screen->n_clean < screen->rows;
}

void screen_begin(struct screen *screen)
{
	screen->n_left = screen->rows;
}

bool screen_take(struct screen *screen, unsigned *ret_row, struct screen_row *ret)
{
	while (screen->n_left > 0 && screen_is_dirty(screen)) {
		unsigned row = screen->next++;

		if (screen->next == screen->rows)
			screen->next = 0;
		screen->n_clean++;
		screen->n_left--;
		if (is_shown(screen, row, &screen->text[row]))
			continue;
		*ret_row = row;
		*ret = screen->text[row];
		return true;
	}
	return false;
}

void screen_paint(struct screen *screen, unsigned row, const struct screen_row *now)
{
	if (is_shown(screen, row, now))
		return;
	for (unsigned i = 0; i < screen->n_displays; i++)
		draw_row(screen, row, now, &screen->displays[i]);
	screen->shown[row] = *now;
}

void screen_draw(struct screen *screen)
{
	for (unsigned row = 0; screen->n_displays > 0 && row < screen->rows; row++)
		screen_paint(screen, row, &screen->text[row]);
	screen->n_clean = screen->rows;
}
