"""Messages that arrive in the same moment share one transaction.

While one request writes, the others wait for the database anyway; whoever is next stores all that wait at once. A single sender
notices nothing, many senders are accepted several times as fast (docs/reference/api.md). What one message makes fail is tried
again alone, so that it harms no neighbour.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from django.db import OperationalError

from careloop.desk.intake.actions import receive_messages
from careloop.desk.intake.rules import Inbound, Receipt, problems_of
from careloop.desk.kernel.errors import InvalidInput

AT_ONCE = 50


@dataclass(eq=False)
class Waiting:
    """One message and, once stored or refused, what came of it."""

    inbound: Inbound
    receipt: Receipt | None = None
    error: Exception | None = None

    @property
    def is_done(self) -> bool:
        """Whether its request can be answered."""
        return self.receipt is not None or self.error is not None


class Gathering:
    """The place where the requests of one process meet."""

    def __init__(self, store: Callable[..., list[Receipt]] = receive_messages) -> None:
        self.store = store
        self._queue: list[Waiting] = []
        self._adding, self._writing = Lock(), Lock()

    def receive(self, inbound: Inbound, *, now: datetime) -> Receipt:
        """Store one message, together with those that wait; returns or raises what receiving it alone would have."""
        if problems := problems_of(inbound, now):
            field, sentence = problems[0]
            raise InvalidInput(sentence, field=field)
        mine = Waiting(inbound)
        with self._adding:
            self._queue.append(mine)
        with self._writing:
            while not mine.is_done:
                with self._adding:
                    batch, self._queue = self._queue[:AT_ONCE], self._queue[AT_ONCE:]
                self._write(batch, now)
        if mine.error is not None:
            raise mine.error
        assert mine.receipt is not None
        return mine.receipt

    def _write(self, batch: list[Waiting], now: datetime) -> None:
        try:
            self._write_together(batch, now)
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
                return
            for one in batch:
                self._write([one], now)
        finally:
            for one in batch:  # only a process that is being stopped leaves something undone
                one.error = one.error or (None if one.is_done else OperationalError("stopped before it was stored"))

    def _write_together(self, batch: list[Waiting], now: datetime) -> None:
        receipts = self.store([one.inbound for one in batch], now=now)
        for one, receipt in zip(batch, receipts, strict=True):
            one.receipt = receipt
