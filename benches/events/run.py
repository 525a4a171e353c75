"""Measures how fast SES's events are stored and matched, entering by HTTP and by SQS, beside django-ses's webhook view, in
turns: `scripts/bench-events.sh` runs it.

    run.py VERIFYDESK BENCH_EVENTS PEOPLE SECONDS ROUNDS

DATABASE_URL names a PostgreSQL that nothing else uses. Ten sends a person are there first, of a month. Each round posts
events to both views for so many seconds, and puts as many in a queue as came by HTTP. They are about sends chosen by chance
among those of the last days, as SES's are. Events about sends of all the month are posted, too: the worst that can come,
since each reads and writes pages that no other does. Prints medians over the rounds.
"""

import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
import json

import psycopg

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from bench import CONNECTIONS, Server, free_port, gunicorn, print_rates, wait_for, wrk  # noqa: E402
from fill import fill  # noqa: E402
from posts import CERTIFICATE_URL, TOPIC, certified, posts  # noqa: E402

PROGRAM, BESIDE = sys.argv[1:3]
PEOPLE, SECONDS, ROUNDS = map(int, sys.argv[3:])
# Of these the sends of `fill.py` are, and of the last of them what most events are about.
DAYS, LAST_DAYS = 30, 2
# More than are posted in a second.
RATE_MAX = {"verifydesk": 8_000, "django-ses": 6_000}


class Verifydesk:
    name = "verifydesk"

    def __init__(self, server, directory):
        admin = psycopg.connect(server.url("postgres"), autocommit=True)
        admin.execute("create database bench")
        owner = {"PATH": os.environ["PATH"], "HOME": str(directory), "DATABASE_URL": server.url("bench")}
        subprocess.run([PROGRAM, "migrate", "--roles"], env=owner, check=True, stdout=subprocess.DEVNULL)
        for role in ("serve", "worker"):
            admin.execute(f"create role bench_as_{role} login in role bench_{role}")
        self.database = psycopg.connect(server.url("bench"), autocommit=True)
        start = time.monotonic()
        fill(self.database, PEOPLE)
        print(f"{PEOPLE * 10:,} sends made in {time.monotonic() - start:.0f} s", flush=True)
        self.log = open(directory / "verifydesk.log", "wb")
        self.directory = directory
        self.site = dict(owner, DATABASE_URL=server.url("bench", "bench_as_serve"), VERIFYDESK_SES__TOPICS=TOPIC)
        self.worker = dict(
            owner,
            DATABASE_URL=server.url("bench", "bench_as_worker"),
            AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
            AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            AWS_SES_REGION_NAME="us-east-1",
        )
        self.process, self.port = self.beside("serve", directory / "sns.pem", self.site)

    def beside(self, what, file, environment):
        process = subprocess.Popen([BESIDE, what, str(file)], env=environment, stdout=subprocess.PIPE, stderr=self.log)
        return process, int(process.stdout.readline())

    def stored(self):
        return self.database.execute("select count(*) from ses_events where send_id is not null").fetchone()[0]

    def settled(self):
        return self.database.execute("select count(*) from sends where state <> 'accepted'").fetchone()[0]

    def drain(self, bodies):
        """What a worker takes out of a queue with these."""
        file = self.directory / "queue"
        file.write_text("\n".join(bodies) + "\n")
        queue, port = self.beside("queue", file, {})
        try:
            url = f"http://127.0.0.1:{port}/123456789012/ses-events"
            command = [PROGRAM, "worker", "--events-only", "--drain"]
            subprocess.run(command, env=dict(self.worker, VERIFYDESK_SES__QUEUE=url), check=True,
                           stdout=self.log, stderr=self.log)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as report:
                report = json.load(report)
        finally:
            queue.kill()
            queue.wait()
        return {"requests": report["deleted"], "seconds": report["seconds"]}


