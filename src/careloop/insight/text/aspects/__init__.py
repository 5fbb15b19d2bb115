"""What an opinion is about: aspects that every house knows (delivery, service …), and aspects learnt from a house's own examples."""

from careloop.insight.text.aspects.builtin import list_aspects
from careloop.insight.text.aspects.learning import AspectReport, learn_aspects
from careloop.insight.text.aspects.model import AspectModel, LearntAspect, load_aspects

__all__ = ["AspectModel", "AspectReport", "LearntAspect", "learn_aspects", "list_aspects", "load_aspects"]
