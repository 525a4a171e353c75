"""What `make bench-send` compares the worker with: Django's mail classes, over one open connection.

Renders the same templates, which Django understands as they are, into mails like the worker's, and prints
{"seconds": s} for the sending alone: without the interpreter's start, without a database.
"""

import argparse
import json
import pathlib
import secrets
import time
import uuid

import django
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string

PEOPLE = {
    "ko": ("김민아", "12월 25일 09:30 (한국 시간)", "3일"),
    "en": ("Mina", "25 December, 00:30 UTC", "3 days"),
}


def mail(number, connection):
    locale = "ko" if number % 2 == 0 else "en"
    name, expires, lifetime = PEOPLE[locale]
    context = {
        "name": name,
        "link": f"https://example.org/verify/?key={secrets.token_urlsafe(32)}",
        "site_name": "Example",
        "site_url": "https://example.org/",
        "expires": expires,
        "lifetime": lifetime,
    }
    render = lambda part: render_to_string(f"{locale}/verification/{part}", context)
    message = EmailMultiAlternatives(
        subject=render("subject.txt").strip(),
        body=render("body.txt"),
        from_email="Example <no-reply@example.org>",
        to=[f"{name} <mina{number}@example.com>"],
        headers={
            "Auto-Submitted": "auto-generated",
            "X-SES-MESSAGE-TAGS": f"send={uuid.uuid4()}, attempt=1",
        },
        connection=connection,
    )
    message.attach_alternative(render("body.html"), "text/html")
    return message


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--templates", type=pathlib.Path, required=True)
    args = options.parse_args()
    settings.configure(
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=args.port,
        # Templates are kept once read, as in production.
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [args.templates]}],
    )
    django.setup()
    start = time.monotonic()
    with get_connection() as connection:
        for number in range(args.count):
            mail(number, connection).send()
    print(json.dumps({"seconds": time.monotonic() - start}))


main()
