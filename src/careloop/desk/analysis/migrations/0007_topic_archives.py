"""Kept topics take the core's own format: a zip of card.json and model.npz in place of one .npz with the words in it."""

import io
import json
import zipfile

import numpy as np
from django.db import migrations


def convert(archive, found):
    """The archive of before in the new format; `found` are the rows of the space's topics in order of their place."""
    with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
        words = json.loads(arrays["words"].tobytes())
        kept = {name: arrays[name] for name in ("likelihoods", "priors", "temperature")}
    topics = [
        {
            "number": place,
            "name": " · ".join(row.name_words) if row else "",
            "words": [word for word, _z, _teams in row.words] if row else [],
            "scores": [z for _word, z, _teams in row.words] if row else [],
            "size": row.size if row else 0,
            "coherence": row.coherence if row else 0.0,
            "examples": [],
        }
        for place in range(len(kept["priors"]))
        for row in [found.get(place)]
    ]
    card = {"task": "topics", "format": 1, "method": "mixture", "seed": 0, "topics": topics, "words": words}
    stored, packed = io.BytesIO(), io.BytesIO()
    np.savez_compressed(stored, **kept)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("card.json", json.dumps(card, ensure_ascii=False))
        file.writestr("model.npz", stored.getvalue())
    return packed.getvalue()


def convert_all(apps, _schema_editor):
    spaces = apps.get_model("analysis", "TopicSpace")
    for space in spaces.objects.exclude(archive=b"").iterator():
        with zipfile.ZipFile(io.BytesIO(bytes(space.archive))) as file:
            if "card.json" in file.namelist():
                continue
        space.archive = convert(bytes(space.archive), {row.place: row for row in space.found.all()})
        space.save(update_fields=["archive"])


class Migration(migrations.Migration):
    dependencies = [("analysis", "0006_aspects")]
    operations = [migrations.RunPython(convert_all, migrations.RunPython.noop)]
