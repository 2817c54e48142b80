# SPDX-License-Identifier: BSD-2-Clause
"""Tests of screen_text.py: draw text as the hypervisor does, and read it back."""
import pathlib
import tempfile
import unittest

from screen_text import FONT, HEIGHT, UNKNOWN, WIDTH, Picture, load_font, load_picture, read_text

GLYPHS = load_font()
CELLS = {char: cell for cell, char in GLYPHS.items()}
GREY, RED, YELLOW = (200, 200, 200), (255, 60, 60), (255, 255, 0)


def draw(rows, scale, color=GREY, width=0):
    """A picture of the rows; 'width' in pixels, by default that of the first row."""
    width = width or len(rows[0]) * WIDTH * scale
    lines = []
    for row in rows:
        for y in range(HEIGHT):
            line = b"".join(bytes(color if bit else (0, 0, 0)) * scale
                            for char in row for bit in CELLS[char][y * WIDTH:(y + 1) * WIDTH])
            lines += [line.ljust(width * 3, b"\0")] * scale
    return Picture(width, len(lines), b"".join(lines))


class ScreenText(unittest.TestCase):
    ROWS = ["stencil: end: ok ", " !\"#$%&'()*+,-./ ", "0123456789:;<=>? ", " @|lI1 O0 `~ {}  "]

    def test_reads_each_scale_and_color(self):
        for scale in (1, 2, 3):
            for color in (GREY, RED, YELLOW):
                text = read_text(draw(self.ROWS, scale, color), GLYPHS)
                self.assertEqual((text.rows, text.scale), (self.ROWS, scale))
                self.assertEqual(set(text.colors.values()), {color})
                self.assertEqual(text.n_unknown(), 0)

    def test_glyphs_have_the_places_of_their_codes(self):
        """The font file's Unicode table, 16-bit units: the characters of each glyph, up to 0xffff."""
        data = FONT.read_bytes()
        n_glyphs = 512 if data[2] & 1 else 256
        table = data[4 + n_glyphs * HEIGHT:].decode("utf-16-le", "surrogatepass").split("\uffff")
        for code in range(0x20, 0x7f):
            self.assertIn(chr(code), table[code])

    def test_glyphs_differ(self):
        self.assertEqual(len(GLYPHS), 0x7f - 0x20)

    def test_a_wrong_pixel_is_unknown(self):
        picture = draw(["ab"], 1)
        pixels = bytearray(picture.pixels)
        pixels[0] = 255
        text = read_text(Picture(picture.width, picture.height, bytes(pixels)), GLYPHS)
        self.assertEqual(text.rows, [UNKNOWN + "b"])

    def test_black_is_blank(self):
        text = read_text(Picture(64, 32, bytes(64 * 32 * 3)), GLYPHS)
        self.assertEqual(text.rows, [" " * 8] * 2)
        self.assertEqual(text.colors, {})

    def test_partial_cells_at_the_edges_are_ignored(self):
        text = read_text(draw(["ab"], 2, width=2 * WIDTH * 2 + 5), GLYPHS)
        self.assertEqual(text.rows, ["ab"])

    def test_a_full_row_continues(self):
        text = read_text(draw(["abc", "d  ", "e  "], 1), GLYPHS)
        self.assertEqual(text.lines(), ["abcd", "e", ""])

    def test_file(self):
        picture = draw(["ok"], 1)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "x.ppm")
            path.write_bytes(b"P6\n%d %d\n255\n" % (picture.width, picture.height) + picture.pixels)
            self.assertEqual(load_picture(path), picture)


unittest.main()
