"""The outbox table."""

from django.db import models

from careloop.desk.cases.models import Message


class OutboxItem(models.Model):
    """A message that must leave the house; its key lets the other side tell a repeated delivery."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="outbox_item")
    idempotency_key = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"outbox {self.message_id}"
