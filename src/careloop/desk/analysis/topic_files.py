"""What a run learnt of a language group: the core's topic model, kept in one column and read back to tell the topics of new texts."""

from functools import lru_cache

from careloop.desk.analysis.model_files import pack, unpacked
from careloop.desk.analysis.topic_models import TopicSpace
from careloop.insight.topics import TopicModel

__all__ = ["open_space", "pack", "unpack"]

KEPT_OPEN = 6  # groups in a worker's memory: those of two runs


def unpack(archive: bytes) -> TopicModel:
    """The model that was packed; it reads texts, and has forgotten those that it was fitted to."""
    with unpacked(archive) as folder:
        return TopicModel.load(folder)


@lru_cache(maxsize=KEPT_OPEN)
def open_space(space_id: int) -> TopicModel:
    """The kept topics of a language group; a row's archive never changes while its run may be read."""
    return unpack(bytes(TopicSpace.objects.values_list("archive", flat=True).get(pk=space_id)))
