"""Looks at what the plan prints, by what AWS itself says of its services: botocore's models.

With `commands`: reads a shell script, and says of each `aws SERVICE OPERATION --parameter …` what there is no such thing of.
With `calls`: prints the operations of SES, SQS and CloudWatch, as the Rust SDK names them, a line each. Prints what is wrong, a line
each, and nothing else.
"""

import shlex
import sys

from botocore import xform_name
from botocore.session import get_session

GENERAL = {"query", "output", "region"}
# What the command line calls otherwise than the API.
RENAMED = {("sns", "subscribe", "notification_endpoint"): "endpoint"}


def operations(service):
    model = get_session().get_service_model(service)
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}


def commands(script):
    for line in script.splitlines():
        if "aws " not in line or line.startswith("#"):
            continue
        # Of `NAME=$(aws …)` what is within.
        words = shlex.split(line.split("$(", 1)[-1].rstrip(")") if "=$(" in line else line)
        if not words or words[0] != "aws":
            continue
        service, operation = words[1], words[2].replace("-", "_")
        known = operations(service)
        if operation not in known:
            print(f"{service} has no {operation}")
            continue
        shape = known[operation].input_shape
        members = {xform_name(name) for name in (shape.members if shape else {})}
        required = {xform_name(name) for name in (shape.required_members if shape else [])}
        given = {word[2:].replace("-", "_") for word in words[3:] if word.startswith("--")}
        given = {RENAMED.get((service, operation, name), name) for name in given}
        for name in given - members - GENERAL:
            print(f"{service} {operation} has no {name}")
        for name in required - given:
            print(f"{service} {operation} needs {name}")


if sys.argv[1] == "commands":
    commands(sys.stdin.read())
else:
    for service in ("sesv2", "sqs", "cloudwatch"):
        print("\n".join(operations(service)))
