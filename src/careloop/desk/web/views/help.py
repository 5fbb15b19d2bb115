"""Public help pages: published solutions with a search, in both languages; no sign-in, no script."""

import secrets
from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.kernel.errors import NotFound
from careloop.desk.solutions import queries
from careloop.desk.solutions.actions import record_vote
from careloop.desk.web.pace import may_write

COOKIE = "help-visitor"
COOKIE_SECONDS = 365 * 24 * 3600
LANGUAGES = {"zh": "zh-hans", "en": "en"}


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """What is published, and what a search finds."""
    query = request.GET.get("q", "")[:200]
    with translation.override(_language(request)):
        return _answer(request, "help/page.html", {"rows": queries.list_help(query), "query": query})


@require_GET
def article(request: HttpRequest, slug: str) -> HttpResponse:
    """One solution, and whether it helped."""
    solution = _published(slug)
    with translation.override(_language(request)):
        context = {"solution": solution, "text": queries.text_of(solution), "has_voted": "thanks" in request.GET}
        return _answer(request, "help/article.html", context)


@require_POST
def vote(request: HttpRequest, slug: str) -> HttpResponse:
    """Yes or no, counted once a visitor."""
    _published(slug)
    if not may_write(request):
        return render(request, "429.html", status=429)
    visitor = request.COOKIES.get(COOKIE, "")
    if not 20 <= len(visitor) <= 64:
        visitor = secrets.token_urlsafe(24)
    word = request.POST.get("helped", "")
    if word in {"yes", "no"}:
        record_vote(slug=slug, visitor=visitor, has_helped=word == "yes", now=datetime.now(UTC))
    chosen = request.POST.get("lang", "")
    response = redirect(f"{request.path.removesuffix('vote/')}?thanks{f'&lang={chosen}' if chosen in LANGUAGES else ''}")
    response.set_cookie(COOKIE, visitor, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure())
    return response


def _answer(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    chosen = request.GET.get("lang", "")
    return render(request, template, {**context, "lang": chosen if chosen in LANGUAGES else ""})


def _published(slug: str) -> Any:
    try:
        return queries.get_help(slug)
    except NotFound:
        raise Http404 from None


def _language(request: HttpRequest) -> str:
    """What ?lang= says, else what the cookie or the browser says."""
    return LANGUAGES.get(request.GET.get("lang", ""), translation.get_language() or "en")
