"""Printing the parts of a report one below the other."""

from careloop.desk.reports.paper_charts import INK, QUIET, draw_curves, draw_way
from careloop.desk.reports.paper_page import MARGIN, ROW_HEIGHT, Paper
from careloop.desk.reports.parts import Curves, Grid, Heading, Map, Part, Said, Tiles

CURVES_HEIGHT = 62.0
UNIT = 0.25  # millimetres for each unit of the map, where the page is wide and high enough
MAP_HEIGHT = 225.0


def print_part(paper: Paper, part: Part) -> None:
    """Print one; a heading stays with what follows it."""
    match part:
        case Heading(text):
            paper.room(40)
            paper.ln(2)
            paper.say(text, 11)
        case Said(text, is_quiet):
            paper.say(text, 7.5 if is_quiet else 8.5, QUIET if is_quiet else INK)
        case Tiles(tiles):
            paper.tiles([(one.name, one.value, one.below, one.further) for one in tiles])
        case Grid(head, rows, has_sum):
            paper.room(min(60.0, 8 + ROW_HEIGHT * len(rows)))
            paper.grid([head, *rows], has_sum=has_sum)
        case Curves():
            paper.room(CURVES_HEIGHT + 4)
            y = paper.get_y()
            used = draw_curves(paper, part, (MARGIN, y, paper.epw, CURVES_HEIGHT))
            paper.set_xy(MARGIN, y + used + 2)
        case Map(way, name):
            unit = min(UNIT, paper.epw / way.width, MAP_HEIGHT / way.height)
            paper.room(way.height * unit + 4)
            y = paper.get_y()
            draw_way(paper, way, name, (MARGIN + (paper.epw - way.width * unit) / 2, y, unit))
            paper.set_xy(MARGIN, y + way.height * unit + 3)
