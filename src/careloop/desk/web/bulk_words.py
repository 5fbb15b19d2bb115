"""Changes of many cases in words: what is set, and why it cannot be set on some."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.taxonomy_queries import names_by_code
from careloop.desk.bulk.queries import name_of_person
from careloop.desk.bulk.rules import (
    ASSIGN,
    CATEGORY,
    IS_DECIDED_HERE,
    IS_MERGED,
    NO_SUCH_CATEGORY,
    NOT_IN_TEAM,
    ON_A_FLOW,
    OUT_OF_SIGHT,
    PRIORITY,
    TEAM,
    Wish,
)
from careloop.desk.cases.teams import team_names
from careloop.desk.web.timeline import word

REASONS: dict[str, Promise] = {
    OUT_OF_SIGHT: gettext_lazy("not in your teams"),
    IS_MERGED: gettext_lazy("merged into another case"),
    NOT_IN_TEAM: gettext_lazy("that person does not work in the case’s team"),
    NO_SUCH_CATEGORY: gettext_lazy("the case’s team does not have that category"),
    IS_DECIDED_HERE: gettext_lazy("an approval is asked for, and its team decides"),
    ON_A_FLOW: gettext_lazy("its workflow has steps left; take them on the case’s page"),
}


def wish_words(wish: Wish, viewer: Viewer) -> str:
    """What is set, such as “Priority: Urgent”."""
    if wish.field == ASSIGN:
        return _("Assignee: %(value)s") % {"value": _("Nobody") if wish.value is None else name_of_person(wish.value)}
    if wish.field == TEAM:
        return _("Team: %(value)s") % {"value": team_names().get(wish.value, wish.value)}
    if wish.field == PRIORITY:
        return _("Priority: %(value)s") % {"value": word("priority", wish.value)}
    if wish.field == CATEGORY:
        return _("Category: %(value)s") % {"value": names_by_code(viewer).get(wish.value, wish.value)}
    return _("Status: %(value)s") % {"value": word("status", wish.value)}
