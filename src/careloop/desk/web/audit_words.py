"""Audit entries in the reader's words; the codes themselves stay in the trail and its export."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from careloop.desk.web.timeline import word

ACTIONS: dict[str, Promise] = {
    "alarm.decide": _("Alarm decided"),
    "watch.add": _("Figure watched"),
    "watch.remove": _("Figure watched no longer"),
    "watch.setting": _("Setting of the watch changed"),
    "calendar.delete": _("Calendar removed"),
    "calendar.save": _("Calendar saved"),
    "comparison.end": _("Comparison ended"),
    "comparison.make": _("Comparison started"),
    "dashboard.delete": _("Dashboard removed"),
    "dashboard.save": _("Dashboard saved"),
    "mailing.again": _("Report mailed again"),
    "mailing.change": _("Mailing of a report changed"),
    "mailing.leave": _("Left the mailing of a report"),
    "mailing.make": _("Report mailed on a schedule"),
    "mailing.now": _("Report mailed to oneself"),
    "mailing.remove": _("Report mailed no longer"),
    "mailing.switch": _("Mailing of a report paused or resumed"),
    "macro.delete": _("Macro removed"),
    "macro.save": _("Macro saved"),
    "rule.delete": _("Rule removed"),
    "rule.save": _("Rule saved"),
    "case.assigned": _("Case assigned"),
    "case.team": _("Case given to another team"),
    "case.corrected": _("Reading corrected"),
    "category.change": _("Category changed"),
    "category.create": _("Category added"),
    "case.approval": _("Approval asked for or given"),
    "case.moved": _("Step taken"),
    "flow.move": _("Running cases moved to another version"),
    "flow.save": _("Flow saved"),
    "label.keep": _("Doubted label kept"),
    "label.take": _("Suggested label taken"),
    "level.delete": _("Service level removed"),
    "level.save": _("Service level saved"),
    "model.switch": _("Another model made live"),
    "model.train": _("Training started"),
    "start.with": _("Starting set made"),
    "solution.automatic_off": _("Automatic replies switched off"),
    "solution.automatic_on": _("Automatic replies switched on"),
    "solution.promise": _("Promise of automatic replies changed"),
    "solution.save": _("Solution saved"),
    "survey.answer": _("Survey answered"),
    "survey.consent": _("A customer's word on surveys"),
    "survey.invite": _("Survey sent by hand"),
    "survey.revoke": _("Survey taken back"),
    "survey.save": _("Survey saved"),
    "survey.send": _("Survey sent"),
    "survey.export": _("Answers of a survey exported"),
    "survey.remind": _("Reminder of a survey sent"),
    "survey.setting": _("Setting of surveys changed"),
    "taxonomy.archive": _("Categories archived"),
    "taxonomy.create": _("Categories made"),
    "case.link_revoked": _("Customer's links taken back"),
    "case.shared": _("Messages shared"),
    "webhook.create": _("Webhook added"),
    "webhook.delete": _("Webhook removed"),
    "case.task": _("Task"),
    "case.tagged": _("Tags changed"),
    "case.field": _("Field changed"),
    "case.snoozed": _("Snoozed"),
    "field.create": _("Field added"),
    "field.change": _("Field of the house changed"),
    "field.archive": _("Field hidden or shown"),
    "template.save": _("Follow-up kept"),
    "template.delete": _("Follow-up removed"),
    "file.view": _("File taken"),
    "case.survey": _("Customer's rating"),
    "case.link": _("Cases linked"),
    "case.merge": _("Cases merged"),
    "case.not_the_same": _("Cases told apart"),
    "case.split": _("Messages split off"),
    "case.undo": _("Merge or split undone"),
    "case.unlink": _("Link removed"),
    "case.note": _("Note written"),
    "case.work_time": _("Time worked put right"),
    "case.priority": _("Priority set"),
    "case.reply": _("Reply written"),
    "case.status": _("Status set"),
    "channel.create": _("Channel created"),
    "customer.change": _("Customer changed"),
    "customer.search": _("Customer looked for by address"),
    "case.view": _("Case looked at"),
    "customer_page.view": _("Customer's page opened"),
    "list.view": _("List of cases looked at"),
    "shared.view": _("Shared page opened"),
    "customer.view": _("Customer's data looked at"),
    "feedback.export": _("Feedback exported"),
    "import.cancel": _("Import cancelled"),
    "import.rejects": _("Refused rows downloaded"),
    "import.start": _("Import started"),
    "import.upload": _("File uploaded"),
    "job.discard": _("Jobs discarded"),
    "job.retry": _("Jobs tried again"),
    "key.create": _("API key created"),
    "key.revoke": _("API key revoked"),
    "keys.add": _("Encryption key added"),
    "keys.remove": _("Encryption key removed"),
    "model.ask": _("Language model asked"),
    "case.routed": _("Next case taken"),
    "routing.profile": _("What a person can take changed"),
    "routing.setting": _("A team's routing changed"),
    "team.create": _("Team created"),
    "topic.find": _("Topics looked for"),
    "topic.send": _("Topic sent to other systems"),
    "topic.share": _("Topic shared"),
    "topic.take_back": _("Shared topic taken back"),
    "topic.rename": _("Topic named"),
    "user.change": _("Person changed"),
    "user.create": _("Person added"),
    "user.password": _("Password replaced"),
}
NAMES: dict[str, Promise] = {
    "rating": _("rating"),
    "state": _("state"),
    "tags": _("tags"),
    "task": _("task"),
    "title": _("title"),
    "until": _("until"),
    "revision": _("revision"),
    "category": _("category"),
    "code": _("code"),
    "description": _("description"),
    "is_archived": _("archived"),
    "kind_probability": _("probability of the kind"),
    "model": _("model"),
    "name_en": _("name in English"),
    "name_zh": _("name in Chinese"),
    "parent_id": _("heading"),
    "sentiment": _("sentiment"),
    "sentiment_probability": _("probability of being positive"),
    "assignee_id": _("assignee"),
    "channel": _("channel"),
    "actions": _("actions"),
    "condition": _("condition"),
    "events": _("events"),
    "places": _("moved by"),
    "place": _("page"),
    "count": _("how many"),
    "cases": _("cases"),
    "position": _("order"),
    "scope": _("for"),
    "stops": _("last one"),
    "characters": _("characters"),
    "company": _("company"),
    "display_name": _("name"),
    "fields": _("fields"),
    "file": _("file"),
    "host": _("host"),
    "is_active": _("active"),
    "jobs": _("jobs"),
    "key": _("key"),
    "kind": _("kind"),
    "language": _("language"),
    "masked": _("masked"),
    "message": _("message"),
    "name": _("name"),
    "notes": _("notes"),
    "prefix": _("prefix"),
    "priority": _("priority"),
    "purpose": _("purpose"),
    "resolved_at": _("resolved at"),
    "role": _("role"),
    "rows_done": _("rows done"),
    "sha256": _("fingerprint"),
    "slug": _("short name"),
    "span": _("days"),
    "status": _("status"),
    "tasks": _("kinds of job"),
    "teams": _("teams"),
    "what": _("rows are"),
}
VALUES: dict[str, Promise] = {
    "AGENT": _("Agent"),
    "ANALYST": _("Analyst"),
    "FEEDBACK": _("Feedback"),
    "MESSAGES": _("Messages"),
    "PURCHASES": _("Purchases"),
    "OWNER": _("Owner"),
    "REPLY": _("Draft of a reply"),
    "SUMMARY": _("Summary in words"),
    "SUPERVISOR": _("Supervisor"),
    "board": _("Board"),
    "case-share": _("Share messages"),
    "case-together": _("Working together"),
    "task-edit": _("Change the task"),
    "tasks": _("My tasks"),
}
LONGEST = 120


def action_in_words(code: str) -> str:
    """What was done; an action that this version does not know keeps its code."""
    return str(ACTIONS.get(code, code))


def details_in_words(details: Mapping[str, Any]) -> list[str]:
    """ "name: value" for each fact, "name: before → after" for each change."""
    before, after = details.get("before", {}), details.get("after", {})
    plain = [f"{_name(name)}: {_value(name, value)}" for name, value in details.items() if name not in ("before", "after")]
    changes = [
        f"{_name(name)}: {_value(name, before.get(name))} → {_value(name, after.get(name))}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
    return [one if len(one) <= LONGEST else one[: LONGEST - 1] + "…" for one in (*plain, *changes)]


def _name(name: str) -> str:
    return str(NAMES.get(name, name))


def _value(name: str, value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if name in ("kind", "sentiment", "status", "priority"):
        return word(name, value)
    if isinstance(value, list):
        return ", ".join(str(NAMES.get(str(one), one)) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} × {count}" for key, count in value.items())
    return str(VALUES.get(str(value), value))
