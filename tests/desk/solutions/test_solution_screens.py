"""Screens of the library, beside a case, and the public help pages; both languages, without scripts."""

from datetime import UTC, datetime

import pytest

from careloop.desk.cases.models import Case
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.solutions.gaps import Gap, list_gaps
from careloop.desk.solutions.models import AutomaticReplies, HelpVote, Solution, SolutionUse, SolutionVersion, Suggested, Taken
from tests.desk.solutions.conftest import INVOICE

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
GIVEN = {
    "title_zh": "退货运费",
    "body_zh": "质量问题由我们承担。",
    "reply_zh": "运费由我们承担。",
    "title_en": "",
    "status": "PUBLISHED",
    "team": "",
}


@pytest.fixture
def case(cast, inbound, now):
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_list_shows_what_is_used_and_due_and_finds_two_characters(client, cast, invoice, leak, django_assert_max_num_queries):
    client.force_login(cast.agent)
    with django_assert_max_num_queries(16):
        page = words(client.get("/solutions/"))
    assert "Ask for an invoice" in page and "The water heater leaks" in page and "New solution" not in page
    assert "The water heater leaks" not in words(client.get("/solutions/?q=发票"))
    assert "No solution fits this choice" in words(client.get("/solutions/?due=1"))


def test_the_editor_saves_both_languages_and_brings_a_version_back(client, cast, now):
    client.force_login(cast.supervisor)
    assert client.get("/solutions/new/?category=courier").status_code == 200
    saved = client.post("/solutions/new/", {**GIVEN, "category": ["courier"], "review_on": "2026-12-31", "is_public": "on"})
    solution = Solution.objects.get()
    assert saved["Location"] == f"/solutions/{solution.pk}/"
    assert (str(solution.review_on), solution.categories, solution.is_public) == ("2026-12-31", ["courier"], True)
    client.post(f"/solutions/{solution.pk}/", {**GIVEN, "title_zh": "运费", "version": "1"})
    assert "Weight in the ranking" in words(client.get(f"/solutions/{solution.pk}/"))
    assert "Bring it back" in words(client.get(f"/solutions/{solution.pk}/"))
    client.post(f"/solutions/{solution.pk}/restore/", {"number": "1"})
    assert solution.texts.get().title == "退货运费" and SolutionVersion.objects.count() == 3


def test_a_twin_is_told_when_it_is_saved(client, cast):
    client.force_login(cast.supervisor)
    client.post("/solutions/new/", GIVEN)
    told = words(client.post("/solutions/new/", {**GIVEN, "title_zh": "退货运费?"}, follow=True))
    assert "“退货运费” says nearly the same (100%): the ranking cannot tell them apart." in told


def test_what_was_typed_stays_when_it_is_refused(client, cast, invoice):
    client.force_login(cast.supervisor)
    refused = client.post(f"/solutions/{invoice.pk}/", {**GIVEN, "title_zh": "", "version": "1"})
    assert refused.status_code == 422 and "质量问题由我们承担。" in words(refused) and "The title is missing" in words(refused)
    late = client.post(f"/solutions/{invoice.pk}/", {**GIVEN, "version": "0"})
    assert late.status_code == 409 and "saved version 1 in between" in words(late) and SolutionVersion.objects.count() == 1
    assert client.post("/solutions/new/", {**GIVEN, "review_on": "soon"}).status_code == 422


def test_the_case_offers_solutions_with_probability_and_a_search(client, cast, case, invoice, leak):
    client.force_login(cast.agent)
    assert f"/cases/{case.pk}/solutions/" in words(client.get(f"/cases/{case.pk}/"))
    panel = words(client.get(f"/cases/{case.pk}/solutions/", headers=HTMX))
    assert panel.index("The water heater leaks") < panel.index("Ask for an invoice") and "请先断电并关闭进水阀" in panel
    assert "data-take-solution" in panel and "Ranked by words;" in panel
    assert "Probabilities are shown once some thirty replies have used solutions." in panel
    found = words(client.get(f"/cases/{case.pk}/solutions/?q=发票", headers=HTMX))
    assert "Ask for an invoice" in found and "The water heater leaks" not in found
    assert "<html" in words(client.get(f"/cases/{case.pk}/solutions/"))


def test_taking_one_is_noted_and_the_letter_is_ready_without_scripts(client, cast, case, invoice):
    client.force_login(cast.agent)
    assert client.post(f"/cases/{case.pk}/solutions/{invoice.pk}/", headers=HTMX).status_code == 204
    assert Taken.objects.values_list("case_id", "solution_id", "user_id").get() == (case.pk, invoice.pk, cast.agent.pk)
    page = words(client.get(client.post(f"/cases/{case.pk}/solutions/{invoice.pk}/")["Location"]))
    assert "林晓彤，您好：" in page and "<textarea" in page
    assert "林晓彤，您好：" in words(client.get(f"/cases/{case.pk}/solutions/{invoice.pk}/", headers=HTMX))


