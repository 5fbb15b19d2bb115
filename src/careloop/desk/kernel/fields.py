"""Model columns that are encrypted at rest; they cannot be filtered by value (use a blind index beside them)."""

from typing import Any

from django.core.exceptions import FieldError
from django.db import models

from careloop.desk.kernel import crypto


class EncryptedBytesField(models.BinaryField):  # type: ignore[type-arg]
    """Bytes, encrypted when written and opened when read."""

    def context(self) -> str:
        """The column's name, authenticated with each value."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt; None stays None."""
        return None if value is None else crypto.encrypt(self.to_bytes(value), self.context())

    def from_db_value(self, value: Any, _expression: Any, _connection: Any) -> Any:
        """Open; None stays None."""
        return None if value is None else self.from_bytes(crypto.decrypt(bytes(value), self.context()))

    def get_lookup(self, lookup_name: str) -> Any:
        """Only `isnull` makes sense on a ciphertext."""
        if lookup_name != "isnull":
            raise FieldError(f"{self.context()} is encrypted and cannot be searched with {lookup_name!r}; use its blind index")
        return super().get_lookup(lookup_name)

    def to_bytes(self, value: Any) -> bytes:
        """The plain bytes of a Python value."""
        return bytes(value)

    def from_bytes(self, plain: bytes) -> Any:
        """The Python value of plain bytes."""
        return plain


class EncryptedTextField(EncryptedBytesField):
    """Text, encrypted when written and opened when read."""

    def to_bytes(self, value: Any) -> bytes:
        """UTF-8."""
        return str(value).encode()

    def from_bytes(self, plain: bytes) -> str:
        """UTF-8."""
        return plain.decode()

    def value_to_string(self, obj: models.Model) -> str:
        """For serializers."""
        return str(self.value_from_object(obj))

    def to_python(self, value: Any) -> Any:
        """Text stays text (BinaryField would read it as base64)."""
        return value
