"""A report or a dashboard on paper: one font for both languages is embedded, so that it reads the same everywhere."""

from django.conf import settings
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from careloop.desk.measures.groups import BETTER, WORSE, Comparison
from careloop.desk.measures.rules.values import Figure
from careloop.desk.reports.content import Content, Course, Number, Split
from careloop.desk.reports.paper_charts import QUIET, draw_course, draw_funnel
from careloop.desk.reports.paper_page import MARGIN, ROW_HEIGHT, Paper
from careloop.desk.reports.paper_parts import print_part
from careloop.desk.reports.parts import Document, named
from careloop.desk.reports.words import DEFINITIONS, GROUP_NAMES, NAMES, say, say_interval

CHART_HEIGHT = 46.0


def pdf_of(content: Content | Document) -> bytes:
    """The file, in the language of the moment."""
    paper = Paper(f"{settings.HOUSE_NAME} · {content.title} · {content.days}")
    paper.set_title(f"{content.title} · {content.days}")
    paper.set_creator("Careloop")
    paper.add_page()
    paper.say(settings.HOUSE_NAME, 8, QUIET, after=0)
    paper.say(content.title, 18, after=0.5)
    paper.say(" · ".join([content.days, *content.chosen]), 10, QUIET, after=3)
    if content.as_of is None:
        paper.say(_("The figures are being counted"), 11)
        return bytes(paper.output())
    if isinstance(content, Document):
        for part in content.parts:
            print_part(paper, part)
        _counted_on(paper, content)
        return bytes(paper.output())
    _numbers(paper, content.numbers)
    _courses(paper, content.courses)
    for split in content.splits:
        _split(paper, split)
    if content.comparison is not None:
        _comparison(paper, content.comparison, content.splits[0])
    _definitions(paper, content)
    return bytes(paper.output())


def _numbers(paper: Paper, numbers: list[Number]) -> None:
    tiles = []
    for one in numbers:
        said = _("%(value)s in the period before") % {"value": say(one.key, one.before.value)} if one.before else one.own
        tiles.append((str(NAMES[one.key]), say(one.key, one.figure.value), say_interval(one.key, one.figure), said))
    paper.tiles(tiles)


def _courses(paper: Paper, courses: list[Course]) -> None:
    for course in courses:
        paper.room(CHART_HEIGHT + 12)
        paper.say(_titled(str(NAMES[course.key]), course.own), 10, after=0)
        if not any(row.figures[course.key].value is not None for row in course.rows):
            paper.say(_("Nothing in this period."), 9, QUIET, after=3)
            continue
        y = paper.get_y()
        draw_course(paper, course, (MARGIN, y, paper.epw, CHART_HEIGHT))
        paper.set_xy(MARGIN, y + CHART_HEIGHT + 3)


def _split(paper: Paper, split: Split) -> None:
    title = str(NAMES[split.keys[0]]) if len(split.keys) == 1 else _("Split by")
    paper.room(min(110.0, 14.0 + ROW_HEIGHT * (len(split.rows) + 2)))
    paper.say(_titled(named(title, str(GROUP_NAMES[split.by])), split.own), 10)
    if not split.rows:
        paper.say(_("Nothing in this period."), 9, QUIET, after=3)
        return
    rows = [[str(split.names.get(row.group, row.group)), *(_told(key, row.figures[key]) for key in split.keys)] for row in split.rows]
    whole = [_("All together"), *(_told(key, split.whole[key]) for key in split.keys)]
    head = [str(GROUP_NAMES[split.by]), *(str(NAMES[key]) for key in split.keys)]
    paper.grid([head, *rows, whole], has_sum=True)


def _comparison(paper: Paper, comparison: Comparison, split: Split) -> None:
    words = {BETTER: "▲ " + _("better than chance explains"), WORSE: "▼ " + _("worse than chance explains"), "": _("no difference shown")}
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
    paper.grid([head, *rows])


def _definitions(paper: Paper, content: Content) -> None:
    paper.room(30)
    paper.say(_("What is counted"), 10)
    for key in content.keys:
        paper.say(named(str(NAMES[key]), str(DEFINITIONS[key])), 7.5, QUIET, after=0.6)
    paper.ln(2)
    _counted_on(paper, content)
    again = _("The same figures again, to the digit: %(command)s")
    of_all = _("The figures of the whole house at that moment, without this choice: %(command)s")
    paper.say((of_all if content.is_part else again) % {"command": _replay(content)}, 7.5, QUIET)


def _counted_on(paper: Paper, content: Content | Document) -> None:
    assert content.as_of is not None
    when = formats.date_format(timezone.localtime(content.as_of), "DATETIME_FORMAT")
    sentence = _("Counted on %(when)s. Ranges hold the true value in 95 of 100 cases; n is the number of cases or answers behind a figure.")
    paper.say(sentence % {"when": when}, 7.5, QUIET)


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


def _titled(title: str, own: str) -> str:
    return f"{title} · {own}" if own else title
