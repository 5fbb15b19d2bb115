"""Categories of the user's own: learnt from labelled texts, calibrated, allowed to abstain, with a card that says how good they are."""

from careloop.insight.text.categories.learn import ALGORITHMS, learn_categories
from careloop.insight.text.categories.model import CategoryModel, Classifier
from careloop.insight.text.categories.store import load_categories

__all__ = ["ALGORITHMS", "CategoryModel", "Classifier", "learn_categories", "load_categories"]
