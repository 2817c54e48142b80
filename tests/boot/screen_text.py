# SPDX-License-Identifier: BSD-2-Clause
"""Reads the text on a screenshot by comparing each cell with the glyphs of the console's font.

A cell has 8x16 pixels, each drawn one, two or three pixels wide and high. A pixel is set if it is
not black, so text of any colour is read. What is not a glyph gives UNKNOWN.
"""
import dataclasses
import os
import pathlib

WIDTH, HEIGHT = 8, 16
UNKNOWN = "\ufffd"
BLANK = bytes(WIDTH * HEIGHT)
TOP = pathlib.Path(__file__).resolve().parents[2]
FONT = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build")) / "font/font.psf"
SET = bytes([0] + [1] * 255)  # translates levels to pixels


@dataclasses.dataclass
class Picture:
    width: int
    height: int
    pixels: bytes  # red, green and blue of each


@dataclasses.dataclass
class Text:
    rows: list  # one string for each row of cells
    colors: dict  # (row, column) = (red, green, blue), of each cell that is not blank
    columns: int
    scale: int

    def lines(self):
        """The rows without trailing blanks; a full row continues on the next one."""
        text = "".join(row if len(row.rstrip()) == self.columns else row.rstrip() + "\n"
                       for row in self.rows)
        return text.split("\n")

    def row_colors(self, row):
        return {color for (at, _), color in self.colors.items() if at == row}

    def n_unknown(self):
        return sum(row.count(UNKNOWN) for row in self.rows)

    def n_read(self):
        return sum(len(row) - row.count(UNKNOWN) - row.count(" ") for row in self.rows)


def load_font(path=FONT):
    """Pixels of a cell, one byte each, to its character."""
    data = path.read_bytes()[4:]
    glyphs = {}
    for code in range(0x21, 0x7f):
        rows = data[code * HEIGHT:(code + 1) * HEIGHT]
        glyphs[bytes(row >> 7 - x & 1 for row in rows for x in range(WIDTH))] = chr(code)
    glyphs[BLANK] = " "
    return glyphs


def load_picture(path):
    """A PPM file as QEMU writes it: type P6, 255 levels, no comment."""
    kind, width, height, rest = path.read_bytes().split(maxsplit=3)
    levels, pixels = rest[:3], rest[4:]
    if kind != b"P6" or levels != b"255":
        raise ValueError(f"{path}: not a PPM file of 255 levels")
    return Picture(int(width), int(height), pixels)


def line_mask(picture, y):
    """The pixels of a line, one byte each: 1 if not black."""
    line = picture.pixels[y * picture.width * 3:(y + 1) * picture.width * 3]
    total = 0
    for color in range(3):
        total |= int.from_bytes(line[color::3], "big")
    return total.to_bytes(picture.width, "big").translate(SET)


def shrink(line, scale):
    """One byte for each 'scale' bytes, all alike; None if they are not."""
    if any(line[i::scale] != line[::scale] for i in range(1, scale)):
        return None
    return line[::scale]


def read_at_scale(picture, masks, glyphs, scale):
    columns, rows = picture.width // (WIDTH * scale), picture.height // (HEIGHT * scale)
    used = columns * WIDTH * scale
    text = Text([], {}, columns, scale)
    for row in range(rows):
        lines = []
        for y in range(row * HEIGHT * scale, (row + 1) * HEIGHT * scale, scale):
            same = all(masks[y] == masks[y + i] for i in range(1, scale))
            lines.append(shrink(masks[y][:used], scale) if same else None)
        cells = []
        for column in range(columns):
            at = column * WIDTH
            if None in lines:
                cells.append(UNKNOWN)
                continue
            cell = b"".join(line[at:at + WIDTH] for line in lines)
            cells.append(glyphs.get(cell, UNKNOWN))
            if cell != BLANK:
                text.colors[row, column] = color_of(picture, text, row, column, cell)
        text.rows.append("".join(cells))
    return text


def color_of(picture, text, row, column, cell):
    """The colour of the first set pixel of a cell."""
    y, x = divmod(cell.index(1), WIDTH)
    at = ((row * HEIGHT + y) * text.scale * picture.width + (column * WIDTH + x) * text.scale) * 3
    return tuple(picture.pixels[at:at + 3])


def read_text(picture, glyphs):
    """The text in that scale in which most can be read."""
    masks = [line_mask(picture, y) for y in range(picture.height)]
    return max((read_at_scale(picture, masks, glyphs, scale) for scale in (1, 2, 3)),
               key=lambda text: text.n_read() - text.n_unknown())
