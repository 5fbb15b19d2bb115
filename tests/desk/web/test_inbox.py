"""The inbox as a browser gets it: views, filters, order, pages, search; its address says everything."""

import re

import pytest
from django.template import Context, Template
from lucide.templatetags.lucide import lucide as draw

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases import actions
from careloop.desk.cases.models import Case
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_messages

pytestmark = pytest.mark.django_db


@pytest.fixture
def cases(cast, inbound, now):
    """Makes `count` cases of different customers, and returns them in order of their numbers."""

    def make(count: int, **facts) -> list[Case]:
        begin = Case.objects.count()
        names = range(begin, begin + count)
        receive_messages(
            [
                inbound(
                    **{
                        "external_id": f"x-{name}",
                        "subject": f"Matter {name:03}",
                        "addresses": (AddressValue("EMAIL", f"c{name}@example.com"),),
                        **facts,
                    }
                )
                for name in names
            ],
            now=now,
        )
        return list(Case.objects.order_by("pk"))[begin:]

    return make


def rows(response) -> list[int]:
    """The case numbers of the list, in order."""
    return [int(number) for number in re.findall(r'id="row-(\d+)"', response.content.decode())]


def test_a_stranger_is_sent_to_sign_in_and_back(client, cast):
    assert client.get("/?view=mine")["Location"] == "/accounts/login/?next=/%3Fview%3Dmine"


def test_a_fragment_for_a_stranger_asks_the_browser_to_go_to_sign_in(client, cast):
    response = client.get("/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/cases/4/?view=mine"})
    assert (response.status_code, response.content) == (401, b"")
    assert response["HX-Redirect"] == "/accounts/login/?next=%2Fcases%2F4%2F%3Fview%3Dmine"


def test_an_outsider_sees_no_case_of_another_team(client, cast, cases):
    cases(2)
    client.force_login(cast.outsider)
    response = client.get("/?view=all")
    assert (response.status_code, rows(response)) == (200, [])
    assert "Matter 000" not in response.content.decode()


def test_views_hold_what_their_names_say_with_counts(client, cast, cases, now):
    mine, waiting, resolved, free = cases(4)
    viewer = viewer_of(cast.agent)
    actions.assign(case_id=mine.pk, assignee_id=cast.agent.pk, expected_version=mine.version, viewer=viewer, now=now)
    actions.set_status(case_id=waiting.pk, status="WAITING", expected_version=waiting.version, viewer=viewer, now=now)
    actions.set_status(case_id=resolved.pk, status="RESOLVED", expected_version=resolved.version, viewer=viewer, now=now)
    client.force_login(cast.agent)
    expected = {
        "mine": [mine.pk],
        "unassigned": [free.pk, waiting.pk],
        "overdue": [],
        "open": [free.pk, mine.pk],
        "waiting": [waiting.pk],
        "resolved": [resolved.pk],
        "all": [free.pk, resolved.pk, waiting.pk, mine.pk],
    }
    assert {view: rows(client.get(f"/?view={view}")) for view in expected} == expected
    tabs = client.get("/inbox/counts/").content.decode()
    assert re.findall(r">(\w+) <b>(\d+)</b>", tabs) == [
        ("Mine", "1"),
        ("Unassigned", "2"),
        ("Overdue", "0"),
        ("Open", "2"),
        ("Waiting", "1"),
    ]


def test_filters_combine_and_each_can_be_taken_away(client, cast, cases):
    one, two, three = cases(3)
    Case.objects.filter(pk=one.pk).update(kind="REFUND", sentiment="NEGATIVE")
    Case.objects.filter(pk=two.pk).update(kind="REFUND", sentiment="POSITIVE")
    Case.objects.filter(pk=three.pk).update(kind="PRAISE", sentiment="POSITIVE")
    client.force_login(cast.agent)
    response = client.get("/?kind=REFUND&sentiment=POSITIVE&channel=shop")
    assert rows(response) == [two.pk]
    page = response.content.decode()
    assert 'href="/?sentiment=POSITIVE&amp;channel=shop"' in page
    assert 'href="/?kind=REFUND&amp;channel=shop"' in page
    assert rows(client.get("/?kind=REFUND")) == [two.pk, one.pk]
    assert rows(client.get("/?channel=contact")) == []


