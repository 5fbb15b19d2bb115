"""Customer, case, invitation are locked in this order: arrivals lock customers before cases, merging cases before what hangs on them."""

from careloop.desk.cases.models import Case
from careloop.desk.customers.models import Customer
from careloop.desk.surveys.models import Invitation

TRIES = 5


def lock_invitation(invitation_id: int) -> Invitation | None:
    """The invitation with its customer and case, all locked until the transaction ends; None when there is none any more."""
    for _attempt in range(TRIES):
        seen = Invitation.objects.filter(pk=invitation_id).values_list("customer_id", "case_id").first()
        if seen is None:
            return None
        list(Customer.objects.select_for_update().filter(pk=seen[0]))
        list(Case.objects.select_for_update().filter(pk=seen[1]))
        related = ("survey", "version", "channel", "customer", "case")
        found: Invitation | None = (
            Invitation.objects.select_for_update(of=("self",)).select_related(*related).filter(pk=invitation_id).first()
        )
        if found is None or (found.customer_id, found.case_id) == seen:  # else its case was merged between reading and locking
            return found
    raise RuntimeError(f"the case of invitation {invitation_id} changed {TRIES} times while it was being locked")
