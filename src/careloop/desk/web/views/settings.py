"""Settings: people, teams, channels, API keys, one's own preferences, the audit trail."""

import secrets
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts import actions, queries
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit.queries import list_actions, list_entries, verify_chain
from careloop.desk.kernel.errors import DeskError, InvalidInput, NotFound
from careloop.desk.routing.actions import return_after_change
from careloop.desk.teamwork.case_tasks import list_people
from careloop.desk.teamwork.leaving import return_tasks
from careloop.desk.web.access import for_viewer
from careloop.desk.web.audit_words import action_in_words, details_in_words

ROLES: dict[str, tuple[Promise, Promise]] = {
    "AGENT": (gettext_lazy("Agent"), gettext_lazy("answers customers of the own teams")),
    "SUPERVISOR": (gettext_lazy("Supervisor"), gettext_lazy("also imports, changes customers, sees jobs and tries them again")),
    "ANALYST": (gettext_lazy("Analyst"), gettext_lazy("sees every team, imports, changes no case")),
    "OWNER": (gettext_lazy("Owner"), gettext_lazy("may do everything and sees the audit trail")),
}
KINDS = {"FORM": gettext_lazy("Web form"), "API": gettext_lazy("API"), "EMAIL": gettext_lazy("E-mail"), "FILE": gettext_lazy("File import")}
LANGUAGES = {"": gettext_lazy("As the browser says"), "en": "English", "zh-hans": "简体中文"}
THEMES = {"SYSTEM": gettext_lazy("As the device"), "LIGHT": gettext_lazy("Light"), "DARK": gettext_lazy("Dark")}
PASSWORD_BYTES = 12
ENTRIES_SHOWN = 100
OBJECTS: dict[str, Promise] = {
    "calendar": gettext_lazy("Calendar"),
    "level": gettext_lazy("Service level"),
    "case": gettext_lazy("Case"),
    "channel": gettext_lazy("Channel"),
    "customer": gettext_lazy("Customer"),
    "feedback": gettext_lazy("Feedback"),
    "import": gettext_lazy("Import"),
    "job": gettext_lazy("Job"),
    "secrets": gettext_lazy("Encryption keys"),
    "key": gettext_lazy("API key"),
    "team": gettext_lazy("Team"),
    "taxonomy": gettext_lazy("Categories"),
    "user": gettext_lazy("Person at the desk"),
}
ACTORS: dict[str, Promise] = {
    "customer": gettext_lazy("Customer"),
    "key": gettext_lazy("API key"),
    "system": gettext_lazy("by itself"),
}


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_GET
@for_viewer("user.edit")
def users(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Everybody who can sign in."""
    return _page(request, "users", {"people": queries.list_users(), "roles": ROLES})


@never_cache
@require_http_methods(["GET", "POST"])
@for_viewer("user.edit")
def new_user(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Invite somebody: the initial password is shown in the answer and nowhere else."""
    context: dict[str, Any] = {"teams": queries.list_teams(viewer), "roles": ROLES, "role": "AGENT", "chosen": set()}
    if request.method == "GET":
        return _page(request, "user", context)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    facts = _person(request)
    try:
        user = actions.create_user(
            **facts, email=request.POST.get("email", ""), password=password, actor=queries.actor_of(viewer), now=now()
        )
    except DeskError as error:
        context |= {**facts, "email": request.POST.get("email", ""), "chosen": set(facts["team_ids"])}
        return _page(request, "user", context, error=error)
    sign_in_url = settings.BASE_URL + reverse("account_login")
    return _page(request, "invited", {"person": user, "password": password, "sign_in_url": sign_in_url})


@require_http_methods(["GET", "POST"])
@for_viewer("user.edit")
def user(request: HttpRequest, viewer: Viewer, user_id: int) -> HttpResponse:
    """Change role, teams and access of a person."""
    person = next((one for one in queries.list_users() if one.pk == user_id), None)
    if person is None:
        raise NotFound(_("There is no person %(number)s.") % {"number": user_id})
    context: dict[str, Any] = {"teams": queries.list_teams(viewer), "roles": ROLES, "person": person, "email": person.email}
    stored = {"display_name": person.display_name, "role": person.role, "is_active": person.is_active}
    if request.method == "GET":
        return _page(request, "user", {**context, **stored, "chosen": {team.pk for team in person.teams.all()}})
    facts = _person(request)
    is_active = request.POST.get("is_active") == "on"
    try:
        actions.change_user(user_id=user_id, **facts, is_active=is_active, actor=queries.actor_of(viewer), now=now())
    except DeskError as error:
        return _page(request, "user", {**context, **facts, "is_active": is_active, "chosen": set(facts["team_ids"])}, error=error)
    return_after_change(user_id=user_id, now=now())
    return_tasks(user_id=user_id, now=now())
    messages.success(request, _("%(name)s was changed.") % {"name": facts["display_name"]})
    return redirect("users")


@never_cache
@require_POST
@for_viewer("user.edit")
def new_password(request: HttpRequest, viewer: Viewer, user_id: int) -> HttpResponse:
    """Give somebody a new password, shown in the answer and nowhere else."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    person = actions.reset_password(user_id=user_id, password=password, actor=queries.actor_of(viewer), now=now())
    return _page(request, "invited", {"person": person, "password": password, "sign_in_url": settings.BASE_URL + reverse("account_login")})


@require_http_methods(["GET", "POST"])
@for_viewer("user.edit")
def teams(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The teams, with how many people and channels each has; a new one."""
    error = None
    if request.method == "POST":
        try:
            actions.create_team(name=request.POST.get("name", ""), actor=queries.actor_of(viewer), now=now())
            return redirect("teams")
        except DeskError as refused:
            error = refused
    people = Counter(team.pk for person in queries.list_users() if person.is_active for team in person.teams.all())
    channels = Counter(channel.team_id for channel in queries.list_channels(viewer))
    rows = [(team, people[team.pk], channels[team.pk]) for team in queries.list_teams(viewer)]
    return _page(request, "teams", {"rows": rows, "name": request.POST.get("name", "")}, error=error)


@require_http_methods(["GET", "POST"])
@for_viewer("channel.edit")
def channels(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The channels, with the address of each form; a new one."""
    given = {name: request.POST.get(name, "").strip() for name in ("kind", "name", "slug", "team")}
    error = None
    if request.method == "POST":
        try:
            facts: dict[str, Any] = {
                "kind": given["kind"],
                "name": given["name"],
                "slug": given["slug"],
                "team_id": _id(given["team"], "team"),
            }
            actions.create_channel(**facts, actor=queries.actor_of(viewer), now=now())
            return redirect("channels")
        except DeskError as refused:
            error = refused
    rows = [
        (channel, KINDS.get(channel.kind, channel.kind), _form_url(channel.kind, channel.slug)) for channel in queries.list_channels(viewer)
    ]
    context = {"rows": rows, "kinds": KINDS, "teams": queries.list_teams(viewer), "given": given}
    return _page(request, "channels", context, error=error)


@never_cache
@require_http_methods(["GET", "POST"])
@for_viewer("key.edit")
def keys(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The API keys; a new one, whose token is shown in the answer and nowhere else."""
    given = {name: request.POST.get(name, "").strip() for name in ("name", "channel", "person")}
    token, error = "", None
    if request.method == "POST":
        try:
            facts: dict[str, Any] = {"name": given["name"], "channel_id": _id(given["channel"], "channel")}
            facts["person_id"] = _id(given["person"], "person") if given["person"] else None
            _key, token = actions.create_api_key(**facts, actor=queries.actor_of(viewer), now=now())
        except DeskError as refused:
            error = refused
    usable = [channel for channel in queries.list_channels(viewer) if channel.is_active and channel.kind == "API"]
    context = {
        "keys": queries.list_api_keys(),
        "channels": usable,
        "people": list_people(),
        "given": given,
        "token": token,
        "base_url": settings.BASE_URL,
    }
    return _page(request, "keys", context, error=error)


@require_POST
@for_viewer("key.edit")
def revoke_key(request: HttpRequest, viewer: Viewer, key_id: int) -> HttpResponse:
    """The key opens nothing from now on."""
    actions.revoke_api_key(key_id=key_id, actor=queries.actor_of(viewer), now=now())
    messages.success(request, _("The key was revoked; programs that use it are refused from now on."))
    return redirect("keys")


@require_http_methods(["GET", "POST"])
@for_viewer("case.view")
def preferences(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """One's own language and theme, and where password and second factor are changed."""
    given = {name: request.POST.get(name, getattr(request.user, name)) for name in ("language", "theme")}
    error = None
    if request.method == "POST":
        try:
            actions.set_preferences(user_id=viewer.user_id, **given)
            return redirect("preferences")
        except DeskError as refused:
            error = refused
    return _page(request, "preferences", {"languages": LANGUAGES, "themes": THEMES, "given": given}, error=error)


@require_GET
@for_viewer("audit.view")
def audit(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Who did what, newest first."""
    given = {name: request.GET.get(name, "").strip()[:60] for name in ("action", "object", "number", "before")}
    entries = list_entries(
        object_type=given["object"],
        object_id=_optional_id(given["number"]),
        action=given["action"],
        before_id=_optional_id(given["before"]),
        limit=ENTRIES_SHOWN + 1,
    )
    shown = entries[:ENTRIES_SHOWN]
    older = shown[-1].pk if len(entries) > ENTRIES_SHOWN else None
    rows = [
        {
            "entry": entry,
            "about": OBJECTS.get(entry.object_type, entry.object_type),
            "by": ACTORS.get(entry.actor_kind, ""),
            "action": action_in_words(entry.action),
            "details": details_in_words(entry.details),
        }
        for entry in shown
    ]
    context = {
        "rows": rows,
        "older": older,
        "given": given,
        "names": [(code, action_in_words(code)) for code in list_actions()],
        "objects": OBJECTS,
    }
    return _page(request, "audit", context)


@require_GET
@for_viewer("audit.view")
def audit_chain(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Whether the trail is whole, proven now from its first entry to its last."""
    return render(request, "settings/chain.html", {"chain": verify_chain()})


def _page(request: HttpRequest, name: str, context: dict[str, Any], *, error: DeskError | None = None) -> HttpResponse:
    """A settings page; a refusal is shown at its field, or above the form."""
    errors = {error.field or "form": error.message} if error else {}
    return render(request, f"settings/{name}.html", {**context, "errors": errors}, status=error.status if error else 200)


def _person(request: HttpRequest) -> dict[str, Any]:
    return {
        "display_name": request.POST.get("display_name", ""),
        "role": request.POST.get("role", ""),
        "team_ids": [_id(number, "teams") for number in request.POST.getlist("teams")],
    }


def _id(text: str, field: str) -> int:
    number = _optional_id(text)
    if number is None:
        raise InvalidInput(_("Nothing was chosen; choose one of the list."), field=field)
    return number


def _optional_id(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 18 else None


def _form_url(kind: str, slug: str) -> str:
    """The public address of a form channel; nothing for other kinds."""
    return settings.BASE_URL + reverse("form", args=[slug]) if kind == "FORM" else ""
