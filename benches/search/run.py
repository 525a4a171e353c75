"""Runs each search of a list, compares its rows with what SQL finds, and says how long it and Django's admin took."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import Server  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROWS = 50
AT = {"all": "created_at", "pending": "expires_at", "expired": "expires_at", "verified": "verified_at",
      "revoked": "revoked_at"}
OPEN = "v.verified_at is null and v.revoked_at is null and v.expires_at "
OF = {"all": "true", "pending": OPEN + "> now()", "expired": OPEN + "<= now()", "verified": "v.verified_at is not null",
      "revoked": "v.revoked_at is not null"}
NAME_INDEX = "users_name_pairs"


def searches():
    lines = (HERE / "searches.tsv").read_text().splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def fill(program, server, database, people):
    """A database of so many, its indexes made when all are there."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {database}")
    url = server.url(database)
    subprocess.run([program, "migrate"], check=True, env=dict(os.environ, DATABASE_URL=url), stdout=subprocess.DEVNULL)
    with psycopg.connect(url, autocommit=True) as connection:
        indexes = connection.execute(
            "select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index"
            " where indrelid in ('users'::regclass, 'verifications'::regclass) and not indisprimary").fetchall()
        for name, _ in indexes:
            connection.execute(f"drop index {name}")
        connection.execute("set maintenance_work_mem = '512MB'")
        connection.execute((HERE / "fill.sql").read_text().replace(":people", str(people)))
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("vacuum analyze")
    return url


def expected(url, status, condition):
    at = AT[status]
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            f"select v.id from verifications v join users u on u.id = v.user_id where {OF[status]} and ({condition})"
            f" order by v.{at} desc, v.id desc limit {ROWS}").fetchall()
    return [row[0] for row in rows]


class Answering:
    """A process that answers a line by a line."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=dict(os.environ, **environment))

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def measure(bench, server, url, database, rounds):
    """Each search by the desk, and by the stock Django admin, which finds no words in any order: its rows are not compared."""
    wrong, medians = 0, {"first": [], "whole": [], "django": []}
    desk = Answering([bench], DATABASE_URL=url)
    django = Answering([sys.executable, str(HERE / "admin_site.py")], DATABASE=database, DATABASE_HOST=server.host)
    for status, text, condition in searches():
        answers = [desk.ask(f"{status}\t{text}") for _ in range(rounds)]
        admin = django.ask(json.dumps({"status": status, "text": text}))
        is_right = answers[-1]["ids"] == expected(url, status, condition)
        wrong += not is_right
        took = {key: [answer[key] for answer in answers] for key in ("first", "whole")}
        for key in took:
            medians[key].append(statistics.median(took[key]))
        medians["django"].append(admin["ms"])
        print(f"  {text:<12} {status:<9} first {medians['first'][-1]:5.0f} ms (worst {max(took['first']):5.0f}), all"
              f" {medians['whole'][-1]:5.0f} ms (worst {max(took['whole']):5.0f}); Django's admin"
              f" {'over' if admin['rows'] is None else ''} {admin['ms']:6.0f} ms; {len(answers[-1]['ids'])} rows"
              f"{'' if is_right else ': WRONG'}", flush=True)
    for process in (desk, django):
        process.end()
    print("  median of all: " + ", ".join(f"{key} {statistics.median(all_of):.0f} ms" for key, all_of in medians.items())
          + "; worst of all: " + ", ".join(f"{key} {max(all_of):.0f} ms" for key, all_of in medians.items()), flush=True)
    return wrong


def sign_ups(url, rounds, seconds=3.0):
    """Users with Korean names and their verifications, a transaction each, with the index of names and without it."""
    rates = {"with": [], "without": []}
    with psycopg.connect(url, autocommit=True) as connection:
        definition = connection.execute("select pg_get_indexdef(%s::regclass)", [NAME_INDEX]).fetchone()[0]
        number = 0
        for _ in range(rounds):
            for index in rates:
                connection.execute(f"drop index if exists {NAME_INDEX}")
                if index == "with":
                    connection.execute(definition)
                end, done = time.monotonic() + seconds, 0
                while time.monotonic() < end:
                    number += 1
                    connection.execute(
                        "with u as (insert into users (email, name) values (%s, %s) returning id)"
                        " insert into verifications (user_id, key_nonce, expires_at)"
                        " select id, decode(repeat('00', 16), 'hex'), now() + interval '3 days' from u",
                        [f"bench{number}@example.com", "".join(chr(44032 + number * prime % 11172) for prime in (1, 7, 31))])
                    done += 1
                rates[index].append(done / seconds)
    medians = {index: statistics.median(all_rates) for index, all_rates in rates.items()}
    print(f"  sign-ups of Korean names: {medians['with']:.0f}/s with the index of names, {medians['without']:.0f}/s without"
          f" (ratio {medians['with'] / medians['without']:.2f})")


def main():
    program, bench, rounds = sys.argv[1], sys.argv[2], int(sys.argv[4])
    sizes = [int(size) for size in sys.argv[3].split(",")]
    server = Server(os.environ["DATABASE_URL"])
    wrong = 0
    for size in sizes:
        database = f"people{size}"
        url = fill(program, server, database, size)
        print(f"{size:,} users, {rounds} rounds:", flush=True)
        wrong += measure(bench, server, url, database, rounds)
        sign_ups(url, rounds)
    sys.exit(1 if wrong else 0)


main()
