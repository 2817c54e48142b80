/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

enum {
	SCREEN_COLUMNS_MAX = 240,
	SCREEN_ROWS_MAX = 100,
	SCREEN_DISPLAYS_MAX = 8,
	FONT_HEIGHT = 16,
	FONT_GLYPHS = 128,
};

enum screen_color {
	SCREEN_PLAIN,
	SCREEN_NEWEST,
	SCREEN_WARNING,
	SCREEN_ERROR,
	SCREEN_HEADING,
	SCREEN_N_COLORS
};

/* 8x16 pixels for each ASCII character, top line first, left pixel in bit 7: hv/host/font.asm. */
extern const uint8_t font[FONT_GLYPHS][FONT_HEIGHT];

/* A frame buffer: pixels of 32 bits, which are only written, never read. */
struct screen_display {
	uint32_t *base;
	uint32_t width, height;
	uint32_t pitch; /* bytes from a line to the next, a multiple of 4 */
	uint8_t red_shift, green_shift, blue_shift;
	uint8_t scale; /* pixels of the display for one of the font, in both directions */
};

/* A row of text. All of a row has one colour, because a colour is that of a line. */
struct screen_row {
	char text[SCREEN_COLUMNS_MAX];
	enum screen_color color;
};

/*
 * A plain text terminal, shown on several displays. It has the columns and rows that fit on all of
 * them. Writing changes only the text. Painting is slow, and so is separate: it uses 'displays',
 * which are constant, and 'shown', and nothing else. Not locked.
 */
struct screen {
	struct screen_display displays[SCREEN_DISPLAYS_MAX];
	unsigned n_displays; /* 0: there is no screen */
	unsigned columns, rows;
	unsigned column, row; /* the place of the next character */
	enum screen_escape { SCREEN_TEXT, SCREEN_ESCAPE, SCREEN_SEQUENCE } escape;
	unsigned next;	  /* the row that is looked at next by screen_take() */
	unsigned n_clean; /* rows before it that have not changed since they were looked at */
	unsigned n_left;  /* rows that screen_take() still looks at */
	struct screen_row text[SCREEN_ROWS_MAX];
	struct screen_row shown[SCREEN_ROWS_MAX];
};

/* Start without displays. */
void screen_init(struct screen *screen);

/*
 * Add a display and clear it; its 'scale' is chosen here. A display that has no room for one
 * character, or is one too many, stays as it is. To be called before the first text.
 */
void screen_add(struct screen *screen, const struct screen_display *display);

/*
 * Bytes as for a terminal: newline, return, tab, backspace; escape sequences are skipped. Text of
 * SCREEN_PLAIN is SCREEN_NEWEST until the next write that starts a row.
 */
void screen_write(struct screen *screen, enum screen_color color, const char *data, size_t len);

/* Whether there is a row of the text that is not shown. */
bool screen_is_dirty(const struct screen *screen);

/*
 * Find such a row, and copy it. False: all rows were looked at since screen_begin(), or none is
 * left. What is written meanwhile waits for the next screen_begin(), if its row was looked at
 * before.
 */
void screen_begin(struct screen *screen);
bool screen_take(struct screen *screen, unsigned *ret_row, struct screen_row *ret);

/*
 * Paint the cells of a row that are not shown. Meanwhile the text may be written. Takes up to a
 * quarter of a millisecond on a large display.
 */
void screen_paint(struct screen *screen, unsigned row, const struct screen_row *now);

/* The same for all rows of the text. */
void screen_draw(struct screen *screen);

/* Compare all rows again: something else than the text was painted. */
void screen_touch(struct screen *screen);
