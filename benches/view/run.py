"""Measures the verification view beside a Django site's, in turns: `scripts/bench-view.sh` runs it.

    run.py VERIFYDESK SECONDS ROUNDS

DATABASE_URL names a PostgreSQL that nothing else uses. Each round opens links that were never opened, and then opened ones
again, with 64 connections; the same for both. Prints medians over the rounds.
"""

import base64
import hashlib
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile

import psycopg

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from bench import CONNECTIONS, Server, free_port, gunicorn, print_rates, wait_for, wrk  # noqa: E402

PROGRAM, SECONDS, ROUNDS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
# More than can be opened in a round.
KEYS = {"verifydesk": 15_000 * SECONDS, "Django": 4_000 * SECONDS}


def make_keys(count):
    raw = [secrets.token_bytes(32) for _ in range(count)]
    return [(base64.urlsafe_b64encode(key).rstrip(b"=").decode(), hashlib.sha256(key).digest()) for key in raw]


class Verifydesk:
    name = "verifydesk"

    def __init__(self, server, directory):
        admin = psycopg.connect(server.url("postgres"), autocommit=True)
        admin.execute("create database bench")
        owner = {"PATH": os.environ["PATH"], "HOME": str(directory), "DATABASE_URL": server.url("bench")}
        subprocess.run([PROGRAM, "migrate", "--roles"], env=owner, check=True, stdout=subprocess.DEVNULL)
        admin.execute("create role bench_site login in role bench_serve")
        self.database = psycopg.connect(server.url("bench"), autocommit=True)
        self.port = free_port()
        serving = dict(owner, DATABASE_URL=server.url("bench", "bench_site"))
        command = [PROGRAM, "serve", "--listen", f"127.0.0.1:{self.port}"]
        log = open(directory / "serve.log", "wb")
        self.process = subprocess.Popen(command, env=serving, stdout=log, stderr=log)
        self.made = 0

    def add(self, keys):
        with self.database.cursor().copy("copy users (email, locale) from stdin") as copy:
            for number in range(self.made, self.made + len(keys)):
                copy.write_row((f"user{number}@example.com", "en"))
        first = self.database.execute("select max(id) from users").fetchone()[0] - len(keys) + 1
        with self.database.cursor().copy(
            "copy verifications (user_id, expires_at, key_nonce, key_digest) from stdin"
        ) as copy:
            for number, (_, digest) in enumerate(keys):
                copy.write_row((first + number, "2100-01-01", secrets.token_bytes(16), digest))
        self.made += len(keys)
        self.database.execute("vacuum analyze")

    def verified(self):
        return self.database.execute("select count(*) from users where verified_at is not null").fetchone()[0]


class Django:
    name = "Django"

    def __init__(self, server, directory):
        admin = psycopg.connect(server.url("postgres"), autocommit=True)
        admin.execute("create database seed")
        self.port = free_port()
        environment = dict(DATABASE_NAME="seed", DATABASE_HOST=server.host)
        tables = "import site_view as s; from django.db import connection as c\nwith c.schema_editor() as e:\n" \
            " e.create_model(s.User); e.create_model(s.Verification)"
        subprocess.run([sys.executable, "-c", tables], env=dict(os.environ, PYTHONPATH=str(HERE), **environment), check=True)
        self.database = psycopg.connect(server.url("seed"), autocommit=True)
        self.process = gunicorn(self.port, HERE, "site_view", environment, open(directory / "gunicorn.log", "wb"))
        self.made = 0

    def add(self, keys):
        with self.database.cursor().copy("copy site_user (email, name) from stdin") as copy:
            for number in range(self.made, self.made + len(keys)):
                copy.write_row((f"user{number}@example.com", ""))
        first = self.database.execute("select max(id) from site_user").fetchone()[0] - len(keys) + 1
        with self.database.cursor().copy(
            "copy site_verification (user_id, key, created_at, expires_at) from stdin"
        ) as copy:
            for number, (key, _) in enumerate(keys):
                copy.write_row((first + number, key, "2020-01-01", "2100-01-01"))
        self.made += len(keys)
        self.database.execute("vacuum analyze")

    def verified(self):
        query = "select count(*) from site_verification where verified_at is not null"
        return self.database.execute(query).fetchone()[0]


def main():
    server = Server(os.environ["DATABASE_URL"])
    results = {"first": {}, "again": {}}
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        views = [Verifydesk(server, directory), Django(server, directory)]

        def opened(view, keys):
            return wrk(view.port, "/", "keys", [key for key, _ in keys], SECONDS, directory)

        try:
            for view in views:
                wait_for(view.port)
                # Every connection to the database and every plan is there before anything is measured.
                warm = make_keys(2_000)
                view.add(warm)
                opened(view, warm)
            for _ in range(ROUNDS):
                for view in views:
                    keys = make_keys(KEYS[view.name])
                    view.add(keys)
                    before = view.verified()
                    first = opened(view, keys)
                    verified = view.verified() - before
                    if first["wrapped"] or first["bad"] or verified < first["requests"]:
                        sys.exit(f"{view.name}: {verified} of {first} were opened; nothing measured")
                    again = opened(view, keys[:1_000])
                    results["first"].setdefault(view.name, []).append(first)
                    results["again"].setdefault(view.name, []).append(again)
        finally:
            for view in views:
                view.process.terminate()
                view.process.wait()
    for what, title in (("first", "first openings"), ("again", "repeated openings")):
        rates = print_rates(f"{title}, {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s in turns, fsync off",
                            results[what])
        print(f"  verifydesk does {rates['verifydesk'] / rates['Django']:.1f} times Django's rate")


main()
