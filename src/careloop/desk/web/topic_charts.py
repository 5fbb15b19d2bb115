"""Charts of topics as plain data: the map for static/careloop/charts.js, and the small course of each topic in the list."""

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.analysis.topic_queries import TopicFacts

LARGEST, SMALLEST = 46.0, 8.0  # diameters of circles, in pixels
LABELLED = 9  # topics with their first word beside them; the others tell it on hover
LONGEST_LABEL = 12
MARGIN = 0.3  # of the map's half width, for circles and words at the edge


def topic_map(topics: Sequence[TopicFacts], link: Callable[[int], str]) -> dict[str, Any]:
    """Circles: area for texts, colour from negative to positive, place by likeness."""
    largest = max((one.texts for one in topics), default=1)
    trace = {
        "type": "scatter",
        "mode": "markers+text",
        "tone": "accent",
        "x": [one.place[0] for one in topics],
        "y": [one.place[1] for one in topics],
        "sizes": [round(max(SMALLEST, LARGEST * sqrt(one.texts / largest)), 1) for one in topics],
        "shades": [round((one.positive.share or 0) - (one.negative.share or 0), 3) for one in topics],
        "labels": [_plain(_cut(one.name.split(" · ")[0])) if place < LABELLED else "" for place, one in enumerate(topics)],
        "texts": [
            _("%(name)s<br>%(n)d texts, %(negative).0f%% negative, %(positive).0f%% positive")
            % {
                "name": _plain(one.name),
                "n": one.texts,
                "negative": 100 * (one.negative.share or 0),
                "positive": 100 * (one.positive.share or 0),
            }
            for one in topics
        ],
        "links": [link(one.number) for one in topics],
    }
    edges = {"range": [-1 - MARGIN, 1 + MARGIN], "visible": False}
    return {"traces": [trace], "xaxis": edges, "yaxis": edges, "height": 360}


def spark(bars: Sequence[int]) -> list[tuple[float, float, float, float]]:
    """Bars of a drawing 100 wide and 24 high: x, y, width, height."""
    if not bars or not max(bars):
        return []
    step, highest = 100 / len(bars), max(bars)
    return [
        (round(place * step, 2), round(24 - 24 * n / highest, 2), round(step * 0.8, 2), round(24 * n / highest, 2))
        for place, n in enumerate(bars)
    ]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def _plain(text: str) -> str:
    """Plotly reads a little HTML in labels; a customer's words must stay words."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
