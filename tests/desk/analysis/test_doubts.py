"""Labels that the model takes for wrong are listed; one click keeps them or takes the suggestion, and that is remembered."""

import pytest

from careloop.desk.analysis import queueing
from careloop.desk.analysis.actions import understand
from careloop.desk.analysis.doubts import keep_doubts
from careloop.desk.analysis.models import Correction, LabelDoubt, Reading
from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Case
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def taxonomy(cast, now):
    viewer = cast.viewer(cast.supervisor)
    made = queueing.create_taxonomy(name="Shop", team_id=None, viewer=cast.viewer(cast.owner), now=now)
    for name in ("Leak", "Invoice"):
        facts = {"name_en": name, "name_zh": "", "description": ""}
        queueing.add_category(taxonomy_id=made.pk, facts=facts, parent_id=None, viewer=viewer, now=now)
    return made


@pytest.fixture
def words(cast, inbound, now, taxonomy):
    """Two messages in cases, both said to be of invoices; and one in no case."""
    facts = [("热水器漏水", True), ("发票抬头错了", True), ("水管漏水", False)]
    receipts = [
        receive_message(inbound(external_id=f"d-{n}", text=text, opens_case=opens), now=now) for n, (text, opens) in enumerate(facts)
    ]
    ids = [one.message_id for one in receipts]
    understand(ids, now=now)
    said = {"scope": f"taxonomy:{taxonomy.pk}", "task": "CATEGORY", "value": "invoice", "is_held_back": False, "made_by_name": "Chen"}
    return [Correction.objects.create(message_id=pk, team=cast.team, made_at=now, **said) for pk in ids]


@pytest.fixture
def doubts(taxonomy, words):
    """The model takes the first and the last for leaks."""
    taught = [one.message_id for one in words]
    suspects = [{"row": row, "label": "invoice", "suggested": "leak", "margin": margin} for row, margin in ((0, 0.25), (2, 0.75))]
    assert keep_doubts(taxonomy, taught, suspects) == 2
    return list(LabelDoubt.objects.order_by("pk"))


def test_the_page_lists_them_clearest_first_with_their_cases(client, cast, taxonomy, words, doubts, django_assert_max_num_queries):
    client.force_login(cast.supervisor)
    assert "2 corrections speak against what the others teach." in client.get(f"/categories/{taxonomy.pk}/").content.decode()
    with django_assert_max_num_queries(12):
        page = client.get(f"/categories/{taxonomy.pk}/doubts/").content.decode()
    assert page.index("水管漏水") < page.index("热水器漏水") and "发票抬头错了" not in page
    assert f'href="/cases/{words[0].message.case_id}/?reading={words[0].message_id}"' in page
    client.force_login(cast.analyst)
    assert "水管漏水" in client.get(f"/categories/{taxonomy.pk}/doubts/").content.decode()
    client.force_login(cast.agent)
    assert client.get(f"/categories/{taxonomy.pk}/doubts/").status_code == 403


def test_other_teams_do_not_see_the_messages(cast, client, taxonomy, doubts):
    cast.outsider.role = "SUPERVISOR"
    cast.outsider.save()
    client.force_login(cast.outsider)
    assert "漏水" not in client.get(f"/categories/{taxonomy.pk}/doubts/").content.decode()
    assert client.post(f"/categories/doubts/{doubts[0].pk}/", {"choice": "take"}).status_code == 404
    assert Correction.objects.count() == 3


def test_taking_the_suggestion_is_a_correction_that_the_case_follows(client, cast, words, doubts):
    client.force_login(cast.supervisor)
    assert client.post(f"/categories/doubts/{doubts[0].pk}/", {"choice": "take"}).status_code == 302
    newest = Correction.objects.latest("pk")
    assert (newest.message_id, newest.value, newest.made_by_name) == (words[0].message_id, "leak", "Sun")
    assert Case.objects.get(pk=words[0].message.case_id).category == "leak"
    doubt = LabelDoubt.objects.get(pk=doubts[0].pk)
    assert (doubt.decision, doubt.decided_by_name) == ("TAKEN", "Sun")
    entry = AuditEntry.objects.get(action="label.take")
    assert (entry.details["before"], entry.details["after"]) == ({"category": "invoice"}, {"category": "leak"})


