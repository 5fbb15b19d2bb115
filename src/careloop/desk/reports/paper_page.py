"""A sheet of paper in the house's font: paragraphs, tiles, tables, and as many pages as they need."""

from collections.abc import Sequence
from importlib import import_module

from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.fonts import FontFace

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.reports.paper_charts import GRID, INK, QUIET

FONT_PACKAGE = "pylopdf_fonts_zh_cn"  # Noto Sans SC, SIL Open Font License
FAMILY, MARGIN, COLUMNS, GAP = "house", 15.0, 4, 4.0
TILE_HEIGHT, ROW_HEIGHT, WIDTH_LEAST = 25.0, 12.5, 14.0
SUM = (243, 245, 247)


class Paper(FPDF):
    """A4 with the page's number at the foot."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        self.foot = foot
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(True, 18)
        try:
            self.add_font(FAMILY, "", str(import_module(FONT_PACKAGE).sans_path()))
        except (ImportError, OSError):
            sentence = _("The font for PDF is missing; install the package %(package)s (pip install careloop brings it), or take the CSV.")
            raise InvalidInput(sentence % {"package": FONT_PACKAGE.replace("_", "-")}) from None
        self.set_font(FAMILY, size=10)

    def footer(self) -> None:
        """What it is, and which page."""
        self.set_y(-12)
        self.set_font(FAMILY, size=7)
        self.set_text_color(*QUIET)
        self.cell(self.epw - 20, 4, self.foot)
        self.cell(20, 4, f"{self.page_no()} / {{nb}}", align="R")

    def say(self, text: str, size: float = 9, colour: tuple[int, int, int] = INK, *, after: float = 1.0) -> None:
        """A paragraph."""
        self.set_font(FAMILY, size=size)
        self.set_text_color(*colour)
        self.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT", align="L")
        self.ln(after)

    def room(self, height: float) -> None:
        """A new page unless so much is left on this one."""
        if self.will_page_break(height):
            self.add_page()

    def tiles(self, tiles: Sequence[tuple[str, str, str, str]]) -> None:
        """Four beside each other: name, value, and two small lines."""
        width = (self.epw - GAP * (COLUMNS - 1)) / COLUMNS
        for first in range(0, len(tiles), COLUMNS):
            self.room(TILE_HEIGHT)
            y = self.get_y()
            for place, texts in enumerate(tiles[first : first + COLUMNS]):
                x = MARGIN + place * (width + GAP)
                self.set_draw_color(*GRID)
                self.rect(x, y, width, TILE_HEIGHT - 3, round_corners=True, corner_radius=1.5)
                top = y + 1.5
                for text, size, colour in zip(texts, (8, 14, 7, 7), (QUIET, INK, QUIET, QUIET), strict=True):
                    self.set_font(FAMILY, size=self._fitting(text, size, width - 4))
                    self.set_text_color(*colour)
                    self.set_xy(x + 1, top)
                    self.cell(width - 2, size * 0.5, text)
                    top += size * 0.5 + 0.6
            self.set_xy(MARGIN, y + TILE_HEIGHT)

    def _fitting(self, text: str, size: float, width: float) -> float:
        """The size at which a text fits into its line."""
        self.set_font(FAMILY, size=size)
        return size * min(1.0, width / max(0.1, self.get_string_width(text)))

    def grid(self, rows: Sequence[Sequence[str]], *, has_sum: bool = False) -> None:
        """Numbers at the right, columns as wide as what they hold; the head comes again on each page, the sum stands on grey."""
        count = len(rows[0])
        self.set_font(FAMILY, size=7 if count < 6 else 6.2)
        self.set_text_color(*INK)
        self.set_draw_color(*GRID)
        self.set_fill_color(255)
        head, of_sum = FontFace(emphasis="", color=QUIET), FontFace(fill_color=SUM)
        widths = [
            max(WIDTH_LEAST, *(self.get_string_width(line) for text in column for line in text.split("\n")))
            for column in zip(*rows, strict=True)
        ]
        align = ("LEFT", *(["RIGHT"] * (count - 1)))
        with self.table(
            col_widths=widths,
            text_align=align,
            v_align="TOP",
            headings_style=head,
            borders_layout="HORIZONTAL_LINES",
            line_height=3.6,
            padding=0.9,
        ) as table:
            for row in rows:
                line = table.row(style=of_sum if has_sum and row is rows[-1] else None)
                for text in row:
                    line.cell(text)
        self.ln(4)
