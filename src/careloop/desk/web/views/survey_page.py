"""The page on which a customer answers: behind a signed link or on a website, with or without script, in both languages.

Looking at the page is no answer, whoever looks: an answer is sent by a form. Where a score was clicked in a mail the form is on the page
with that score, and a small script sends it as soon as somebody sees the page; without script the customer presses its one button.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial, wraps
from typing import Any

from csp.constants import NONE, SELF
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from careloop.desk.kernel.actor import Actor
from careloop.desk.kernel.errors import DeskError, NotAllowed, NotFound
from careloop.desk.kernel.wording import spoken
from careloop.desk.surveys import answering
from careloop.desk.surveys.actions import say_consent
from careloop.desk.surveys.answering import AnswersRefused
from careloop.desk.surveys.letters import CODES, language_of
from careloop.desk.surveys.links import find_invitation
from careloop.desk.surveys.queries import access_survey, get_setting, newest_version
from careloop.desk.surveys.rules.questions import in_language, questions_of, score_question
from careloop.desk.web.pace import may_write, too_often
from careloop.desk.web.survey_words import NAMES, shown_questions
from careloop.desk.web.views.form import TRAP, check_token, new_token

POLICY = {
    "default-src": [NONE], "script-src": [SELF], "style-src": [SELF], "img-src": [SELF], "connect-src": [NONE], "form-action": [SELF],
    "base-uri": [NONE],
}  # fmt: skip

View = Callable[..., HttpResponseBase]


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


def framed(view: View) -> View:
    """A page that only the house's sites may show in a frame; the address itself lets in, so no cookie is asked for."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        sites = get_setting().sites
        response._csp_replace = {**POLICY, "frame-ancestors": sites or [NONE]}  # type: ignore[attr-defined]
        response.xframe_options_exempt = bool(sites)  # type: ignore[attr-defined]  # that header knows no list of sites
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        return response

    return csrf_exempt(never_cache(wrapped))


def for_invited(view: View, *, is_refusal: bool = False) -> View:
    """A view that takes (request, invitation, token, language); a link that leads nowhere shows a page that tells nothing."""

    @wraps(view)
    def wrapped(request: HttpRequest, token: str) -> HttpResponseBase:
        invitation = find_invitation(token, now=now(), is_refusal=is_refusal)
        if invitation is None:
            return _in(asked_language(request, _browsers()), request, "survey_page/gone.html", {}, 404)
        language = asked_language(request, language_of(invitation))
        with override(CODES[language]):
            try:
                if request.method == "POST" and request.user.is_authenticated:
                    raise NotAllowed(
                        _("You are signed in to the desk: only the customer answers. Open the link in a private window to try it.")
                    )
                return view(request, invitation, token, language)
            except DeskError as error:
                if isinstance(error, NotFound):
                    return _in(language, request, "survey_page/gone.html", {}, 404)
                return _page(request, invitation, token, language, error=error)

    return framed(wrapped)


@require_http_methods(["GET", "HEAD", "POST"])
@for_invited
def page(request: HttpRequest, invitation: Any, token: str, language: str) -> HttpResponseBase:
    """The questions; a POST stores the answers and says thank you."""
    if request.method != "POST":
        if not request.user.is_authenticated:
            answering.note_opened(invitation, now=now())
        return _page(request, invitation, token, language)
    answering.record_answer(invitation_id=invitation.pk, given=_given(request, invitation.version), now=now())
    return _back(token, language, "all")


@require_POST
@for_invited
def click(request: HttpRequest, invitation: Any, token: str, language: str) -> HttpResponseBase:
    """The score that was clicked in a mail, sent by the page itself or by its one button."""
    scale = score_question(questions_of(invitation.version.questions))
    given = {scale.code: request.POST.get("score", "")} if scale is not None else {}
    answering.record_answer(invitation_id=invitation.pk, given=given, now=now(), is_click=True)
    return _back(token, language, "click")


