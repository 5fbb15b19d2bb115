"""Refusals that a person can read; each knows the HTTP status that screens and API answer with."""


class DeskError(Exception):
    """Something was refused; the message says what was given, what was expected and what to do."""

    status = 400
    code = "refused"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message, self.field = message, field


class InvalidInput(DeskError):
    """A value is missing, malformed or too large; `field` names it."""

    status = 422
    code = "invalid"


class NotAllowed(DeskError):
    """The person or key may not do this."""

    status = 403
    code = "not-allowed"


class NotFound(DeskError):
    """No such thing, or it is out of the viewer's sight: the two are told apart to nobody."""

    status = 404
    code = "not-found"


class Conflict(DeskError):
    """Somebody else changed it in between; nothing was written."""

    status = 409
    code = "conflict"
