"""Purchases, each as it was told at every time."""

from django.db import models
from django.db.models import Q

from careloop.desk.accounts.models import Team
from careloop.desk.accounts.rules import Viewer
from careloop.desk.customers.models import Customer


class PurchaseQuerySet(models.QuerySet["Purchase"]):
    """Purchases as viewers see them."""

    def visible_to(self, viewer: Viewer) -> "PurchaseQuerySet":
        """Those from the viewer's teams' channels."""
        return self if viewer.team_ids is None else self.filter(team_id__in=viewer.team_ids)


class Purchase(models.Model):
    """One order; what its shop corrects is a new row, and the old one keeps from when to when it was believed."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="purchases")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    order_number = models.CharField(max_length=80)
    bought_at = models.DateTimeField()
    amount_minor = models.BigIntegerField(help_text="in the currency's smallest unit")
    currency = models.CharField(max_length=3)
    products = models.JSONField(default=list)
    is_cancelled = models.BooleanField(default=False)
    received_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True, help_text="null: as it is believed now")

    objects = PurchaseQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "order_number"], condition=Q(replaced_at=None), name="purchase_once")]
        indexes = [models.Index(fields=["customer", "bought_at"], name="purchase_of_customer")]

    def __str__(self) -> str:
        return self.order_number
