"""The stock Django admin over the same tables: how long its list takes to answer each search.

Reads lines of JSON `{"status": …, "text": …}`, and answers each with `{"ms": …, "rows": …}`. An answer is a page of HTML,
with its counts, as the admin makes it; there is no network between.
"""

import json
import os
import sys
import time
from types import SimpleNamespace

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="of no use", ROOT_URLCONF=__name__, DEBUG=False, ALLOWED_HOSTS=["*"], USE_TZ=True, STATIC_URL="/static/",
    INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.messages", "django.contrib.sessions", "django.contrib.staticfiles"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]}}],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["DATABASE"],
                           "HOST": os.environ["DATABASE_HOST"], "USER": "verifydesk",
                           "OPTIONS": {"options": "-c statement_timeout=60000"}}},
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.db import DatabaseError, connection, models  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402


class User(models.Model):
    email = models.TextField()
    name = models.TextField()

    class Meta:
        app_label, managed, db_table = "messages", False, "users"


class Verification(models.Model):
    user = models.ForeignKey(User, models.DO_NOTHING)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        app_label, managed, db_table = "messages", False, "verifications"


class Status(admin.SimpleListFilter):
    title = parameter_name = "status"

    def lookups(self, request, model_admin):
        return [(status, status) for status in ("pending", "expired", "verified", "revoked")]

    def queryset(self, request, queryset):
        is_open = {"verified_at": None, "revoked_at": None}
        match self.value():
            case "pending":
                return queryset.filter(**is_open, expires_at__gt=timezone.now())
            case "expired":
                return queryset.filter(**is_open, expires_at__lte=timezone.now())
            case "verified":
                return queryset.exclude(verified_at=None)
            case "revoked":
                return queryset.exclude(revoked_at=None)
        return queryset


class Verifications(admin.ModelAdmin):
    list_display = ["id", "user_email", "created_at", "expires_at"]
    list_filter, list_select_related, list_per_page = [Status], ["user"], 50
    search_fields, ordering = ["user__email", "user__name"], ["-created_at"]

    def user_email(self, verification):
        return verification.user.email


admin.site.register(Verification, Verifications)
urlpatterns = [path("admin/", admin.site.urls)]
operator = SimpleNamespace(
    is_active=True, is_staff=True, is_authenticated=True, has_perm=lambda *_: True, has_module_perms=lambda _: True,
    has_usable_password=lambda: False, get_username=lambda: "operator", get_short_name=lambda: "operator", pk=1)

for line in sys.stdin:
    search = json.loads(line)
    asked = {"q": search["text"]} | ({} if search["status"] == "all" else {"status": search["status"]})
    request = RequestFactory().get("/admin/messages/verification/", asked)
    request.user = operator
    began, rows = time.monotonic(), None
    try:
        response = admin.site.get_model_admin(Verification).changelist_view(request)
        response.render()
        rows = len(response.context_data["cl"].result_list)
    except DatabaseError:
        connection.close()
    print(json.dumps({"ms": (time.monotonic() - began) * 1000, "rows": rows}), flush=True)
