"""Why a step is not possible, in the reader's language; agents read it on the case and in refusals."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Role
from careloop.desk.flows.queries import named
from careloop.desk.flows.rules.flow import Flow, Transition
from careloop.desk.flows.rules.moving import ASK, MISSING, PENDING, REFUSED, ROLE, Move


def why_not(flow: Flow, move: Move) -> str:
    """The sentence that says what stands in a step's way; "" when nothing does."""
    step = named(move.step.name)
    if move.obstacle == ROLE:
        return _("“%(step)s” is a step for: %(roles)s.") % {"step": step, "roles": role_names(move.step.roles)}
    if move.obstacle == MISSING:
        return _("“%(step)s” needs first: %(fields)s.") % {"step": step, "fields": field_names(flow, move.fields)}
    if move.obstacle == ASK and move.step.approval is not None:
        facts = {"step": step, "roles": role_names(move.step.approval.roles)}
        return _("“%(step)s” needs an approval first (%(roles)s); ask for it.") % facts
    sentences = {
        PENDING: _("“%(step)s” waits for an approval that was asked for."),
        REFUSED: _("The approval of “%(step)s” was refused; change what was asked for, or ask again."),
    }
    return sentences[move.obstacle] % {"step": step} if move.obstacle else ""


def role_names(roles: Iterable[str]) -> str:
    """Roles in words."""
    return _(", ").join(str(Role(role).label) for role in roles)


def field_names(flow: Flow, codes: Iterable[str]) -> str:
    """Fields in words."""
    return _(", ").join(named(field.name) for code in codes if (field := flow.find_field(code)) is not None)


def way_in_words(steps: Iterable[Transition]) -> str:
    """Steps in words, in their order."""
    return " → ".join(named(step.name) for step in steps)
