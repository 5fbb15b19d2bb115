"""The whole interface in simplified Chinese: no page says an English word, and none is wider than a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from careloop.desk.accounts.models import ApiKey, Channel, Team, User
from careloop.desk.customers.models import Customer
from careloop.desk.intake.actions import receive_message
from careloop.desk.jobs.models import Job, State
from careloop.desk.jobs.worker import Worker
from tests.conftest import PASSWORD
from tests.journeys.conftest import DESKTOP, PHONE

CHINESE_NAMES = {"Olga": "欧雅", "Sun": "孙敏", "Chen": "陈晨", "Ana": "安娜", "Wang": "王刚", "After-sales": "售后", "Wholesale": "批发"}
MEANT = {"Careloop", "API", "CSV", "TSV", "XLSX", "JSON", "Lines", "Parquet", "gzip", "English", "UTF", "Cookie", "Webhook"}
WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]{3,}(?![A-Za-z])")
FOREIGN = re.compile(r"\S*@\S*|https?://\S+|\S+\.csv\b|\bcareloop worker\b|\bCARELOOP_\w+|\b\w+-\d+[.\d]*|\b[0-9a-f]{64}\b")
SAID = """() => {
  const skipped = 'script, style, template, kbd, code, pre, .mono, .secret, :is([name=encoding], [name=action], [name=task]) option';
  const said = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest(skipped)) said.push(walker.currentNode.textContent.trim());
  }
  for (const name of ['title', 'aria-label', 'placeholder', 'alt']) {
    for (const element of document.querySelectorAll(`body [${name}]:not([name=slug], img)`)) said.push(element.getAttribute(name));
  }
  return said.filter(Boolean);
}"""
PAGES = [
    "/?view=all",
    "/?view=mine",
    "/?q=没有",
    "/cases/{case}/",
    "/cases/999/",
    "/customers/",
    "/customers/?q=没有",
    "/customers/{customer}/",
    "/customers/{customer}/edit/",
    "/feedback/?period=all",
    "/feedback/?q=没有",
    "/imports/",
    "/jobs/",
    "/jobs/?state=READY",
    "/jobs/?state=RUNNING",
    "/jobs/?state=SUCCEEDED",
    "/settings/users/",
    "/settings/users/new/",
    "/settings/users/{person}/",
    "/settings/teams/",
    "/settings/channels/",
    "/settings/keys/",
    "/settings/audit/",
    "/settings/audit/?object=team&number=999",
    "/settings/preferences/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/logout/",
    "/nowhere/",
]


@pytest.fixture(autouse=True)
def upload_dir(settings, tmp_path):
    settings.UPLOAD_DIR = tmp_path / "uploads"


@pytest.fixture
def places(desk, inbound, now) -> dict[str, int]:
    """A house of Chinese names with a read case, a job given up and a key."""
    for user in User.objects.all():
        User.objects.filter(pk=user.pk).update(display_name=CHINESE_NAMES[user.display_name])
    for team in Team.objects.all():
        Team.objects.filter(pk=team.pk).update(name=CHINESE_NAMES[team.name])
    Channel.objects.update(name="渠道")
    receipt = receive_message(inbound(), now=now)
    Worker().run_until_empty(fires_schedules=True)
    Job.objects.create(task="x", state=State.DEAD, run_after=now, enqueued_at=now, finished_at=now, attempts=8)
    ApiKey.objects.create(name="商城", prefix="cl1", secret_hash="", channel=desk.cast.channel, created_by=desk.cast.owner, created_at=now)
    return {"case": receipt.case_id, "customer": Customer.objects.get().pk, "person": desk.cast.agent.pk}


def english(page: Page) -> list[str]:
    """What the page says with an English word in it; customers', colleagues' and technical names apart."""
    return [said for said in page.evaluate(SAID) if set(WORD.findall(FOREIGN.sub(" ", said))) - MEANT]


def too_wide(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def test_english_words_are_noticed(visit):
    assert "Sign in" in english(visit("/accounts/login/"))
    assert english(visit("/accounts/login/", locale="zh-CN")) == []


def test_every_page_is_chinese_and_fits(desk, visit, places):
    page = visit("/", desk.cast.owner, locale="zh-CN")
    wrong = {}
    for path in PAGES:
        page.set_viewport_size(DESKTOP)
        page.goto(path.format(**places))
        if path.startswith("/feedback/?period"):
            expect(page.locator("#time-title ~ .chart svg").first).to_be_visible()
        if path == "/settings/audit/":
            expect(page.locator("#chain")).to_contain_text("记录链完整")
        found = english(page) + ["too wide"] * too_wide(page)
        page.set_viewport_size(PHONE)
        if found := found + english(page) + ["too wide on a phone"] * too_wide(page):
            wrong[path] = found
    assert wrong == {}


def test_a_file_is_brought_in_in_chinese(desk, visit, places):
    page = visit("/imports/", desk.cast.owner, locale="zh-CN")
    content = "评价,评分,日期\n很好用,5,2026-03-01\n还行,七,2026-03-02\n,,\n".encode()
    page.locator("input[name=file]").set_input_files({"name": "评价.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="上传").click()
    page.wait_for_url(re.compile(r"/imports/\d+/"))
    wrong = english(page)
    page.get_by_role("button", name="检查整个文件").click()
    expect(page.get_by_role("heading", name="正在逐行检查，尚未保存")).to_be_visible()
    wrong += english(page)
    Worker().run_until_empty()
    expect(page.get_by_text("第 2 行（文件第 3 行），“评分”列：“七”")).to_be_visible()
    wrong += english(page)
    page.get_by_role("button", name="导入 1 行").click()
    Worker().run_until_empty()
    expect(page.get_by_role("link", name="导入其他文件")).to_be_visible()
    page.goto("/imports/")
    assert wrong + english(page) == []


def test_refusals_are_said_in_chinese(desk, visit, places):
    page = visit("/settings/teams/", desk.cast.owner, locale="zh-CN")
    page.get_by_label("新团队名称").fill("售后")
    page.get_by_role("button", name="创建团队").click()
    expect(page.get_by_role("alert")).to_have_text("团队“售后”已存在。")
    wrong = english(page)
    page.goto("/accounts/password/change/")
    page.locator("[name=oldpassword]").fill(PASSWORD)
    for name in ("password1", "password2"):
        page.locator(f"[name={name}]").fill("short")
    page.keyboard.press("Enter")
    expect(page.get_by_text("密码太短，至少需要 10 个字符。")).to_be_visible()
    wrong += english(page)
    page = visit("/settings/keys/", desk.cast.agent, locale="zh-CN")
    expect(page.get_by_text("客服角色没有此权限（key.edit），请联系所有者。")).to_be_visible()
    assert wrong == []


def test_customers_write_in_chinese(visit, places):
    page = visit("/form/contact/", locale="zh-CN", phone=True)
    wrong = english(page)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    assert wrong + english(page) == []
    assert not too_wide(page)
