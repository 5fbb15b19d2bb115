"""The interface is complete in Chinese; the compiled catalogue is the edited one."""

from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tools import translations


def catalogue(**strings: str) -> Catalog:
    made = Catalog(locale="zh_Hans")
    for message, string in strings.items():
        made.add(message, string)
    return made


def test_every_message_is_translated_with_its_placeholders():
    assert translations.problems(translations.load(), translations.collect()) == []


def test_the_catalogue_holds_nothing_else():
    wanted = {(message.id, message.context) for message in translations.collect()}
    assert {(message.id, message.context) for message in translations.load()} - wanted == set()


def test_the_compiled_catalogue_is_not_stale():
    assert translations.MO.read_bytes() == translations.compiled(translations.load()), "run `make translations`"


def test_messages_of_code_and_templates_are_found(tmp_path):
    code = tmp_path / "a.py"
    lines = [
        "from x import gettext_lazy as _, ngettext, pgettext",
        'A = _("One")',
        'B = ngettext("%(n)s case", "%(n)s cases", 2)',
        'C = pgettext("kind", "Other")',
    ]
    code.write_text("\n".join(lines))
    assert list(translations.from_python(code)) == [("One", None), (("%(n)s case", "%(n)s cases"), None), ("Other", "kind")]
    page = tmp_path / "a.html"
    page.write_text(
        "{% load i18n %}<p title='{% translate \"It's (open)\" %}'>{% blocktranslate count n=n %}{{ n }} case{% plural %}{{ n }} cases"
        '{% endblocktranslate %} {{ _("Two") }} {% translate "Other" context "kind" %} {{ x|default:_("None") }}</p>'
    )
    assert list(translations.from_template(page)) == [
        ("It's (open)", None),
        (("%(n)s case", "%(n)s cases"), None),
        ("Two", None),
        ("Other", "kind"),
        ("None", None),
    ]


def test_what_is_missing_fuzzy_or_has_other_placeholders_is_told():
    wanted = catalogue(**{"Open": "", "%(n)s cases": "", "Hello {name}": "", "Fuzzy": ""})
    given = catalogue(**{"%(n)s cases": "%(m)s 个工单", "Hello {name}": "你好，{name}"})
    given.add("Fuzzy", "模糊", flags=["fuzzy"])
    assert translations.problems(given, wanted) == [
        "'Open' () has no translation",
        "'%(n)s cases' has other placeholders than its translation '%(m)s 个工单'",
        "'Fuzzy' is marked fuzzy",
    ]


def test_updating_keeps_translations_and_drops_what_is_unused():
    updated = translations.update(catalogue(Open="打开", Old="旧"), catalogue(Open="", New=""))
    assert {message.id: message.string for message in updated if message.id} == {"Open": "打开", "New": ""}
    again = read_po(BytesIO(translations.written(updated)), locale="zh_Hans")
    assert translations.written(again) == translations.written(updated)
    assert b"Date" not in translations.written(updated)
