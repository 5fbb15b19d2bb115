"""Customers and their addresses."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import Team
from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.fields import EncryptedTextField


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Customers as viewers see them."""

    def visible_to(self, viewer: Viewer) -> "CustomerQuerySet":
        """Those known to one of the viewer's teams."""
        if viewer.team_ids is None:
            return self
        known = Customer.teams.through.objects.filter(team_id__in=viewer.team_ids, customer_id=models.OuterRef("pk"))
        return self.filter(models.Exists(known))


class Customer(models.Model):
    """Somebody who writes to the house."""

    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10, blank=True)
    company = models.CharField(max_length=200, blank=True)
    identity_number = EncryptedTextField(null=True)
    notes = models.TextField(blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    teams = models.ManyToManyField(Team, related_name="+")
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(db_index=True)
    version = models.PositiveIntegerField(default=1)

    objects = CustomerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"


class AddressKind(models.TextChoices):
    """What an address is."""

    EMAIL = "EMAIL", _("E-mail")
    PHONE = "PHONE", _("Phone")
    HANDLE = "HANDLE", _("Name in a channel")


class Address(models.Model):
    """A customer's identity in one channel; the value is encrypted, `value_index` finds it by exact match."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="addresses")
    kind = models.CharField(max_length=10, choices=AddressKind.choices)
    scope = models.CharField(max_length=60, blank=True)
    value = EncryptedTextField()
    value_index = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "scope", "value_index"], name="address_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.customer_id}"
