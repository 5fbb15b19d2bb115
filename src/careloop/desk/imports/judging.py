"""Which rows of a file are acceptable, and what each becomes: the same for a dry run and for the import itself."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from careloop.desk.channels import file as file_channel
from careloop.desk.channels.file import Origin
from careloop.desk.imports.purchase_rows import purchase_of, refusal_of
from careloop.desk.imports.rules import MESSAGES, PURCHASES, Choices, cleaning_plan
from careloop.desk.intake.rules import MAX_EXTERNAL_ID_LENGTH, MAX_RAW_BYTES, Inbound, problems_of
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.purchases.rules import MAX_ORDER_NUMBER, MAX_PRODUCT_LENGTH, MAX_PRODUCTS, NewPurchase
from careloop.insight.errors import Sentence
from careloop.insight.tables import CleaningReport, CleanRow, Reason, Rejected, Row, Table, clean_row, spelled
from careloop.insight.tables.duplicates import SeenKeys
from careloop.insight.tables.reasons import shortened
from careloop.insight.tables.rows import in_column

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
CODES = {"text": "TEXT_REFUSED", "external_id": "ID_REFUSED", "sent_at": "TIME_REFUSED", "addresses": "NO_ADDRESS", "raw": "ROW_TOO_LARGE"}


class Judged(NamedTuple):
    """One row's fate: `accepted` is what is stored, None when the row was `rejected`."""

    number: int
    accepted: Inbound | NewPurchase | None
    rejected: Rejected | None


class Judge:
    """Cleans rows, finds duplicates and asks the front door's rules; counts everything in `report`."""

    def __init__(self, choices: Choices, what: str, *, channel_slug: str, sha256: str, now: datetime) -> None:
        self._choices, self._now, self._slug = choices, now, channel_slug
        self._is_of_purchases = what == PURCHASES
        self._plan = cleaning_plan(choices)
        self._seen = SeenKeys()
        self.report = CleaningReport(self._plan)
        scale = {} if choices.rating_min is None else {"rating_min": choices.rating_min, "rating_max": choices.rating_max}
        content = f"{sha256}:{choices.sheet}" if choices.sheet else sha256
        self._origin = Origin(channel_slug, content, now, opens_case=what == MESSAGES, **scale)  # type: ignore[arg-type]

    def check_columns(self, table: Table) -> None:
        """Refuse a table that lacks a chosen column (MissingColumnError)."""
        self._plan.check_columns(table.columns)

    def judge_all(self, table: Table) -> Iterator[Judged]:
        """Every row of the table in order. A resumed run passes over what is done, so that duplicates and report come out the same."""
        self.check_columns(table)
        for row in table:
            judged = self._judge(row)
            self.report.blank_rows = table.blank_rows
            yield judged

    def _judge(self, row: Row) -> Judged:
        result = clean_row(row, self._plan)
        if isinstance(result, CleanRow):
            result = self._duplicate(row, result) or result
        accepted: Inbound | NewPurchase | None = None
        if isinstance(result, CleanRow):
            read = self._purchase if self._is_of_purchases else self._message
            read_as = read(row, result)
            if isinstance(read_as, Rejected):
                result = read_as
            else:
                accepted = read_as
        self.report.add(result)
        return Judged(row.number, accepted, result if isinstance(result, Rejected) else None)

    def _message(self, row: Row, clean: CleanRow) -> Inbound | Rejected:
        raw = json.dumps(row.values, ensure_ascii=False).encode()
        inbound = file_channel.parse(clean.values, row.number, raw, self._origin)
        return self._refusal(row, inbound) or inbound

    def _purchase(self, row: Row, clean: CleanRow) -> NewPurchase | Rejected:
        sent_at = self._now
        try:
            purchase = purchase_of(clean.values, self._slug, self._choices.region)
        except InvalidInput as refused:
            code, field = "MISSING" if clean.values.get(refused.field) is None else "AMOUNT_REFUSED", refused.field
        else:
            problem = refusal_of(purchase, self._now)
            if problem is None:
                return purchase
            (code, field), sent_at = problem, purchase.bought_at
        column = self._choices.column_of(field)
        told = _problem_of_purchase(code, row.values.get(column or "") or "", sent_at)
        return Rejected(row.number, column, code, in_column(row.number, row.line, column, told), row.values, row.line)

    def _duplicate(self, row: Row, clean: CleanRow) -> Rejected | None:
        keys = self._plan.duplicate_keys
        cells = [clean.values[key] for key in keys]
        if all(cell is None for cell in cells) or self._seen.add(*map(spelled, cells)):
            return None
        names = ", ".join(f"“{self._choices.column_of(key)}”" for key in keys)
        reason = in_column(row.number, row.line, None, Sentence("an earlier row has the same {names}", names=names))
        return Rejected(row.number, self._choices.column_of(keys[0]), Reason.DUPLICATE, reason, row.values, row.line)

    def _refusal(self, row: Row, inbound: Inbound) -> Rejected | None:
        fields = [field for field, _sentence in problems_of(inbound, self._now)]
        if inbound.sent_at < EARLIEST:
            fields.append("sent_at")
        if not fields:
            return None
        field = fields[0]
        column = self._choices.column_of(field.rpartition(".")[2])
        code = CODES.get(field, "ADDRESS_REFUSED")
        reason = in_column(row.number, row.line, column, _problem(code, inbound, row.values.get(column or "") or ""))
        return Rejected(row.number, column, code, reason, row.values, row.line)


def _problem(code: str, inbound: Inbound, cell: str) -> Sentence:
    """Why the front door refuses the row, in words about the file."""
    shown = shortened(cell)
    sentences = {
        "TEXT_REFUSED": Sentence("there is neither a text nor a rating"),
        "ID_REFUSED": Sentence(
            "the unique number has {count} characters; expected 1 to {most}", count=len(inbound.external_id), most=MAX_EXTERNAL_ID_LENGTH
        ),
        "TIME_REFUSED": _bad_time(inbound.sent_at),
        "NO_ADDRESS": Sentence("there is no e-mail, phone or customer number to answer to"),
        "ROW_TOO_LARGE": Sentence("the row has more than {most:,} bytes", most=MAX_RAW_BYTES),
        "ADDRESS_REFUSED": Sentence("“{text}” cannot be used as an address", text=shown),
    }
    return sentences[code]


def _problem_of_purchase(code: str, cell: str, bought_at: datetime) -> Sentence:
    """Why a row is no purchase, in words about the file."""
    sentences = {
        "MISSING": Sentence("there is no value, and a purchase needs one"),
        "ID_REFUSED": Sentence("the order number has {count} characters; expected 1 to {most}", count=len(cell), most=MAX_ORDER_NUMBER),
        "TIME_REFUSED": _bad_time(bought_at),
        "AMOUNT_REFUSED": Sentence("“{text}” is no amount in a currency that is known", text=shortened(cell)),
        "PRODUCT_REFUSED": Sentence(
            "there are more than {most} products, or one has more than {length} characters", most=MAX_PRODUCTS, length=MAX_PRODUCT_LENGTH
        ),
        "NO_ADDRESS": Sentence("there is no e-mail, phone or customer number to answer to"),
        "ADDRESS_REFUSED": Sentence("“{text}” cannot be used as an address", text=shortened(cell)),
    }  # fmt: skip
    return sentences[code]


def _bad_time(sent_at: datetime) -> Sentence:
    if sent_at < EARLIEST:
        return Sentence("the time {time} lies before 1970", time=sent_at.isoformat())
    return Sentence("the time {time} lies in the future", time=sent_at.isoformat())
