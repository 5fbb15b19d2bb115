"""What stands in the address of a page without sign-in: numbers with a signature, so that nobody finds another by counting.

Who signs names a salt, so that one kind of address opens nothing of another kind.
"""

from django.core import signing

LONGEST_TOKEN = 120


def sign_numbers(salt: str, *numbers: int) -> str:
    """The token of some numbers; always the same for the same ones."""
    return signing.Signer(sep=".", salt=salt).sign("-".join(map(str, numbers)))


def read_numbers(salt: str, token: str) -> list[int] | None:
    """The numbers of a token that we signed with this salt; None for any other, compared in constant time."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        signed = signing.Signer(sep=".", salt=salt).unsign(token)
    except signing.BadSignature:
        return None
    return [int(number) for number in signed.split("-")]
