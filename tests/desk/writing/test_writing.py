"""Nothing typed is lost, colleagues see each other, and a reply can be taken back for a moment."""

from datetime import timedelta

import pytest

from careloop.desk.accounts.models import User
from careloop.desk.cases.models import Case, Message
from careloop.desk.cases.teams import give_to_team
from careloop.desk.intake.actions import receive_message
from careloop.desk.jobs.models import Job
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.notices.models import Notice
from careloop.desk.writing import actions, holding, queries
from careloop.desk.writing.models import Draft, HeldReply, Presence
from careloop.desk.writing.tasks import trim_presence

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def case(cast, inbound, now):
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


@pytest.fixture
def agent(cast):
    return cast.viewer(cast.agent)


@pytest.fixture
def moment(settings):
    settings.UNDO_SEND_SECONDS = 10


def hold(case, agent, now, **facts):
    return holding.hold_reply(**{"case_id": case.pk, "body": "马上退款", "viewer": agent, "now": now, "status": "WAITING", **facts})


def test_what_is_typed_is_kept_for_its_writer_and_forgotten_when_blank(case, cast, agent, now):
    actions.keep_draft(case_id=case.pk, kind="REPLY", body="您好，", viewer=agent, now=now)
    actions.keep_draft(case_id=case.pk, kind="REPLY", body="您好，我们", viewer=agent, now=now + SECOND)
    assert queries.writing_of(case.pk, agent).drafts == {"REPLY": "您好，我们"}
    assert queries.writing_of(case.pk, cast.viewer(cast.supervisor)).drafts == {}
    actions.keep_draft(case_id=case.pk, kind="REPLY", body=" ", viewer=agent, now=now + 2 * SECOND)
    assert queries.writing_of(case.pk, agent).drafts == {}


def test_colleagues_see_who_is_here_and_who_types(case, cast, agent, now):
    sun = cast.viewer(cast.supervisor)
    actions.note_presence(case_id=case.pk, viewer=sun, now=now)
    assert queries.list_others(case.pk, sun, now) == []
    actions.keep_draft(case_id=case.pk, kind="REPLY", body="您好", viewer=agent, now=now)
    assert [(other.name, other.is_typing) for other in queries.list_others(case.pk, sun, now + SECOND)] == [("Chen", True)]
    assert [(other.name, other.is_typing) for other in queries.list_others(case.pk, sun, now + 20 * SECOND)] == [("Chen", False)]
    assert queries.list_others(case.pk, sun, now + 60 * SECOND) == []


def test_a_held_reply_is_no_message_until_its_moment_has_passed(case, agent, now, moment):
    held = hold(case, agent, now)
    assert (Message.objects.filter(direction="OUTBOUND").count(), held.send_at) == (0, now + 10 * SECOND)
    job = Job.objects.get(task="careloop.desk.writing.tasks.send_held")
    assert job.run_after == now + 10 * SECOND
    actions.send_held_reply(held_id=held.pk, now=held.send_at)
    actions.send_held_reply(held_id=held.pk, now=held.send_at)
    sent = Message.objects.get(direction="OUTBOUND")
    held.refresh_from_db()
    assert (sent.body, sent.author_id, held.state, held.message_id) == ("马上退款", agent.user_id, "SENT", sent.pk)
    assert Case.objects.get(pk=case.pk).status == "WAITING"


def test_a_reply_that_was_taken_back_is_never_sent_and_becomes_the_draft_again(case, agent, now, moment):
    held = hold(case, agent, now)
    actions.keep_draft(case_id=case.pk, kind="REPLY", body="还有一句", viewer=agent, now=now)
    actions.undo_reply(held_id=held.pk, viewer=agent, now=now + 5 * SECOND)
    actions.send_held_reply(held_id=held.pk, now=held.send_at)
    assert Message.objects.filter(direction="OUTBOUND").count() == 0
    actions.keep_draft(case_id=case.pk, kind="REPLY", body="", viewer=agent, now=now + 4 * SECOND)  # saved late, from before
    assert queries.writing_of(case.pk, agent).drafts == {"REPLY": "马上退款\n\n还有一句"}
    with pytest.raises(Conflict, match="sent already"):
        actions.undo_reply(held_id=held.pk, viewer=agent, now=now + 6 * SECOND)


def test_what_was_sent_cannot_be_taken_back(case, agent, now, moment):
    held = hold(case, agent, now)
    actions.send_held_reply(held_id=held.pk, now=held.send_at)
    with pytest.raises(Conflict):
        actions.undo_reply(held_id=held.pk, viewer=agent, now=held.send_at)
    assert Message.objects.filter(direction="OUTBOUND").count() == 1


def test_only_the_writer_takes_a_reply_back(case, cast, agent, now, moment):
    held = hold(case, agent, now)
    with pytest.raises(NotFound):
        actions.undo_reply(held_id=held.pk, viewer=cast.viewer(cast.supervisor), now=now)
    held.refresh_from_db()
    assert held.state == "WAITING"