@require_http_methods(["GET", "HEAD", "POST"])
@partial(for_invited, is_refusal=True)
def no_more(request: HttpRequest, invitation: Any, token: str, language: str) -> HttpResponseBase:
    """The customer would rather not be asked, by the page's button or by that of a mail program (RFC 8058); looking changes nothing."""
    is_done = False
    if request.method == "POST" and invitation.customer is not None:
        actor = Actor("customer", invitation.customer_id, str(invitation.customer)[:200])
        say_consent(customer_id=invitation.customer_id, may_ask=False, actor=actor, now=now())
        is_done = True
    is_closed = find_invitation(token, now=now()) is None
    context = {"token": token, "is_done": is_done, "is_closed": is_closed, "is_desk": request.user.is_authenticated}
    return _in(language, request, "survey_page/no_more.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@framed
def embedded(request: HttpRequest, survey_id: int) -> HttpResponseBase:
    """A survey on the house's own website, for anybody; the same form sent twice is one answer."""
    try:
        survey = access_survey(survey_id)
    except DeskError:
        raise Http404 from None
    if survey.embed_channel_id is None or not survey.is_active:
        raise Http404
    language = asked_language(request, _browsers())
    with override(CODES[language]):
        return _embedded(request, survey, language)


def asked_language(request: HttpRequest, otherwise: str) -> str:
    """ "en" or "zh": as the address says, else the other."""
    given = request.GET.get("lang", "")
    return given if given in CODES else otherwise


def _embedded(request: HttpRequest, survey: Any, language: str) -> HttpResponseBase:
    version, slug = newest_version(survey), f"survey-{survey.pk}"
    context: dict[str, Any] = {"intro": in_language(version.intro, language), "trap": TRAP, "once": new_token(slug, now())}
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        values = _given(request, version)
        key, refusal = check_token(request.POST.get("once", ""), slug, now())
        try:
            if not may_write(request):
                errors, status, context["once"] = {"form": too_often()}, 429, request.POST.get("once", "")
            elif refusal or request.POST.get(TRAP):
                errors = {"form": refusal or _("This looks like a message from a program. What you wrote is still here: send it again.")}
                status = 422
            else:
                answering.answer_embedded(survey=survey, given=values, key=key, now=now())
                thanks = in_language(version.thanks, language)
                return _in(language, request, "survey_page/thanks.html", {"thanks": thanks})
        except DeskError as error:
            errors, status = _errors_of(error), error.status
            context["once"] = request.POST["once"]
    context |= {"questions": shown_questions(version, language, values, errors), "errors": errors}
    return _in(language, request, "survey_page/embedded.html", context, status)


def _page(request: HttpRequest, invitation: Any, token: str, language: str, error: DeskError | None = None) -> HttpResponse:
    answer = answering.find_answer(invitation)
    version, done = invitation.version, request.GET.get("done", "")
    scale = score_question(questions_of(version.questions))
    stored = answer.answers if answer is not None else {}
    values = {**stored, **(_given(request, version) if error is not None else {})}
    clicked = request.GET.get("score", "")
    is_click = scale is not None and clicked in map(str, scale.scores) and (answer is None or clicked != str(answer.score))
    if is_click and scale is not None:
        values[scale.code] = clicked
    is_open = answering.may_change(answer, now=now())
    is_desk = request.user.is_authenticated
    errors = _errors_of(error) if error is not None else {}
    context = {
        "token": token,
        "intro": in_language(version.intro, language),
        "thanks": in_language(version.thanks, language),
        "questions": shown_questions(version, language, values, errors),
        "errors": errors,
        "answer": answer,
        "click": clicked if is_click and is_open and not is_desk and error is None else "",
        "scale": scale,
        "done": done if answer is not None else "",
        "is_open": is_open,
        "is_desk": is_desk,
    }
    return _in(language, request, "survey_page/page.html", context, error.status if error is not None else 200)


def _in(language: str, request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Rendered in one language, with the way to the other one."""
    others = []
    for code, name in NAMES.items():
        query = request.GET.copy()
        query["lang"] = code
        query.pop("done", None)
        others.append({"code": code, "html": "zh-Hans" if code == "zh" else code, "name": name, "url": f"?{query.urlencode()}"})
    with override(CODES[language]):
        return render(request, template, {**context, "language": language, "others": others}, status=status)


def _given(request: HttpRequest, version: Any) -> dict[str, str]:
    return {one["code"]: request.POST[one["code"]] for one in version.questions if one["code"] in request.POST}


def _errors_of(error: DeskError) -> dict[str, str]:
    return error.problems if isinstance(error, AnswersRefused) else {error.field or "form": spoken(error.message)}


def _back(token: str, language: str, done: str) -> HttpResponse:
    return redirect(f"{reverse('survey-answer', args=[token])}?done={done}&lang={language}")


def _browsers() -> str:
    return "zh" if (get_language() or "").startswith("zh") else "en"
