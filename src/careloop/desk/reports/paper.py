"""A report or a dashboard on paper: one font for both languages is embedded, so that it reads the same everywhere."""

from importlib import import_module

from django.conf import settings
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.fonts import FontFace

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.groups import BETTER, WORSE, Comparison
from careloop.desk.measures.rules.values import Figure
from careloop.desk.reports.content import Content, Course, Number, Split
from careloop.desk.reports.paper_charts import GRID, INK, QUIET, draw_course, draw_funnel
from careloop.desk.reports.words import DEFINITIONS, GROUP_NAMES, NAMES, say, say_interval

FONT_PACKAGE = "pylopdf_fonts_zh_cn"  # Noto Sans SC, SIL Open Font License
FAMILY, MARGIN, COLUMNS, GAP = "house", 15.0, 4, 4.0
TILE_HEIGHT, CHART_HEIGHT, ROW_HEIGHT, WIDTH_LEAST = 25.0, 46.0, 12.5, 14.0
SUM = (243, 245, 247)


class _Paper(FPDF):
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


def pdf_of(content: Content) -> bytes:
    """The file, in the language of the moment."""
    paper = _Paper(f"{settings.HOUSE_NAME} · {content.title} · {content.days}")
    paper.set_title(f"{content.title} · {content.days}")
    paper.set_creator("Careloop")
    paper.add_page()
    paper.say(settings.HOUSE_NAME, 8, QUIET, after=0)
    paper.say(content.title, 18, after=0.5)
    paper.say(" · ".join([content.days, *content.chosen]), 10, QUIET, after=3)
    if content.as_of is None:
        paper.say(_("The figures are being counted"), 11)
        return bytes(paper.output())
    _numbers(paper, content.numbers)
    _courses(paper, content.courses)
    for split in content.splits:
        _split(paper, split)
    if content.comparison is not None:
        _comparison(paper, content.comparison, content.splits[0])
    _definitions(paper, content)
    return bytes(paper.output())


def _numbers(paper: _Paper, numbers: list[Number]) -> None:
    width = (paper.epw - GAP * (COLUMNS - 1)) / COLUMNS
    for first in range(0, len(numbers), COLUMNS):
        paper.room(TILE_HEIGHT)
        y = paper.get_y()
        for place, one in enumerate(numbers[first : first + COLUMNS]):
            x = MARGIN + place * (width + GAP)
            paper.set_draw_color(*GRID)
            paper.rect(x, y, width, TILE_HEIGHT - 3, round_corners=True, corner_radius=1.5)
            said = _("%(value)s in the period before") % {"value": say(one.key, one.before.value)} if one.before else one.own
            lines = (
                (str(NAMES[one.key]), 8, QUIET),
                (say(one.key, one.figure.value), 14, INK),
                (say_interval(one.key, one.figure), 7, QUIET),
                (said, 7, QUIET),
            )
            top = y + 1.5
            for text, size, colour in lines:
                paper.set_font(FAMILY, size=_fitting(paper, text, size, width - 4))
                paper.set_text_color(*colour)
                paper.set_xy(x + 1, top)
                paper.cell(width - 2, size * 0.5, text)
                top += size * 0.5 + 0.6
        paper.set_xy(MARGIN, y + TILE_HEIGHT)


def _fitting(paper: _Paper, text: str, size: float, width: float) -> float:
    """The size at which a text fits into its line."""
    paper.set_font(FAMILY, size=size)
    return size * min(1.0, width / max(0.1, paper.get_string_width(text)))


def _courses(paper: _Paper, courses: list[Course]) -> None:
    for course in courses:
        paper.room(CHART_HEIGHT + 12)
        paper.say(_titled(str(NAMES[course.key]), course.own), 10, after=0)
        if not any(row.figures[course.key].value is not None for row in course.rows):
            paper.say(_("Nothing in this period."), 9, QUIET, after=3)
            continue
        y = paper.get_y()
        draw_course(paper, course, (MARGIN, y, paper.epw, CHART_HEIGHT))
        paper.set_xy(MARGIN, y + CHART_HEIGHT + 3)


