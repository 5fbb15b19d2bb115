"""`{% lucide %}` with a memory: the package's own tag copies and writes the drawing anew at every use, a third of a page's time.

Stands before the package's library of the same name, because this app comes after it in INSTALLED_APPS.
"""

from functools import lru_cache
from typing import Any

from django import template
from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide as draw

register = template.Library()


@register.simple_tag(name="lucide")
def drawn(name: str, *, size: int | None = 24, **attributes: Any) -> SafeString:
    """The icon as SVG; see the package for names and attributes."""
    return _drawn(name, size, **attributes)


@lru_cache(maxsize=512)
def _drawn(name: str, size: int | None, **attributes: Any) -> SafeString:
    return SafeString(draw(name, size=size, **attributes))
