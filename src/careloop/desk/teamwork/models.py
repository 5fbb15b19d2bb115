"""What hangs on a case beside its conversation: the customer's link, files."""

from django.db import models

from careloop.desk.cases.models import Case, Message
from careloop.desk.kernel.fields import EncryptedBytesField


class CustomerLink(models.Model):
    """How often a case's links were revoked, and how much was written through them in the current hour; no row means never."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="customer_link")
    revision = models.PositiveIntegerField(default=1, help_text="a link of an earlier revision opens nothing")
    hour = models.PositiveIntegerField(default=0, help_text="hours since 1970 in which something was written last")
    written = models.PositiveIntegerField(default=0, help_text="how often in that hour")

    def __str__(self) -> str:
        return f"links of {self.case_id}, revision {self.revision}"


class Attachment(models.Model):
    """A file that a customer sent with a message; its bytes are encrypted."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="attachments")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=40)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = EncryptedBytesField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "sha256"], name="attachment_once")]

    def __str__(self) -> str:
        return f"{self.name} of {self.message_id}"
