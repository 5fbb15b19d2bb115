"""The outbox table."""

from django.db import models

from careloop.desk.cases.models import Message


class OutboxItem(models.Model):
    """A message that must leave the house; its key lets the other side tell a repeated delivery."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="outbox_item")
    idempotency_key = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    subject = models.CharField(max_length=250, blank=True, help_text="of a mail; blank: the case's")
    html = models.TextField(blank=True, help_text="of a mail that looks like something; emptied once it left")
    refuse_url = models.CharField(max_length=300, blank=True, help_text="where the customer ends such mails")

    def __str__(self) -> str:
        return f"outbox {self.message_id}"