def test_search_finds_chinese_words_customers_and_numbers(client, cast, cases):
    heater = cases(1)[0]
    other = cases(1, text="Where is my parcel?")[0]
    client.force_login(cast.agent)
    assert rows(client.get("/", {"q": "漏水"})) == [heater.pk]
    assert rows(client.get("/", {"q": "parcel"})) == [other.pk]
    assert rows(client.get("/", {"q": f"#{other.pk}"})) == [other.pk]
    assert rows(client.get("/", {"q": "c1@example.com"})) == [other.pk]


def test_nothing_found_leads_to_all_cases(client, cast, cases):
    cases(1)
    client.force_login(cast.agent)
    page = client.get("/", {"q": "<b>nothing</b>", "view": "mine"}).content.decode()
    assert 'href="/?view=all&amp;q=%3Cb%3Enothing%3C%2Fb%3E"' in page
    assert "<b>nothing</b>" not in page


def test_orders(client, cast, cases):
    one, two, three = cases(3)
    Case.objects.filter(pk=two.pk).update(priority=40, sentiment_probability=0.2)
    Case.objects.filter(pk=three.pk).update(sentiment_probability=0.1)
    Case.objects.filter(pk=one.pk).update(sentiment_probability=0.9)
    client.force_login(cast.agent)
    assert rows(client.get("/?sort=oldest")) == [one.pk, two.pk, three.pk]
    assert rows(client.get("/?sort=priority")) == [two.pk, one.pk, three.pk]
    assert rows(client.get("/?sort=unhappiest")) == [three.pk, two.pk, one.pk]


def test_pages_keep_the_filter_and_rows_lead_back_to_their_page(client, cast, cases):
    numbers = [case.pk for case in cases(60)]
    client.force_login(cast.agent)
    first, second = client.get("/?sort=oldest"), client.get("/?sort=oldest&page=2")
    assert (rows(first), rows(second)) == (numbers[:50], numbers[50:])
    assert 'href="?sort=oldest&amp;page=2"' in first.content.decode()
    assert f'href="/cases/{numbers[50]}/?sort=oldest&amp;page=2"' in second.content.decode()


@pytest.mark.parametrize("sort", ["newest", "oldest", "priority", "unhappiest"])
def test_a_page_far_back_holds_what_counting_from_the_front_gives(client, cast, cases, monkeypatch, sort):
    monkeypatch.setattr("careloop.desk.cases.queries.PAGE_SIZE", 3)
    numbers = [case.pk for case in cases(11)]
    Case.objects.filter(pk__in=numbers[::2]).update(priority=30, sentiment_probability=0.4)
    client.force_login(cast.agent)

    def pages() -> list[list[int]]:
        return [rows(client.get(f"/?sort={sort}&page={page}")) for page in range(1, 7)]

    near = pages()
    monkeypatch.setattr("careloop.desk.cases.queries.NEAR_PAGE", 0)
    monkeypatch.setattr("careloop.desk.cases.queries.COUNTED", 6)
    assert pages() == near
    assert [len(page) for page in near] == [3, 3, 3, 2, 2, 2]
    assert sorted(number for page in near[:4] for number in page) == numbers


def test_a_row_says_what_is_urgent_whose_it_is_and_where_it_stands(client, cast, cases, now):
    one = cases(1)[0]
    Case.objects.filter(pk=one.pk).update(priority=40, status="RESOLVED", assignee=cast.agent, sentiment="NEGATIVE", subject="<b>A</b>")
    client.force_login(cast.agent)
    row = " ".join(client.get(f"/cases/{one.pk}/row/?view=all").content.decode().split())
    labels = [re.sub(r"<svg.*?</svg>", "[icon]", label) for label in re.findall(r'class="chip[^>]*>(.*?)</span>', row)]
    assert labels == ["[icon]Urgent", "[icon]Resolved"]
    assert f'<span class="sr">{cast.agent.display_name}</span>' in row
    assert 'class="dot NEGATIVE" title="Negative"' in row
    assert "&lt;b&gt;A&lt;/b&gt;" in row


