"""Settings for the tests: fixed keys, a fast password hasher, a database of their own."""

import base64
import json
import os
import tempfile
from pathlib import Path

_keys = {name: base64.b64encode(name.encode().ljust(32, b".")).decode() for name in ("k1", "k0", "index")}
os.environ.setdefault(
    "CARELOOP_SECRETS",
    json.dumps(
        {
            "django": "a signing key for tests only, never used to sign anything real",
            "encryption": {"k0": _keys["k0"], "k1": _keys["k1"]},
            "active": "k1",
            "index": _keys["index"],
        }
    ),
)
os.environ.setdefault("CARELOOP_DATA_DIR", tempfile.mkdtemp(prefix="careloop-tests-"))

from careloop.desk.config.settings import *  # noqa: E402, F403

UNDO_SEND_SECONDS = 0  # replies go at once; tests of the moment for second thoughts set it
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["*"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}  # nobody's attempts are counted, but where a test asks
if "sqlite" in DATABASES["default"]["ENGINE"]:  # noqa: F405  (a file, so that threads and processes meet as they do in earnest)
    DATABASES["default"]["TEST"] = {"NAME": Path(tempfile.mkdtemp(prefix="careloop-db-")) / "test.sqlite3"}  # noqa: F405
