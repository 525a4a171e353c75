"""What the comparisons with Django sites share: the server, ports, and wrk."""

import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse

CONNECTIONS = int(os.environ.get("CONNECTIONS", "64"))
THREADS = min(2, CONNECTIONS)
LUA = pathlib.Path(__file__).resolve().parent / "lines.lua"


class Server:
    """The PostgreSQL that a URL names."""

    def __init__(self, url):
        self.host = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["host"][0]

    def url(self, database, user="verifydesk"):
        return f"postgres://{user}@localhost:5432/{database}?host={self.host}"


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


def gunicorn(port, directory, site, environment, log):
    """Serves a site of a directory, with a process a core."""
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}", "--log-level", "warning",
               f"{site}:application"]
    environment = dict(os.environ, PYTHONPATH=str(directory), **environment)
    return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def wrk(port, path, mode, lines, seconds, directory):
    """Asks for each line, as `lines.lua` says."""
    file = directory / "lines"
    file.write_text("\n".join(lines) + "\n")
    command = ["wrk", f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(LUA),
               f"http://127.0.0.1:{port}{path}", "--", str(file), str(THREADS), mode]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    run = json.loads(printed.strip().splitlines()[-1])
    if run["bad"] or run["errors"]:
        print(f"{path}: {run['bad']} answers other than 200, {run['errors']} errors")
    return run


def print_rates(title, results):
    """Medians over the runs of each name; gives the median rates."""
    print(f"{title}:")
    rates = {}
    for name, runs in results.items():
        all_rates = [run["requests"] / run["seconds"] for run in runs]
        rates[name] = statistics.median(all_rates)
        line = f"  {name:<24} {rates[name]:7.0f}/s ({min(all_rates):.0f} to {max(all_rates):.0f})"
        if "p50" in runs[0]:
            p50, p99 = (statistics.median(run[at] for run in runs) for at in ("p50", "p99"))
            line += f", p50 {p50:.1f} ms, p99 {p99:.1f} ms"
        print(line)
    return rates
