/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

enum { SCREEN_COLUMNS_MAX = 128, SCREEN_ROWS_MAX = 48, FONT_HEIGHT = 16, FONT_GLYPHS = 128 };

/* 8x16 pixels for each ASCII character, top line first, left pixel in bit 7: hv/host/font.asm. */
extern const uint8_t font[FONT_GLYPHS][FONT_HEIGHT];

/* The pixels: 32 bits each, only written, never read. */
struct screen_pixels {
	uint32_t *base; /* NULL: no screen */
	uint32_t width, height;
	uint32_t pitch; /* bytes from a line to the next, a multiple of 4 */
	uint32_t color; /* of the text; the background is 0 */
};

/*
 * A plain text terminal on a frame buffer. Writing changes only the text; drawing paints the
 * changed cells. Not locked.
 */
struct screen {
	struct screen_pixels pixels;
	unsigned columns, rows;
	unsigned column, row; /* the place of the next character */
	enum screen_escape { SCREEN_TEXT, SCREEN_ESCAPE, SCREEN_SEQUENCE } escape;
	bool dirty;
	char text[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
	char shown[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
};

/* Start with an empty screen; the frame buffer keeps its pixels until they are painted over. */
void screen_init(struct screen *screen, const struct screen_pixels *pixels);

/* Bytes as for a terminal: newline, return, tab, backspace; escape sequences are skipped. */
void screen_write(struct screen *screen, const char *data, size_t len);

void screen_draw(struct screen *screen);
