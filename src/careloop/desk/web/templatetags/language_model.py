"""Whether a language model is connected, for templates that show nothing without one."""

from django import template

from careloop.desk.drafting.queries import find_service

register = template.Library()


@register.simple_tag
def has_language_model() -> bool:
    """Whether the operator connected one."""
    return find_service() is not None
