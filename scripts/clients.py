#!/usr/bin/env python3
"""Reduces the npm package `caniemail` to what the rules of verifydesk use.

    scripts/clients.py PACKAGE FEATURES.rs > support.json

Of each feature that is named in FEATURES.rs it keeps the title, the notes that are referred to, and for each program
and platform the latest result: y, a (partly), n or u (unknown), with the numbers of its notes; - is no result. Python,
since JSON as JavaScript reads it loses the order of versions such as "11.4", "12".
"""

import json
import pathlib
import re
import sys

package, features = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
manifest = json.loads((package / "package.json").read_text(encoding="utf-8"))
data = json.loads((package / "data" / "caniemail.json").read_text(encoding="utf-8"))
named = set(re.findall(r'"((?:css|html|image)-[a-z0-9-]+)"', features.read_text(encoding="utf-8")))


def latest(results):
    """The result of the newest version: the last, but dates are not always in order."""
    versions = list(results)
    if all(re.fullmatch(r"\d{4}-\d\d", version) for version in versions):
        versions.sort()
    words = results[versions[-1]].split()
    notes = ",".join(word[1:] for word in words[1:])
    return words[0] + notes


platforms = {}
for entry in data["data"]:
    for family, results in entry["stats"].items():
        for platform in results:
            known = platforms.setdefault(family, [])
            if platform not in known:
                known.append(platform)

lines = []
for entry in sorted(data["data"], key=lambda entry: entry["slug"]):
    if entry["slug"] not in named:
        continue
    support = {}
    for family, known in platforms.items():
        results = entry["stats"].get(family, {})
        support[family] = " ".join(latest(results[name]) if results.get(name) else "-" for name in known)
    used = set(re.findall(r"\d+", " ".join(support.values())))
    notes = {number: text for number, text in (entry["notes_by_num"] or {}).items() if number in used}
    lines.append(json.dumps(
        {"slug": entry["slug"], "title": entry["title"], "notes": notes, "support": support}, ensure_ascii=False))

names = data["nicenames"]
clients = [json.dumps({
    "family": family,
    "name": names["family"][family],
    "platforms": known,
    "platform_names": [names["platform"].get(name, name) for name in known],
}, ensure_ascii=False) for family, known in platforms.items()]

print("{")
print(f'"source": "caniemail {manifest["version"]} (npm)",')
print(f'"licence": "{manifest["license"]}; see the files beside this one",')
print(f'"updated": "{data["last_update_date"][:10]}",')
print('"clients": [\n' + ",\n".join(clients) + "\n],")
print('"features": [\n' + ",\n".join(lines) + "\n]")
print("}")
