"""What came over the wire."""

from django.db import models

from careloop.desk.accounts.models import Channel
from careloop.desk.cases.models import Message
from careloop.desk.kernel.fields import EncryptedBytesField


class RawPayload(models.Model):
    """The bytes of one delivery, encrypted; (channel, external id) makes deliveries idempotent."""

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    external_id = models.CharField(max_length=200)
    content_type = models.CharField(max_length=80)
    body = EncryptedBytesField()
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="raw_payload")
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "external_id"], name="raw_payload_once")]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.external_id}"