def _split(paper: _Paper, split: Split) -> None:
    title = str(NAMES[split.keys[0]]) if len(split.keys) == 1 else _("Split by")
    paper.room(min(110.0, 14.0 + ROW_HEIGHT * (len(split.rows) + 2)))
    paper.say(_titled(_named(title, str(GROUP_NAMES[split.by])), split.own), 10)
    if not split.rows:
        paper.say(_("Nothing in this period."), 9, QUIET, after=3)
        return
    rows = [[str(split.names.get(row.group, row.group)), *(_told(key, row.figures[key]) for key in split.keys)] for row in split.rows]
    whole = [_("All together"), *(_told(key, split.whole[key]) for key in split.keys)]
    head = [str(GROUP_NAMES[split.by]), *(str(NAMES[key]) for key in split.keys)]
    _table(paper, [head, *rows, whole], has_sum=True)


def _comparison(paper: _Paper, comparison: Comparison, split: Split) -> None:
    words = {BETTER: _("better than chance explains"), WORSE: _("worse than chance explains"), "": _("no difference shown")}
    key = comparison.key
    paper.room(CHART_HEIGHT + 40)
    paper.say(_("%(name)s: which differences are more than chance?") % {"name": NAMES[key]}, 10, after=0)
    y = paper.get_y()
    draw_funnel(paper, comparison, (MARGIN, y, paper.epw, CHART_HEIGHT + 8))
    paper.set_xy(MARGIN, y + CHART_HEIGHT + 10)
    head = [str(GROUP_NAMES[split.by]), _("Own figure"), "n", _("Drawn towards the whole"), _("Shown")]
    rows = [
        [
            str(split.names.get(one.group, one.group)),
            say(key, one.own.value),
            f"{one.own.n:,}",
            f"{say(key, one.drawn.value)}\n{say(key, one.drawn.low)}–{say(key, one.drawn.high)}",
            words[one.verdict],
        ]
        for one in comparison.standings
    ]
    _table(paper, [head, *rows])


def _table(paper: _Paper, rows: list[list[str]], *, has_sum: bool = False) -> None:
    """Numbers at the right, columns as wide as what they hold; the head comes again on each page, the sum stands on grey."""
    count = len(rows[0])
    paper.set_font(FAMILY, size=7 if count < 6 else 6.2)
    paper.set_text_color(*INK)
    paper.set_draw_color(*GRID)
    paper.set_fill_color(255)
    head, of_sum = FontFace(emphasis="", color=QUIET), FontFace(fill_color=SUM)
    widths = [
        max(WIDTH_LEAST, *(paper.get_string_width(line) for text in column for line in text.split("\n")))
        for column in zip(*rows, strict=True)
    ]
    align = ("LEFT", *(["RIGHT"] * (count - 1)))
    with paper.table(
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
    paper.ln(4)


def _definitions(paper: _Paper, content: Content) -> None:
    paper.room(30)
    paper.say(_("What is counted"), 10)
    for key in content.keys:
        paper.say(_named(str(NAMES[key]), str(DEFINITIONS[key])), 7.5, QUIET, after=0.6)
    paper.ln(2)
    assert content.as_of is not None
    when = formats.date_format(timezone.localtime(content.as_of), "DATETIME_FORMAT")
    sentence = _("Counted on %(when)s. Ranges hold the true value in 95 of 100 cases; n is the number of cases or answers behind a figure.")
    paper.say(sentence % {"when": when}, 7.5, QUIET)
    again = _("The same figures again, to the digit: %(command)s")
    of_all = _("The figures of the whole house at that moment, without this choice: %(command)s")
    paper.say((of_all if content.is_part else again) % {"command": _replay(content)}, 7.5, QUIET)


def _replay(content: Content) -> str:
    """The command that prints what is shown here; it counts the whole house, without the choice of facets."""
    question = content.question
    assert content.as_of is not None
    parts = [f"careloop manage replay --as-of {content.as_of.isoformat()}", f"--measure {','.join(content.keys)}"]
    parts += [f"--{name} {day}" for name, day in (("since", question.since), ("until", question.until)) if day]
    return " ".join(parts)


def _told(key: str, figure: Figure) -> str:
    """Value, interval and n below each other: a column is narrow."""
    interval, value = say_interval(key, figure), say(key, figure.value)
    return f"{value}\n{interval}".replace(" · ", "\n").rstrip()


def _named(name: str, value: str) -> str:
    return _("%(name)s: %(value)s") % {"name": name, "value": value}


def _titled(title: str, own: str) -> str:
    return f"{title} · {own}" if own else title
