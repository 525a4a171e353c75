"""Runs each search of a list by the program, compares its rows with what SQL finds, and says how long it took."""

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


def measure(program, url, rounds):
    wrong = 0
    for status, text, condition in searches():
        command = [program, "list", "--json", "--status", status, "--limit", str(ROWS), "--search", text]
        took, found = [], []
        for _ in range(rounds):
            began = time.monotonic()
            run = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, DATABASE_URL=url))
            took.append((time.monotonic() - began) * 1000)
            found = [json.loads(line)["id"] for line in run.stdout.splitlines()] if run.returncode == 0 else run.stderr
        is_right = found == expected(url, status, condition)
        wrong += not is_right
        print(f"  {text:<12} {status:<9} median {statistics.median(took):6.0f} ms, worst {max(took):6.0f} ms,"
              f" {len(found)} rows{'' if is_right else ': WRONG'}", flush=True)
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
    program, sizes, rounds = sys.argv[1], [int(size) for size in sys.argv[2].split(",")], int(sys.argv[3])
    server = Server(os.environ["DATABASE_URL"])
    wrong = 0
    for size in sizes:
        url = fill(program, server, f"people{size}", size)
        print(f"{size:,} users, {rounds} rounds:", flush=True)
        wrong += measure(program, url, rounds)
        sign_ups(url, rounds)
    sys.exit(1 if wrong else 0)


main()
