"""What can be found: one row for each message, customer or case."""

from django.db import models


class Subject(models.TextChoices):
    """What a search document stands for."""

    MESSAGE = "MESSAGE"
    CUSTOMER = "CUSTOMER"
    CASE = "CASE"
    SOLUTION = "SOLUTION"


class SearchDocument(models.Model):
    """The tokens of one subject; SQLite's FTS5 table and PostgreSQL's GIN index read `tokens`."""

    subject = models.CharField(max_length=10, choices=Subject.choices)
    object_id = models.BigIntegerField()
    case_id = models.BigIntegerField(null=True)
    customer_id = models.BigIntegerField(null=True)
    team_id = models.BigIntegerField(null=True)
    tokens = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "object_id"], name="search_document_once")]

    def __str__(self) -> str:
        return f"{self.subject} {self.object_id}"