class DjangoSes:
    name = "django-ses"

    def __init__(self, server, directory):
        admin = psycopg.connect(server.url("postgres"), autocommit=True)
        admin.execute("create database seed")
        self.port = free_port()
        environment = dict(DATABASE_NAME="seed", DATABASE_HOST=server.host, CERTIFICATE=str(directory / "sns.pem"),
                           CERTIFICATE_URL=CERTIFICATE_URL)
        tables = "import site_view; from django.core.management import call_command as c; c('migrate', verbosity=0)"
        subprocess.run([sys.executable, "-c", tables], env=dict(os.environ, PYTHONPATH=str(HERE), **environment), check=True)
        self.database = psycopg.connect(server.url("seed"), autocommit=True)
        self.process = gunicorn(self.port, HERE, "site_view", environment, open(directory / "gunicorn.log", "wb"))

    def listed(self):
        return self.database.execute("select count(*) from django_ses_blacklistedemail").fetchone()[0]


def main():
    server = Server(os.environ["DATABASE_URL"])
    results = {"HTTP": {}, "SQS": {}, "month": {}}
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        key = certified(directory / "sns.pem")
        desk, site = Verifydesk(server, directory), DjangoSes(server, directory)
        last_days = PEOPLE * 10 - PEOPLE * 10 * LAST_DAYS // DAYS
        chance = random.Random(1)
        recent = iter(chance.sample(range(last_days, PEOPLE * 10), PEOPLE * 10 - last_days))
        month = iter(chance.sample(range(last_days), last_days))

        def some(count, of=recent):
            return posts(key, [next(of) for _ in range(count)], PEOPLE)

        def posted(view, seconds, count, of=recent):
            run = wrk(view.port, "/ses/events", "posts", some(count, of), seconds, directory)
            if run["wrapped"] or run["bad"]:
                sys.exit(f"{view.name}: {run}: not all were taken, or too few were there; nothing measured")
            return run

        def checked(what, run, before):
            stored, settled = desk.stored() - before[0], desk.settled() - before[1]
            if stored < run["requests"] or settled < run["requests"]:
                sys.exit(f"{what}: {stored} stored, {settled} settled of {run}; nothing measured")

        try:
            for view in (desk, site):
                wait_for(view.port)
                # Every connection to the database and every plan is there before anything is measured.
                posted(view, 1, RATE_MAX[view.name], month)
            for number in range(1, ROUNDS + 1):
                print(f"round {number}", file=sys.stderr, flush=True)
                before = desk.stored(), desk.settled()
                run = posted(desk, SECONDS, RATE_MAX[desk.name] * SECONDS)
                checked("HTTP", run, before)
                print(f"  HTTP {run}", file=sys.stderr, flush=True)
                results["HTTP"].setdefault("verifydesk", []).append(run)
                # What they are about makes no difference to this one.
                listed = site.listed()
                run = posted(site, SECONDS, RATE_MAX[site.name] * SECONDS, month)
                if site.listed() - listed < run["requests"] // 100:
                    sys.exit(f"django-ses listed too few; nothing measured: {run}")
                results["HTTP"].setdefault("django-ses", []).append(run)
                before = desk.stored(), desk.settled()
                run = desk.drain(some(results["HTTP"]["verifydesk"][-1]["requests"]))
                checked("SQS", run, before)
                print(f"  SQS {run}", file=sys.stderr, flush=True)
                results["SQS"].setdefault("verifydesk", []).append(run)
                before = desk.stored(), desk.settled()
                run = posted(desk, SECONDS, RATE_MAX[desk.name] * SECONDS, month)
                checked("HTTP, of all the month", run, before)
                print(f"  HTTP, of all the month {run}", file=sys.stderr, flush=True)
                results["month"].setdefault("verifydesk", []).append(run)
        finally:
            for view in (desk, site):
                view.process.terminate()
                view.process.wait()
            if "KEEP_LOGS" in os.environ:
                print((directory / "verifydesk.log").read_text(), (directory / "gunicorn.log").read_text())
    how = f"{PEOPLE * 10:,} sends, events about those of the last {LAST_DAYS} days, {ROUNDS} rounds in turns, fsync on"
    rates = print_rates(f"by HTTP, {CONNECTIONS} connections for {SECONDS} s, {how}", results["HTTP"])
    print(f"  verifydesk does {rates['verifydesk'] / rates['django-ses']:.1f} times django-ses's rate")
    print_rates(f"by SQS, one worker, {how}", results["SQS"])
    how = f"{PEOPLE * 10:,} sends, {ROUNDS} rounds, fsync on"
    print_rates(f"by HTTP, events about sends of all the {DAYS} days, {how}", results["month"])


main()
