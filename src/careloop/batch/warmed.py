"""Importing this module loads the models that every reading needs, so that workers are born with them and share their memory."""

from __future__ import annotations

from contextlib import suppress

from careloop.insight import read
from careloop.insight.errors import ModelError

_TEXTS = ("物流很快，谢谢", "The delivery was fast")  # one of each language that has models

with suppress(ModelError):  # whoever reads will say what is wrong with a model
    read(_TEXTS, is_explained=False)
