"""Similar earlier texts and near-duplicates: by shared words, by meaning, and by both."""

from careloop.insight.text.similarity.duplicates import Duplicate, find_duplicates
from careloop.insight.text.similarity.index import Hit, Mode, SimilarityIndex

__all__ = ["Duplicate", "Hit", "Mode", "SimilarityIndex", "find_duplicates"]
