"""Names of what models learn, and of the values they may say."""

from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.taxonomy_queries import names_by_code
from careloop.desk.cases.queries import choices


def task_name(task: str) -> str:
    """What the models of a task tell."""
    return {"KIND": _("Kind of contact"), "SENTIMENT": _("Sentiment")}.get(task, _("Category"))


def value_names(task: str, viewer: Viewer) -> dict[str, str]:
    """The name of every value that a model of the task may say."""
    if task == "CATEGORY":
        return names_by_code(viewer)
    return {str(code): str(label) for code, label in choices()[task.lower()]}
