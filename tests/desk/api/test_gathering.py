"""Messages of the same moment share a transaction and nothing else."""

import threading

import pytest

from careloop.desk.api.gathering import Gathering
from careloop.desk.intake.rules import Receipt
from careloop.desk.kernel.errors import InvalidInput

PATIENCE_SECONDS = 60  # costs nothing but on failure, and a busy machine is no failure


class Store:
    """Stands for the front door: waits at the first call until told, refuses the message "bad"."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.began, self.may_go_on = threading.Event(), threading.Event()

    def __call__(self, inbounds, *, now):
        ids = [inbound.external_id for inbound in inbounds]
        self.batches.append(ids)
        if len(self.batches) == 1:
            self.began.set()
            assert self.may_go_on.wait(PATIENCE_SECONDS)
        if "bad" in ids:
            raise InvalidInput("No such channel.", field="channel")
        return [Receipt(int(one), None, None, True) for one in ids]


@pytest.fixture
def deliver(inbound, now):
    """Delivers ids from threads of their own while the first is being stored; returns what each got."""

    def run(gathering, store, ids):
        got = {}

        def one(name):
            try:
                got[name] = gathering.receive(inbound(external_id=name), now=now).message_id
            except InvalidInput as error:
                got[name] = error.field

        first = threading.Thread(target=one, args=(ids[0],))
        first.start()
        assert store.began.wait(PATIENCE_SECONDS)
        rest = [threading.Thread(target=one, args=(name,)) for name in ids[1:]]
        for thread in rest:
            thread.start()
        while len(gathering._queue) < len(rest):
            rest[0].join(0.001)
        store.may_go_on.set()
        for thread in [first, *rest]:
            thread.join(PATIENCE_SECONDS)
        return got

    return run


def test_messages_that_wait_are_stored_together_and_each_gets_its_own_receipt(deliver):
    store = Store()
    got = deliver(Gathering(store), store, ["1", "2", "3", "4"])
    assert got == {"1": 1, "2": 2, "3": 3, "4": 4}
    assert [sorted(batch) for batch in store.batches] == [["1"], ["2", "3", "4"]]


def test_a_message_that_fails_harms_no_neighbour(deliver):
    store = Store()
    assert deliver(Gathering(store), store, ["1", "2", "bad", "4"]) == {"1": 1, "2": 2, "bad": "channel", "4": 4}
    assert sorted(len(batch) for batch in store.batches) == [1, 1, 1, 1, 3]


def test_an_unacceptable_message_is_refused_before_it_waits(inbound, now):
    store = Store()
    with pytest.raises(InvalidInput) as refusal:
        Gathering(store).receive(inbound(text=""), now=now)
    assert (refusal.value.field, store.batches) == ("text", [])
