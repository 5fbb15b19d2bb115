"""The jobs that write alarms to the house's addresses, in both languages, the house's first; a repeated mail has the same Message-ID."""

from collections.abc import Callable

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import translation
from django_tasks import task

from careloop.desk.watch.models import Alarm, ToldTopic
from careloop.desk.watch.queries import find_setting
from careloop.desk.watch.words import sentence_of, sentence_of_topic


@task()
def mail_alarm(alarm_id: int) -> None:
    """Write of a figure that left its limits. A failure is tried again by the queue."""
    alarm = Alarm.objects.select_related("watched", "watched__team").filter(pk=alarm_id).first()
    if alarm is not None:
        _write(lambda: sentence_of(alarm), reverse("alarm", args=[alarm.pk]), f"alarm-{alarm.pk}")


@task()
def mail_topic(told_id: int) -> None:
    """Write of a topic that emerged, by its number: words of customers stay in the desk. A failure is tried again by the queue."""
    row = ToldTopic.objects.filter(pk=told_id).first()
    if row is not None:
        name = f"#{row.topic_id}"
        _write(lambda: sentence_of_topic(name, row.count, row.expected), reverse("topic", args=[row.topic_id]), f"topic-told-{row.pk}")


def _write(sentence: Callable[[], str], path: str, key: str) -> None:
    addresses = [one for one in find_setting().mail_to.split(", ") if one]
    if not addresses:
        return
    told = []
    for code in dict.fromkeys([settings.LANGUAGE_CODE, *(code for code, _name in settings.LANGUAGES)]):
        with translation.override(code):
            told.append(sentence())
    body = "\n\n".join([*told, settings.BASE_URL + path])
    headers = {"Message-ID": f"<{key}@careloop>", "Auto-Submitted": "auto-generated"}
    EmailMessage(subject=f"{settings.HOUSE_NAME}: {told[0]}"[:150], body=body, to=addresses, headers=headers).send()
