"""Django's settings for every process; what an operator may change comes from config/environment.py."""

from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

import careloop
from careloop.desk.config.environment import Environment, database_from_url, mail_server_from_url, spellings_of
from careloop.desk.config.keys import load_secrets
from careloop.desk.config.logs import logging_settings

ENVIRONMENT = Environment()
SECRETS = load_secrets(ENVIRONMENT.data_dir)
DESK = Path(__file__).resolve().parent.parent
BASE_URL = ENVIRONMENT.base_url.rstrip("/")

DEBUG = ENVIRONMENT.debug
SECRET_KEY = SECRETS.django
ALLOWED_HOSTS = [host for host in ENVIRONMENT.hosts.split(",") if host]
HOUSE_NAME = ENVIRONMENT.house_name
DATA_DIR = ENVIRONMENT.data_dir
UPLOAD_DIR = ENVIRONMENT.data_dir / "uploads"
UPLOAD_LIMIT_BYTES = ENVIRONMENT.upload_limit_megabytes * 1_000_000
LANGUAGE_MODEL = ENVIRONMENT.language_model()
UNDO_SEND_SECONDS = ENVIRONMENT.undo_send_seconds
LANGUAGE_MODEL_HOURLY_LIMIT = ENVIRONMENT.llm_hourly_limit
CUSTOMER_LINK_DAYS, CUSTOMER_LINK_IN_MAIL = ENVIRONMENT.customer_link_days, ENVIRONMENT.customer_link_in_mail
WEBHOOKS_TO_PRIVATE = ENVIRONMENT.webhooks_to_private
ENCODER, ENCODER_KEY = ENVIRONMENT.encoder, ENVIRONMENT.encoder_key

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "django_cotton",
    "lucide",
    "csp",
    "django_structlog",
    "django_tasks",
    "careloop.desk.kernel",
    "careloop.desk.jobs",
    "careloop.desk.audit",
    "careloop.desk.search",
    "careloop.desk.accounts",
    "careloop.desk.customers",
    "careloop.desk.sla",
    "careloop.desk.flows",
    "careloop.desk.notices",
    "careloop.desk.cases",
    "careloop.desk.feedback",
    "careloop.desk.routing",
    "careloop.desk.teamwork",
    "careloop.desk.experiments",
    "careloop.desk.purchases",
    "careloop.desk.analysis",
    "careloop.desk.intake",
    "careloop.desk.imports",
    "careloop.desk.outbox",
    "careloop.desk.drafting",
    "careloop.desk.merging",
    "careloop.desk.solutions",
    "careloop.desk.writing",
    "careloop.desk.bulk",
    "careloop.desk.surveys",
    "careloop.desk.measures",
    "careloop.desk.automation",
    "careloop.desk.reports",
    "careloop.desk.watch",
    "careloop.desk.starting",
    "careloop.desk.api",
    "careloop.desk.demo",
    "careloop.desk.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "careloop.desk.api.door.ApiDoor",  # programs need nothing of what follows
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "careloop.desk.web.middleware.BodySizeMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "careloop.desk.web.middleware.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]

ROOT_URLCONF = "careloop.desk.config.urls"
WSGI_APPLICATION = "careloop.desk.config.wsgi.application"
ASGI_APPLICATION = "careloop.desk.config.asgi.application"

SILENCED_SYSTEM_CHECKS = ["templates.W003"]  # web.templatetags.lucide stands before the package's library of its name on purpose
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [DESK / "web" / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": ["django_cotton.templatetags.cotton", "django.templatetags.i18n", "django.templatetags.static"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "careloop.desk.web.context.page_frame",
            ],
        },
    }
]
SILENCED_SYSTEM_CHECKS = ["templates.W003"]  # web/templatetags/lucide.py stands before the package's library on purpose
COTTON_DIR = "cotton"

DATABASES = {"default": database_from_url(ENVIRONMENT.database_url, ENVIRONMENT.data_dir)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATOMIC_REQUESTS = False

SCHEDULES = [  # called as each worker starts
    "careloop.desk.analysis.queueing.ensure_schedules",
    "careloop.desk.analysis.topic_queueing.ensure_schedules",
    "careloop.desk.cases.tasks.ensure_schedules",
    "careloop.desk.routing.tasks.ensure_schedules",
    "careloop.desk.flows.actions.ensure_shipped",
    "careloop.desk.automation.tasks.ensure_schedules",
    "careloop.desk.teamwork.tasks.ensure_schedules",
    "careloop.desk.outbox.webhook_tasks.ensure_schedules",
    "careloop.desk.writing.tasks.ensure_schedules",
    "careloop.desk.solutions.tasks.ensure_schedules",
    "careloop.desk.surveys.tasks.ensure_schedules",
    "careloop.desk.measures.tasks.ensure_schedules",
    "careloop.desk.watch.tasks.ensure_schedules",
    "careloop.desk.reports.tasks.ensure_schedules",
]
TEXTS_WITH_VECTORS = ["careloop.desk.solutions.queries.list_encoded_texts"]  # besides messages and categories: what trimming leaves
TASKS = {"default": {"BACKEND": "careloop.desk.jobs.backend.LeaseBackend", "QUEUES": []}}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "careloop.desk.web.sign_in.SignInAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"strangers_write": "60/10m/ip"}  # beside allauth's own, of signing in
ALLAUTH_TRUSTED_PROXY_COUNT = ENVIRONMENT.proxies  # whose attempts are counted is the address before them
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 50_000}}}  # of attempts
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # owners give the addresses; nothing here asks to verify one
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = HOUSE_NAME

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [DESK / "locale"]
FORMAT_MODULE_PATH = ["careloop.desk.config.formats"]
TIME_ZONE = ENVIRONMENT.time_zone
USE_TZ = True

STATIC_URL = f"/static/{careloop.__version__}/"
STATICFILES_DIRS = [DESK / "web" / "static", ("plotly", str(resources.files("plotly") / "package_data"))]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 600

SECURE_COOKIES = ENVIRONMENT.secure
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_COOKIES else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = spellings_of(BASE_URL)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

STREAM_PORT = ENVIRONMENT.stream_port
BASE_URLS = spellings_of(BASE_URL)
STREAM_URLS = {
    str(urlsplit(url).hostname): ENVIRONMENT.stream_url or f"{urlsplit(url).scheme}://{urlsplit(url).hostname}:{STREAM_PORT}/stream"
    for url in BASE_URLS
}
STREAM_URL = STREAM_URLS[str(urlsplit(BASE_URL).hostname)]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF, *sorted({f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in STREAM_URLS.values()})],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

DEFAULT_FROM_EMAIL = ENVIRONMENT.mail_from
MAIL_SERVER = mail_server_from_url(ENVIRONMENT.mail_url)
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if MAIL_SERVER.host else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = ENVIRONMENT.data_dir / "mail"
EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = MAIL_SERVER.host, MAIL_SERVER.port, 20
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL_SERVER.user, MAIL_SERVER.password
EMAIL_USE_SSL, EMAIL_USE_TLS = MAIL_SERVER.is_tls, MAIL_SERVER.is_starttls

LOGGING = logging_settings(ENVIRONMENT.log_level)
