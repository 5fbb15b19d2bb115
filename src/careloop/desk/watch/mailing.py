"""The job that writes an alarm to the house's addresses."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import translation
from django_tasks import task

from careloop.desk.watch.models import Alarm
from careloop.desk.watch.queries import find_setting
from careloop.desk.watch.words import sentence_of


@task()
def mail_alarm(alarm_id: int) -> None:
    """Write in both languages, the house's first; a repeated mail has the same Message-ID. A failure is tried again by the queue."""
    alarm = Alarm.objects.select_related("watched", "watched__team").filter(pk=alarm_id).first()
    addresses = [one for one in find_setting().mail_to.split(", ") if one]
    if alarm is None or not addresses:
        return
    told = []
    for code in dict.fromkeys([settings.LANGUAGE_CODE, *(code for code, _name in settings.LANGUAGES)]):
        with translation.override(code):
            told.append(sentence_of(alarm))
    body = "\n\n".join([*told, settings.BASE_URL + reverse("alarm", args=[alarm.pk])])
    headers = {"Message-ID": f"<alarm-{alarm.pk}@careloop>", "Auto-Submitted": "auto-generated"}
    EmailMessage(subject=f"{settings.HOUSE_NAME}: {told[0]}"[:150], body=body, to=addresses, headers=headers).send()
