"""Topics of many texts: found, named, shown by examples, followed over time, and watched for new ones."""

from careloop.insight.topics.model import METHODS, Topic, TopicModel

__all__ = ["METHODS", "Topic", "TopicModel"]