def test_an_icon_is_drawn_as_its_package_draws_it():
    page = Template('{% load lucide %}{% lucide "flag" size=12 aria_hidden="true" %}{% lucide "flag" size=16 %}').render(Context())
    assert page == draw("flag", size=12, aria_hidden="true") + draw("flag", size=16)


@pytest.mark.parametrize("number", ["0", "-1", "x", "²", "9" * 30])
def test_a_page_number_that_is_none_means_the_first(client, cast, cases, number):
    expected = cases(1)[0].pk
    client.force_login(cast.agent)
    assert rows(client.get("/", {"page": number})) == [expected]


def test_an_unknown_view_is_refused_in_words(client, cast):
    client.force_login(cast.agent)
    response = client.get("/?view=nonsense")
    assert response.status_code == 422
    assert "The view is &#x27;nonsense&#x27;" in response.content.decode()


def test_htmx_gets_the_list_alone_and_caches_keep_the_two_apart(client, cast, cases):
    cases(1)
    client.force_login(cast.agent)
    part = client.get("/", headers={"HX-Request": "true", "HX-Target": "list"})
    assert part.content.decode().lstrip().startswith('<div id="list"')
    assert "<html" not in part.content.decode()
    assert {"HX-Request", "HX-Target"} <= {name.strip() for name in part["Vary"].split(",")}
    assert "no-store" in part["Cache-Control"]


def test_an_unsure_kind_is_shown_with_its_probability(client, cast, cases):
    one, two = cases(2)
    Case.objects.filter(pk=one.pk).update(kind="REFUND", kind_probability=0.61)
    Case.objects.filter(pk=two.pk).update(kind="PRAISE", kind_probability=0.93)
    client.force_login(cast.agent)
    words = " ".join(client.get("/?sort=oldest").content.decode().split())
    assert "Refund 0.61?</span>" in words
    assert "Praise</span>" in words


def test_one_row_is_fresh_and_an_outsider_gets_none(client, cast, cases):
    case = cases(1)[0]
    client.force_login(cast.agent)
    assert rows(client.get(f"/cases/{case.pk}/row/?view=all")) == [case.pk]
    client.force_login(cast.outsider)
    assert client.get(f"/cases/{case.pk}/row/").status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_rows(client, cast, cases, django_assert_num_queries):
    cases(2)
    client.force_login(cast.agent)
    client.get("/")
    with django_assert_num_queries(13):
        client.get("/")
    cases(40)
    with django_assert_num_queries(13):
        client.get("/")


def test_the_pages_language_is_the_persons_own_before_the_browsers(client, cast):
    client.force_login(cast.agent)
    assert '<html lang="zh-Hans"' in client.get("/", headers={"Accept-Language": "zh-CN"}).content.decode()
    cast.agent.language = "en"
    cast.agent.save()
    assert '<html lang="en"' in client.get("/", headers={"Accept-Language": "zh-CN"}).content.decode()


@pytest.mark.parametrize("theme", ["SYSTEM", "LIGHT", "DARK"])
def test_the_theme_is_the_persons(client, cast, theme):
    cast.agent.theme = theme
    cast.agent.save()
    client.force_login(cast.agent)
    assert f'data-theme="{theme}"' in client.get("/").content.decode()


def test_no_page_carries_an_inline_script(client, cast, cases):
    cases(1)
    client.force_login(cast.agent)
    page = client.get("/").content.decode()
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))[^>]*>", page) == []
    assert re.findall(r"\son\w+=", page) == []
