"""The verification view as a Django site would have it: what `make bench-view` compares `verifydesk serve` with.

Looks the key up, approves the verification, renders a page. WSGI for gunicorn; DATABASE_NAME, DATABASE_HOST name the
database, whose connections are kept.
"""

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import models
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
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
    INSTALLED_APPS=[],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    ROOT_URLCONF=__name__,
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")],
        }
    ],
    USE_TZ=True,
)
django.setup()

from django.shortcuts import render  # noqa: E402
from django.utils import timezone  # noqa: E402


class User(models.Model):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=64)

    class Meta:
        app_label = "site"


class Verification(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    key = models.CharField(max_length=43, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "site"


def verify(request):
    try:
        verification = Verification.objects.select_related("user").get(key=request.GET.get("key", ""))
    except Verification.DoesNotExist:
        return render(request, "page.html", {"heading": "This link is not known"}, status=404)
    if verification.verified_at is None:
        if verification.expires_at <= timezone.now():
            return render(request, "page.html", {"heading": "This link has expired"}, status=410)
        verification.verified_at = timezone.now()
        verification.save(update_fields=["verified_at"])
    return render(request, "page.html", {"heading": "Your email address is confirmed", "user": verification.user})


urlpatterns = [path("verify/", verify)]
application = get_wsgi_application()
