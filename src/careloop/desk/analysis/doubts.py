"""Labels that the model learnt from the others takes for wrong: listed after each training, decided by a person once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.corrections import correct_category, scope_of
from careloop.desk.analysis.models import Correction, LabelDoubt, Task, Taxonomy
from careloop.desk.analysis.taxonomy_queries import access_taxonomy
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound

KEPT, TAKEN = LabelDoubt.Decision.KEPT, LabelDoubt.Decision.TAKEN


def keep_doubts(taxonomy: Taxonomy, taught: Sequence[int], suspects: Sequence[dict[str, Any]]) -> int:
    """Store what a training doubts; `taught` are the messages in the order of its rows. Earlier doubts that nobody decided are replaced."""
    by_message = {taught[one["row"]]: one for one in suspects}
    with transaction.atomic():
        rows = Correction.objects.filter(scope=scope_of(taxonomy.pk), message_id__in=by_message).order_by("pk")
        newest = {row.message_id: row for row in rows}
        LabelDoubt.objects.filter(taxonomy=taxonomy, decision="").delete()
        made = [
            LabelDoubt(correction=row, taxonomy=taxonomy, team_id=row.team_id, suggested=one["suggested"], margin=one["margin"])
            for message_id, row in newest.items()
            if (one := by_message[message_id])["label"] == row.value
        ]
        LabelDoubt.objects.bulk_create(made, ignore_conflicts=True)  # those that people decided are there, and stay
    return len(made)


def decide_doubt(*, doubt_id: int, choice: str, viewer: Viewer, now: datetime) -> LabelDoubt:
    """Keep the label (choice "keep") or take the suggestion ("take"); refused when somebody decided, or changed the label, in between."""
    check_may(viewer, "taxonomy.edit")
    with transaction.atomic():
        doubt = access_doubt(doubt_id, viewer)
        if choice not in {"keep", "take"}:
            raise InvalidInput(_("Choose whether the label is kept or the suggestion taken."), field="choice")
        is_taken = choice == "take"
        if doubt.decision:
            raise Conflict(_("%(who)s decided this in between; load the page again.") % {"who": doubt.decided_by_name})
        word = doubt.correction
        if Correction.objects.filter(message_id=word.message_id, task=Task.CATEGORY, pk__gt=word.pk).exists():
            raise Conflict(_("Somebody gave this message another label since; load the page again."))
        if is_taken:
            correct_category(message=word.message, value=doubt.suggested, seen_correction_id=word.pk, viewer=viewer, now=now)
        doubt.decision = TAKEN if is_taken else KEPT
        doubt.decided_by_id, doubt.decided_by_name, doubt.decided_at = viewer.user_id, viewer.name, now
        doubt.save(update_fields=["decision", "decided_by", "decided_by_name", "decided_at"])
        after = doubt.suggested if is_taken else word.value
        details = {"message": word.message_id, "before": {"category": word.value}, "after": {"category": after}}
        audit.record(
            actor=actor_of(viewer), action=f"label.{choice}", object_type="taxonomy", object_id=doubt.taxonomy_id, now=now, details=details
        )
    return doubt


def access_doubt(doubt_id: int, viewer: Viewer) -> LabelDoubt:
    """The doubt, locked, if its message is of one of the viewer's teams and its taxonomy in their sight."""
    rows = LabelDoubt.objects.visible_to(viewer).select_for_update(of=("self",)).select_related("correction__message", "taxonomy")
    doubt: LabelDoubt | None = rows.filter(pk=doubt_id).first()
    if doubt is None:
        raise NotFound(_("There is no doubted label %(number)s in your teams.") % {"number": doubt_id})
    access_taxonomy(doubt.taxonomy_id, viewer)
    return doubt
