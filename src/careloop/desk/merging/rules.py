"""What belongs to a case and moves with it: plain Python. A new table that points to a case gets a line here (a test asks for it)."""

from typing import NamedTuple


class CaseTable(NamedTuple):
    """A table whose rows belong to a case: "app.Model", its column, and the column of the message that a row tells of, if there is one.

    A row that the target has already (by the table's own unique constraints) stays behind with its merged case.
    """

    model: str
    field: str
    message: str = ""


TABLES = (
    CaseTable("cases.Message", "case", "pk"),
    CaseTable("cases.CaseEvent", "case", "message"),
    CaseTable("analysis.Reading", "case", "message"),
    CaseTable("search.SearchDocument", "case_id", "object_id"),
    CaseTable("notices.Notice", "case_id"),
    CaseTable("drafting.MachineText", "case"),
)

STAYS = {
    ("cases.Clock", "case"): "a clock is of one case: those of merged cases are stopped by ticks, and undo takes the ticks away",
    ("merging.Regrouping", "into"): "what was merged and split is told of the numbers that people saw",
    ("merging.RegroupedCase", "case"): "the same",
    ("merging.CaseLink", "case"): "people linked these numbers; pages follow them to the case that they were merged into",
    ("merging.CaseLink", "other"): "the same",
    ("merging.NotTheSame", "case"): "people said it of these numbers",
    ("merging.NotTheSame", "other"): "the same",
}
