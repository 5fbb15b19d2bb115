"""The reports that come with the house: which figures stand as tiles, over time and in the table; no more than names of measures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """One report: tiles, what is drawn over time (one chart for each), the table's measures and what it is split by at first, and the
    measure by which groups are compared ("" for none).
    """

    slug: str
    tiles: tuple[str, ...]
    over_time: tuple[str, ...]
    columns: tuple[str, ...]
    by: str
    compared: str = ""


_ALL = (
    Layout(
        "overview",
        ("opened", "resolved", "backlog", "first_response", "resolution", "first_response_on_time", "satisfaction", "reopened"),
        ("opened", "first_response", "satisfaction"),
        ("opened", "resolved", "first_response", "resolution", "first_response_on_time", "satisfaction"),
        "channel",
    ),
    Layout(
        "satisfaction",
        ("satisfaction", "satisfied", "recommendation", "effort", "answered", "negative"),
        ("satisfaction", "satisfied", "answered"),
        ("satisfaction", "satisfied", "answered", "negative"),
        "category",
        "satisfied",
    ),
    Layout(
        "service-levels",
        ("first_response_on_time", "resolution_on_time", "first_response", "resolution", "backlog", "backlog_age"),
        ("first_response_on_time", "resolution_on_time", "first_response"),
        ("opened", "first_response_on_time", "resolution_on_time", "first_response", "resolution", "backlog"),
        "priority",
        "first_response_on_time",
    ),
    Layout(
        "agents",
        ("resolved", "replies", "one_reply", "work", "efficiency"),
        ("resolved", "efficiency"),
        ("resolved", "replies", "one_reply", "work", "efficiency", "satisfied"),
        "agent",
        "satisfied",
    ),
    Layout(
        "channels",
        ("opened", "first_response", "resolution", "satisfaction", "negative"),
        ("opened", "first_response"),
        ("opened", "first_response", "resolution", "first_response_on_time", "satisfaction", "negative"),
        "channel",
        "negative",
    ),
    Layout(
        "subjects",
        ("opened", "complaints", "negative", "reopened"),
        ("opened", "complaints", "negative"),
        ("opened", "complaints", "negative", "reopened", "resolution", "satisfaction"),
        "category",
        "reopened",
    ),
    Layout(
        "customers",
        ("opened", "complaints", "reopened", "satisfaction", "recommendation"),
        ("opened", "recommendation"),
        ("opened", "complaints", "reopened", "resolution", "satisfaction"),
        "segment",
        "complaints",
    ),
)
LAYOUTS = {one.slug: one for one in _ALL}
