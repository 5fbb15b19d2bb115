"""The text family: language, words, sentiment, kind, entities, keywords, summary."""
