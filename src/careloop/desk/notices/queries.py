"""Reading notices: each person sees their own."""

from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import NotFound
from careloop.desk.notices.models import Notice

SHOWN = 100
COUNTED = 99


def list_notices(viewer: Viewer) -> list[Notice]:
    """The newest hundred of the viewer's notices, newest first."""
    return list(Notice.objects.filter(user_id=viewer.user_id).order_by("-at", "-pk")[:SHOWN])


def count_unread(viewer: Viewer) -> int:
    """How many of the viewer's notices are unread, counted up to 100."""
    return Notice.objects.filter(user_id=viewer.user_id, read_at=None)[: COUNTED + 1].count()


def get_notice(notice_id: int, viewer: Viewer) -> Notice:
    """One of the viewer's own notices."""
    found = Notice.objects.filter(pk=notice_id, user_id=viewer.user_id).first()
    if found is None:
        raise NotFound(_("There is no notice %(number)s for you.") % {"number": notice_id})
    return found
