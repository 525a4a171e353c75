"""Measures the verification view beside a Django site's, in turns: `scripts/bench-view.sh` runs it.

    run.py VERIFYDESK SECONDS ROUNDS

DATABASE_URL names a PostgreSQL that nothing else uses. Each round opens links that were never opened, and then opened ones
again, with 64 connections; the same for both. Prints medians over the rounds.
"""

import base64
import hashlib
import json
import os
import pathlib
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

import psycopg

HERE = pathlib.Path(__file__).resolve().parent
CONNECTIONS = int(os.environ.get("CONNECTIONS", "64"))
THREADS = min(2, CONNECTIONS)
PROGRAM, SECONDS, ROUNDS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
# More than can be opened in a round.
KEYS = {"verifydesk": 15_000 * SECONDS, "Django": 4_000 * SECONDS}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on {port}")


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
        environment = dict(os.environ, DATABASE_NAME="seed", DATABASE_HOST=server.host, PYTHONPATH=str(HERE))
        tables = "import site_view as s; from django.db import connection as c\nwith c.schema_editor() as e:\n" \
            " e.create_model(s.User); e.create_model(s.Verification)"
        subprocess.run([sys.executable, "-c", tables], env=environment, check=True)
        self.database = psycopg.connect(server.url("seed"), autocommit=True)
        command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{self.port}",
                   "--log-level", "warning", "site_view:application"]
        log = open(directory / "gunicorn.log", "wb")
        self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
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


class Server:
    def __init__(self, url):
        self.host = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["host"][0]

    def url(self, database, user="verifydesk"):
        return f"postgres://{user}@localhost:5432/{database}?host={self.host}"


def wrk(view, keys, directory):
    file = directory / "keys"
    file.write_text("\n".join(keys) + "\n")
    command = ["wrk", f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--timeout", "10s", "-s", str(HERE / "keys.lua"),
               f"http://127.0.0.1:{view.port}", "--", str(file), str(THREADS)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(printed.strip().splitlines()[-1])


def main():
    server = Server(os.environ["DATABASE_URL"])
    results = {}
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        views = [Verifydesk(server, directory), Django(server, directory)]
        try:
            for view in views:
                wait_for(view.port)
                # Every connection to the database and every plan is there before anything is measured.
                warm = make_keys(2_000)
                view.add(warm)
                wrk(view, [key for key, _ in warm], directory)
            for _ in range(ROUNDS):
                for view in views:
                    keys = make_keys(KEYS[view.name])
                    view.add(keys)
                    before = view.verified()
                    first = wrk(view, [key for key, _ in keys], directory)
                    opened = view.verified() - before
                    if first["wrapped"] or first["bad"] or opened < first["requests"]:
                        sys.exit(f"{view.name}: {opened} of {first} were opened; nothing measured")
                    again = wrk(view, [key for key, _ in keys[:1_000]], directory)
                    for what, run in (("first", first), ("again", again)):
                        if run["bad"] or run["errors"]:
                            print(f"{view.name}, {what}: {run['bad']} answers other than 200, {run['errors']} errors")
                        results.setdefault((what, view.name), []).append(run)
        finally:
            for view in views:
                view.process.terminate()
                view.process.wait()
    for what, title in (("first", "first openings"), ("again", "repeated openings")):
        print(f"{title}, {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s in turns, fsync off:")
        rates = {}
        for name in ("verifydesk", "Django"):
            runs = results[(what, name)]
            all_rates = [run["requests"] / run["seconds"] for run in runs]
            rates[name] = statistics.median(all_rates)
            p50, p99 = (statistics.median(run[at] for run in runs) for at in ("p50", "p99"))
            print(f"  {name:<11} {rates[name]:7.0f}/s ({min(all_rates):.0f} to {max(all_rates):.0f}), "
                  f"p50 {p50:.1f} ms, p99 {p99:.1f} ms")
        print(f"  verifydesk does {rates['verifydesk'] / rates['Django']:.1f} times Django's rate")


main()
