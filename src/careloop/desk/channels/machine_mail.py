"""Whether a message was written by a machine: bounces, out-of-office notes, newsletters, mailing lists. Those are never answered by one.

What answers by itself is told apart more narrowly: a list or a newsletter may bring a person's words, an out-of-office note never does.
"""

import json
import re
from collections.abc import Collection, Mapping
from email import policy
from email.parser import BytesHeaderParser

_SENDERS = re.compile(r"\b(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)\b", re.IGNORECASE)
_BULK = {"bulk", "junk", "list", "auto_reply"}
_DAEMONS = re.compile(r"\b(mailer-daemon|postmaster)@", re.IGNORECASE)
_ANSWERED_BY = ("x-autoreply", "x-autorespond", "x-failed-recipients")
_SUBJECT = re.compile(
    r"[【\[]?((automatic|automated|auto)[- ]?(reply|response|answer)|out of (the )?office|vacation (reply|response)|"
    r"自动回复|自动答复|自动应答|外出自动回复|休假自动回复|系统退信)\s*([:：】\]–-]|re\b|$)",
    re.IGNORECASE,
)  # as a mail program writes it before the subject that it answers: "undelivered" and the like are customers' words, too
_MARKS = ("x-autoreply", "x-autorespond", "x-auto-response-suppress", "list-id", "list-unsubscribe", "x-failed-recipients", "feedback-id")
_TYPICAL = re.compile(
    r"out of (the )?office|auto(matic|mated)?[- ]?(reply|response|answer)|on (annual |parental |sick )?leave until|"
    r"delivery (status notification|has failed|failure)|undeliver(able|ed)|returned mail|mail delivery (failed|subsystem)|"
    r"(mailbox|inbox) (is )?(full|unavailable)|do not reply to this|this (mailbox|address) is not monitored|"
    r"自动回复|自动答复|自动应答|外出办公|不在办公室|休假中|正在休假|出差中.{0,12}(回复|邮件)|退信|投递失败|无法投递|邮件被退回|邮箱已满|"
    r"系统自动发送|请勿(直接)?回复(此|本)",
    re.IGNORECASE,
)
_BEGINNING = 600  # characters of the text in which such a note says what it is


def why_answered_by_machine(subject: str, headers: Mapping[str, str]) -> str:
    """What says that nobody wrote this but a program that answers mails or reports on them: "header", "sender", "subject"; "" for nothing.

    References: RFC 3834 (Auto-Submitted, empty return path), RFC 3464 and RFC 8098 (reports).
    """
    lowered = _lowered(headers)
    is_marked = lowered.get("precedence") == "auto_reply" or any(lowered.get(name, "no") not in ("", "no") for name in _ANSWERED_BY)
    if _is_submitted_by_machine(lowered) or is_marked:
        return "header"
    if lowered.get("return-path", "?").replace(" ", "") == "<>" or _DAEMONS.search(lowered.get("from", "").replace("_", "-")):
        return "sender"
    return "subject" if _SUBJECT.match(subject.strip()) else ""


def why_machine_made(subject: str, body: str, headers: Mapping[str, str]) -> str:
    """What gives the message away as machine-made: "header", "sender", "text"; "" when nothing does.

    References: RFC 3834 (Auto-Submitted), RFC 3464 (delivery reports), RFC 2919 (List-Id).
    """
    lowered = _lowered(headers)
    is_marked = lowered.get("precedence", "") in _BULK or any(mark in lowered for mark in _MARKS)
    if _is_submitted_by_machine(lowered) or is_marked:
        return "header"
    if lowered.get("return-path", "?").replace(" ", "") == "<>" or _SENDERS.search(lowered.get("from", "").replace("_", "-")):
        return "sender"
    return "text" if _TYPICAL.search(f"{subject}\n{body[:_BEGINNING]}") else ""


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): str(value).strip().lower() for name, value in headers.items()}


def _is_submitted_by_machine(lowered: Mapping[str, str]) -> bool:
    said = lowered.get("auto-submitted", "no").partition(";")[0].strip()
    return said not in ("", "no") or lowered.get("content-type", "").startswith("multipart/report")


def is_machines_address(mail: str, own: Collection[str]) -> bool:
    """Whether nobody reads what is sent to this address, or the house itself does."""
    lowered = mail.strip().lower()
    return lowered in {one.strip().lower() for one in own} or _SENDERS.search(lowered.partition("@")[0].replace("_", "-")) is not None


def headers_of(raw: bytes, content_type: str) -> dict[str, str]:
    """The headers of a delivery: of a mail, or what a program handed over as "headers"; none for anything else."""
    if content_type.startswith("message/"):
        found = BytesHeaderParser(policy=policy.compat32).parsebytes(raw)
        return {name: str(value) for name, value in found.items()}
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    given = told.get("headers") if isinstance(told, dict) else None
    return {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
