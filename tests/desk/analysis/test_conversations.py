"""What a long conversation comes to, with the message of each sentence."""

from datetime import timedelta

import pytest

from careloop.desk.analysis.conversation_queries import MOST, summary_of
from careloop.desk.cases.actions import add_note
from careloop.desk.cases.models import Case, Message
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import NotFound
from careloop.desk.outbox.actions import reply_to_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(cast, inbound, now):
    """A case with these messages, customer and agent in turn, a minute apart."""

    def talk(*texts: str) -> Case:
        case_id = 0
        for place, text in enumerate(texts):
            at = now + timedelta(minutes=place)
            if place % 2:
                reply_to_case(case_id=case_id, body=text, viewer=cast.viewer(cast.agent), now=at)
            else:
                case_id = receive_message(inbound(external_id=f"t-{place}", text=text, sent_at=at), now=at).case_id
        return Case.objects.get(pk=case_id)

    return talk


def test_a_short_conversation_has_no_summary(cast, talk):
    conversation = summary_of(talk("什么时候退款？", "三天内给您退款。").pk, cast.viewer(cast.agent))
    assert (conversation.is_long, conversation.n_messages, conversation.asked) == (False, 2, [])


def test_a_long_one_says_what_was_asked_promised_and_is_open(cast, talk, now):
    case = talk(
        "什么时候能退款？", "我们会在三天内给您退款。", "好的，那旧的热水器怎么处理？", "师傅明天会上门取件。", "发票能重新开一张吗？"
    )
    add_note(case_id=case.pk, body="内部：能不能多退一点？", viewer=cast.viewer(cast.agent), now=now)
    conversation = summary_of(case.pk, cast.viewer(cast.agent))
    ids = list(Message.objects.exclude(direction="NOTE").order_by("sent_at").values_list("pk", flat=True))
    assert conversation.is_long
    assert [(one.text, one.message_id) for one in conversation.open] == [("发票能重新开一张吗？", ids[4])]
    assert [(one.message_id, one.due) for one in conversation.promised] == [(ids[1], "2026-05-07"), (ids[3], "2026-05-05")]
    assert [one.message_id for one in conversation.asked] == [ids[0], ids[2]]


def test_of_an_endless_one_the_newest_messages_are_looked_at(cast, talk, now):
    case = talk("什么时候能退款？")
    first = case.messages.get()
    rows = [
        Message(case=case, customer=case.customer, team=case.team, channel=case.channel, direction="INBOUND", body="在吗",
                sent_at=now + timedelta(hours=1), received_at=now)
        for _ in range(MOST)
    ]  # fmt: skip
    Message.objects.bulk_create(rows)
    conversation = summary_of(case.pk, cast.viewer(cast.agent))
    assert (conversation.left_out, conversation.n_messages) == (1, MOST + 1)
    assert first.pk not in {one.message_id for one in conversation.open}


def test_another_team_sees_nothing(cast, talk):
    with pytest.raises(NotFound):
        summary_of(talk("什么时候能退款？").pk, cast.viewer(cast.outsider))
