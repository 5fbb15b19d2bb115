"""Reading flows: work rules of the whole house."""

from collections import Counter

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import User
from careloop.desk.flows.models import Flow, FlowVersion
from careloop.desk.flows.rules import flow as rules
from careloop.desk.flows.rules.flow import Names, name_in
from careloop.desk.flows.rules.reading import read_flow
from careloop.desk.kernel.errors import NotFound


def flow_of(version: FlowVersion) -> rules.Flow:
    """The flow of a stored version, as the rules take it."""
    return read_flow(version.definition)


def named(name: Names) -> str:
    """A name in the reader's language."""
    return name_in(name, get_language() or "en")


def live_versions() -> QuerySet[FlowVersion]:
    """The newest version of each flow, with the flow, in their order."""
    newest = FlowVersion.objects.filter(flow=OuterRef("flow")).order_by("-number").values("number")[:1]
    return FlowVersion.objects.filter(number=Subquery(newest)).select_related("flow").order_by("flow__kind", "flow__position", "flow_id")


def versions_by_kind() -> dict[str, FlowVersion]:
    """The version in which new cases of each kind begin (one query)."""
    found: dict[str, FlowVersion] = {}
    for version in live_versions().filter(flow__is_active=True):
        found.setdefault(version.flow.kind, version)
    return found


def access_flow(flow_id: int) -> Flow:
    """The flow of this number."""
    found = Flow.objects.filter(pk=flow_id).first()
    if found is None:
        raise NotFound(_("There is no flow %(number)s.") % {"number": flow_id})
    return found


def access_version(flow_id: int, number: int | None = None) -> FlowVersion:
    """A version of a flow, the newest unless a number is given."""
    versions = FlowVersion.objects.filter(flow_id=access_flow(flow_id).pk).select_related("flow", "created_by").order_by("-number")
    found = versions.first() if number is None else versions.filter(number=number).first()
    if found is None:
        raise NotFound(_("Flow %(flow)s has no version %(number)s.") % {"flow": flow_id, "number": number})
    return found


def list_versions(flow_id: int) -> list[FlowVersion]:
    """A flow's versions, newest first."""
    return list(FlowVersion.objects.filter(flow_id=flow_id).select_related("flow", "created_by").order_by("-number"))


def people_by_role() -> dict[str, int]:
    """How many active people have each role."""
    return dict(Counter(User.objects.filter(is_active=True).values_list("role", flat=True)))