def test_a_reply_past_a_message_that_came_meanwhile_goes_back_to_its_writer(case, agent, inbound, now, moment):
    seen = case.messages.get().pk
    held = hold(case, agent, now, seen_message_id=seen)
    receive_message(inbound(external_id="m-2", sent_at=now), now=now)
    actions.send_held_reply(held_id=held.pk, now=held.send_at)
    held.refresh_from_db()
    assert (held.state, Message.objects.filter(direction="OUTBOUND").count()) == ("REFUSED", 0)
    assert "wrote in case" in held.refusal
    assert queries.writing_of(case.pk, agent).drafts == {"REPLY": "马上退款"}
    assert list(Notice.objects.values_list("user_id", "case_id", "kind")) == [(agent.user_id, case.pk, "NOT_SENT")]
    assert Notice.objects.get().facts == {"text": held.refusal}


def test_a_held_reply_is_sent_though_its_case_goes_to_a_team_out_of_its_writers_sight(case, cast, agent, now, moment):
    held = hold(case, agent, now)
    give_to_team(case_id=case.pk, team_id=cast.other_team.pk, expected_version=case.version, viewer=agent, now=now + SECOND)
    actions.send_held_reply(held_id=held.pk, now=held.send_at)
    held.refresh_from_db()
    case.refresh_from_db()
    sent = Message.objects.get(direction="OUTBOUND")
    assert (held.state, sent.body, sent.author_id, sent.team_id) == ("SENT", "马上退款", agent.user_id, cast.other_team.pk)
    assert (case.team_id, case.assignee_id, case.status) == (cast.other_team.pk, None, "WAITING")
    assert Notice.objects.count() == 0


def test_what_cannot_be_sent_any_more_out_of_sight_comes_back_in_a_notice_in_its_writers_language(case, cast, agent, inbound, now, moment):
    User.objects.filter(pk=agent.user_id).update(language="zh-hans")
    held = hold(case, agent, now, seen_message_id=case.messages.get().pk)
    give_to_team(case_id=case.pk, team_id=cast.other_team.pk, expected_version=case.version, viewer=agent, now=now + SECOND)
    Message.objects.create(
        case_id=case.pk,
        team=cast.other_team,
        customer=case.customer,
        channel=case.channel,
        direction="INBOUND",
        body="还在吗",
        sent_at=now,
        received_at=now,
    )
    actions.send_held_reply(held_id=held.pk, now=held.send_at)
    held.refresh_from_db()
    told = Notice.objects.get()
    assert (held.state, Message.objects.filter(direction="OUTBOUND").count()) == ("REFUSED", 0)
    assert (told.user_id, told.kind, told.case_id) == (agent.user_id, "NOT_SENT", case.pk)
    assert told.facts == {"text": held.refusal, "body": "马上退款"}
    assert f"#{case.pk}" in held.refusal
    assert not held.refusal.isascii()


@pytest.mark.parametrize(
    ("facts", "error"), [({"body": " "}, InvalidInput), ({"status": "MERGED"}, InvalidInput), ({"seen_message_id": 0}, Conflict)]
)
def test_what_would_be_refused_later_is_refused_at_once(case, agent, now, moment, facts, error):
    with pytest.raises(error):
        hold(case, agent, now, **facts)
    assert (HeldReply.objects.count(), Message.objects.filter(direction="OUTBOUND").count()) == (0, 0)


def test_without_a_moment_a_reply_goes_at_once(case, agent, now):
    actions.keep_draft(case_id=case.pk, kind="REPLY", body="马上", viewer=agent, now=now)
    assert hold(case, agent, now) is None
    assert (Message.objects.filter(direction="OUTBOUND").count(), Draft.objects.count()) == (1, 0)


def test_outsiders_and_analysts_write_nothing(case, cast, now, moment):
    with pytest.raises(NotFound):
        actions.keep_draft(case_id=case.pk, kind="REPLY", body="x", viewer=cast.viewer(cast.outsider), now=now)
    with pytest.raises(NotAllowed):
        hold(case, cast.viewer(cast.analyst), now)
    with pytest.raises(NotFound):
        queries.list_others(case.pk, cast.viewer(cast.outsider), now)
    assert (Draft.objects.count(), HeldReply.objects.count(), Presence.objects.count()) == (0, 0, 0)


def test_what_is_long_over_is_forgotten(case, agent, now, moment):
    actions.note_presence(case_id=case.pk, viewer=agent, now=now - timedelta(days=900))
    hold(case, agent, now)
    assert (trim_presence.call(), HeldReply.objects.count()) == (1, 1)


def test_the_page_shows_the_held_reply_with_its_undo_and_gives_the_text_back(client, case, cast, moment):
    client.force_login(cast.agent)
    page = client.post(f"/cases/{case.pk}/reply/", {"body": "马上退款", "status": "WAITING"}, headers={"HX-Request": "true"})
    held = HeldReply.objects.get()
    undo = f"/cases/{case.pk}/held/{held.pk}/undo/"
    assert undo in page.content.decode()
    back = client.post(undo, headers={"HX-Request": "true"}).content.decode()
    assert "马上退款</textarea>" in back
    assert HeldReply.objects.get().state == "UNDONE"
    assert "马上退款</textarea>" in client.get(f"/cases/{case.pk}/").content.decode()