def test_the_history_names_the_solution_and_marks_automatic_replies(client, cast, case, leak, now):
    from careloop.desk.solutions.answering import answer

    AutomaticReplies.objects.create(pk=1, is_on=True, threshold=0.9)
    assert answer(message=case.messages.get(), solution_id=leak.pk, probability=0.97, now=now)
    client.force_login(cast.agent)
    assert "Answered automatically with the solution “热水器漏水” (0.97)" in words(client.get(f"/cases/{case.pk}/"))


def test_gaps_count_cases_without_a_solution_and_lead_to_writing_one(client, cast, inbound, now, invoice):
    at = datetime.now(UTC)
    cases = []
    for number in range(7):
        address = (AddressValue("EMAIL", f"g{number}@example.com"),)
        cases.append(receive_message(inbound(external_id=f"g-{number}", addresses=address, sent_at=at), now=at).case_id)
    Case.objects.filter(pk__in=cases[:4]).update(category="courier")
    Case.objects.filter(pk__in=cases[4:]).update(category="invoice")
    SolutionUse.objects.create(solution=invoice, case_id=cases[0], how="INSERTED", at=at)
    Suggested.objects.create(case_id=cases[4], message=Case.objects.get(pk=cases[4]).messages.get(), is_sure=True, solution=invoice, at=at)
    viewer = cast.viewer(cast.agent)
    assert list_gaps(viewer, at) == [Gap("courier", 4, 3, 0)]
    Suggested.objects.all().delete()
    assert list_gaps(viewer, at) == [Gap("courier", 4, 3, 0), Gap("invoice", 3, 3, 1)]
    assert list_gaps(cast.viewer(cast.outsider), at) == []
    client.force_login(cast.supervisor)
    assert "/solutions/new/?category=courier" in words(client.get("/solutions/gaps/"))


def test_the_page_of_automatic_replies_says_what_is_missing_and_refuses_agents(client, cast, now, monkeypatch):
    from careloop.desk.solutions.automatic import derive_threshold

    monkeypatch.setattr("careloop.desk.solutions.evidence.rank_many", None)  # no screen ranks for the threshold
    client.force_login(cast.owner)
    page = words(client.get("/solutions/automatic/"))
    assert "Automatic replies are off." in page and "Switch on" not in page
    client.post("/solutions/automatic/", {"do": "promise", "promise": "0.9"})
    assert "The worker has not looked" in words(client.get("/solutions/automatic/"))
    derive_threshold(now=now)
    assert "Not enough data: 0 held-back cases, at least 30 are needed." in words(client.get("/solutions/automatic/"))
    assert client.post("/solutions/automatic/", {"do": "on"}).status_code == 422
    AutomaticReplies.objects.update(is_on=True, threshold=0.8)
    client.force_login(cast.agent)
    assert client.post("/solutions/automatic/", {"do": "off"}).status_code == 403
    assert AutomaticReplies.objects.get().is_on
    client.force_login(cast.supervisor)
    client.post("/solutions/automatic/", {"do": "off"})
    assert not AutomaticReplies.objects.get().is_on


def test_help_pages_speak_the_language_that_is_asked_for(client, invoice, write):
    write(INVOICE, status="DRAFT")
    assert "Ask for an invoice" in words(client.get("/help/"))
    assert "补开发票" in words(client.get("/help/?lang=zh"))
    assert "补开发票" in words(client.get("/help/", headers={"Accept-Language": "zh-CN"}))
    client.cookies["django_language"] = "zh-hans"
    assert "补开发票" in words(client.get(f"/help/{invoice.slug}/"))
    assert "补开发票" in words(client.get("/help/?q=发票")) and "<script>" not in words(client.get("/help/?q=<script>"))
    assert client.get("/help/ask-for-an-invoice-2/").status_code == client.get("/help/none/").status_code == 404


def test_a_visitor_says_once_whether_it_helped(client, invoice):
    path = f"/help/{invoice.slug}/"
    assert "Did this help?" in words(client.get(path))
    assert client.post(f"{path}vote/", {"helped": "yes", "lang": "zh"})["Location"] == f"{path}?thanks&lang=zh"
    client.post(f"{path}vote/", {"helped": "no"})
    client.post(f"{path}vote/", {"helped": "perhaps"})
    assert list(HelpVote.objects.values_list("has_helped", flat=True)) == [True]
    assert "Thank you for telling us." in words(client.get(f"{path}?thanks"))


def test_no_use_is_noted_by_looking(client, cast, case, leak):
    client.force_login(cast.agent)
    client.get(f"/cases/{case.pk}/solutions/", headers=HTMX)
    assert not SolutionUse.objects.exists() and not Taken.objects.exists()
