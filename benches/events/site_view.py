"""django-ses's webhook view, as its README sets it up: what `make bench-events` compares `POST /ses/events` with.

It verifies the signature, sends the signal of the event, and puts addresses that bounced or complained on its list; it
stores no event. WSGI for gunicorn; DATABASE_NAME, DATABASE_HOST name the database, CERTIFICATE what it would fetch.
"""

import os

import django
from cryptography import x509
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    AWS_SES_ADD_BOUNCE_TO_BLACKLIST=True,
    AWS_SES_ADD_COMPLAINT_TO_BLACKLIST=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["DATABASE_NAME"],
            "HOST": os.environ["DATABASE_HOST"],
            "PORT": "5432",
            "USER": "verifydesk",
            "CONN_MAX_AGE": None,
        }
    },
    INSTALLED_APPS=["django_ses"],
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
)
django.setup()

from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from django_ses import utils  # noqa: E402
from django_ses.views import SESEventWebhookView  # noqa: E402

if "CERTIFICATE" in os.environ:
    with open(os.environ["CERTIFICATE"], "rb") as file:
        utils._CERT_CACHE[os.environ["CERTIFICATE_URL"]] = x509.load_pem_x509_certificate(file.read())

urlpatterns = [path("ses/events", csrf_exempt(SESEventWebhookView.as_view()))]
application = get_wsgi_application()