def test_a_message_without_a_case_takes_it_too(cast, words, doubts, now):
    queueing.decide_doubt(doubt_id=doubts[1].pk, choice="take", viewer=cast.viewer(cast.supervisor), now=now)
    assert Correction.objects.latest("pk").value == Reading.objects.get(message_id=words[2].message_id).category == "leak"


def test_a_kept_label_is_not_doubted_again_by_the_next_training(cast, client, taxonomy, words, doubts, now):
    queueing.decide_doubt(doubt_id=doubts[0].pk, choice="keep", viewer=cast.viewer(cast.supervisor), now=now)
    assert Correction.objects.count() == 3 and AuditEntry.objects.filter(action="label.keep").count() == 1
    suspects = [{"row": row, "label": "invoice", "suggested": "leak", "margin": 0.5} for row in (0, 1)]
    keep_doubts(taxonomy, [one.message_id for one in words], suspects)
    rows = LabelDoubt.objects.order_by("correction_id").values_list("correction_id", "decision", "margin")
    assert list(rows) == [(words[0].pk, "KEPT", 0.25), (words[1].pk, "", 0.5)]
    client.force_login(cast.supervisor)
    page = client.get(f"/categories/{taxonomy.pk}/doubts/").content.decode()
    assert "Label kept" in page and "Decided lately" in page


def test_a_label_that_was_changed_is_no_doubt_any_more(cast, client, taxonomy, words, doubts, now):
    queueing.correct(
        case_id=words[0].message.case_id, message_id=words[0].message_id, task="CATEGORY", value="leak", seen_correction_id=words[0].pk,
        viewer=cast.viewer(cast.agent), now=now,
    )  # fmt: skip
    client.force_login(cast.supervisor)
    assert "热水器漏水" not in client.get(f"/categories/{taxonomy.pk}/doubts/").content.decode()
    with pytest.raises(Conflict, match="another label since"):
        queueing.decide_doubt(doubt_id=doubts[0].pk, choice="take", viewer=cast.viewer(cast.supervisor), now=now)
    assert keep_doubts(taxonomy, [words[0].message_id], [{"row": 0, "label": "invoice", "suggested": "leak", "margin": 1.0}]) == 0


def test_what_cannot_be_decided_is_refused(cast, words, doubts, now):
    decide = {"doubt_id": doubts[0].pk, "choice": "keep", "now": now}
    with pytest.raises(NotAllowed):
        queueing.decide_doubt(**decide, viewer=cast.viewer(cast.agent))
    with pytest.raises(NotFound):
        queueing.decide_doubt(**{**decide, "doubt_id": 999}, viewer=cast.viewer(cast.supervisor))
    with pytest.raises(InvalidInput, match="Choose whether"):
        queueing.decide_doubt(**{**decide, "choice": ""}, viewer=cast.viewer(cast.supervisor))
    assert LabelDoubt.objects.filter(decision="").count() == 2
    queueing.decide_doubt(**decide, viewer=cast.viewer(cast.supervisor))
    with pytest.raises(Conflict, match="Sun decided this in between"):
        queueing.decide_doubt(**decide, viewer=cast.viewer(cast.owner))


def test_a_suggestion_that_is_out_of_use_is_refused(cast, taxonomy, words, doubts, now):
    taxonomy.categories.filter(code="leak").update(is_archived=True)
    with pytest.raises(InvalidInput, match="cannot be chosen"):
        queueing.decide_doubt(doubt_id=doubts[0].pk, choice="take", viewer=cast.viewer(cast.supervisor), now=now)
    assert LabelDoubt.objects.filter(decision="").count() == 2 and Correction.objects.count() == 3
