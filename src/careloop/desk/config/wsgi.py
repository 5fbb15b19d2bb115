"""The pages and the API under gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careloop.desk.config.settings")
application = get_wsgi_application()
