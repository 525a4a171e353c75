"""A mail server for the tests: aiosmtpd, with faults on demand.

Prints one JSON object a line: first {"port": n}, then what happens: {"event": "line", ...} for each line on the wire,
{"event": "fault", "stage": s} when a fault strikes, {"event": "stored", "file": f, "id": i, "from": a, "to": [a]} for each mail.
Each line of its standard input is a JSON list of faults that takes the place of all others, and is told as
{"event": "faults"}. Ends when its standard input does, so that it never outlives the test.

A fault is STAGE=ACTION, with STAGE one of greeting, ehlo, starttls, auth, mail, rcpt, data, end, and ACTION one of
drop, hang, slow (answers half a second later), behind:TEXT (answers as ever, and says TEXT in the same breath), lower
(ehlo only: answers in lower case), stall (data only: asks for the mail and reads none of it), reply:TEXT, or
pass, which does nothing. Each strikes once, in the order given; `each-` before the action makes it strike always.
`end` strikes after the whole mail was received; `end=store-drop` stores it first. In the TEXT of an `end=reply:TEXT`,
{link} is the link in the mail, as a content filter would quote it; the fault is told with it. There and at rcpt, {to} is
the recipient.
"""

import argparse
import asyncio
import email
import json
import logging
import pathlib
import re
import ssl
import sys
import threading
import uuid

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


TELLING = threading.Lock()


def tell(**what):
    # Faults are set in a thread of their own: two lines at once would be none that can be read.
    with TELLING:
        print(json.dumps(what), flush=True)


def link_in(mail):
    for part in email.message_from_bytes(mail).walk():
        found = re.search(rb"\S+/verify/\?key=\S+", part.get_payload(decode=True) or b"")
        if found:
            return found.group().decode()
    return ""


class Wire(logging.Handler):
    def emit(self, record):
        tell(event="line", text=record.getMessage())


class Faults:
    def __init__(self, specs):
        self.set(specs)

    def set(self, specs):
        self.waiting = [spec.split("=", 1) for spec in specs]

    def listen(self):
        for line in sys.stdin:
            self.set(json.loads(line))
            tell(event="faults")

    def take(self, stage):
        for at, (wanted, action) in enumerate(self.waiting):
            if wanted == stage:
                if action.startswith("each-"):
                    return action[len("each-"):]
                del self.waiting[at]
                return action
        return None


class Server(SMTP):
    def __init__(self, *args, faults, **kwargs):
        super().__init__(*args, **kwargs)
        self.faults = faults
        self.behind = None
        self.lower = False

    async def push(self, status):
        if self.behind is not None and isinstance(status, str) and status[3:4] != "-" and not status.startswith("334"):
            status, self.behind = f"{status}\r\n{self.behind}", None
        await super().push(status.lower() if self.lower else status)

    async def struck(self, stage, arg=""):
        """Whether a fault took the place of the answer."""
        action = self.faults.take(stage)
        if action in (None, "pass"):
            return False
        tell(event="fault", stage=stage)
        if action.endswith("drop"):
            self.transport.abort()
        elif action == "hang":
            await asyncio.sleep(3600)
        elif action == "slow":
            await asyncio.sleep(0.5)
            return False
        elif action == "lower":
            self.lower = True
            return False
        elif action.startswith("behind:"):
            self.behind = action.removeprefix("behind:")
            return False
        elif action == "stall":
            self.transport.pause_reading()
            await self.push("354 go ahead")
            await asyncio.sleep(3600)
        else:
            recipient = re.search("<([^>]*)>", arg or "")
            text = action.removeprefix("reply:").replace("{to}", recipient.group(1) if recipient else "").encode()
            for line in text.split(b"\\n"):
                await self.push(line)
        return True

    async def _handle_client(self):
        if await self.struck("greeting"):
            return
        await super()._handle_client()

    async def smtp_EHLO(self, arg):
        if not await self.struck("ehlo"):
            await super().smtp_EHLO(arg)
            self.lower = False

    async def smtp_STARTTLS(self, arg):
        if not await self.struck("starttls"):
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg):
        if not await self.struck("auth"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg):
        if not await self.struck("mail"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg):
        if not await self.struck("rcpt", arg):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg):
        if not await self.struck("data"):
            await super().smtp_DATA(arg)


class Handler:
    def __init__(self, directory, faults):
        self.directory = directory
        self.faults = faults
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        action = self.faults.take("end")
        link = link_in(envelope.original_content)
        if action not in (None, "pass", "store-drop"):
            tell(event="fault", stage="end", link=link)
        if action == "drop":
            server.transport.abort()
            return "250 Ok"
        if action == "hang":
            await asyncio.sleep(3600)
        if action is not None and action.startswith("reply:"):
            text = action.removeprefix("reply:").replace("\\n", "\r\n")
            return text.replace("{link}", link).replace("{to}", envelope.rcpt_tos[0])
        if action == "slow":
            await asyncio.sleep(0.5)
        self.count += 1
        name = f"0102{uuid.uuid4()}-000000"
        file = self.directory / f"{self.count:04}.eml"
        file.write_bytes(envelope.original_content)
        tell(event="stored", file=str(file), id=name, **{"from": envelope.mail_from, "to": envelope.rcpt_tos})
        if action == "store-drop":
            tell(event="fault", stage="end")
            server.transport.abort()
        return f"250 Ok {name}"


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("--dir", type=pathlib.Path, required=True)
    options.add_argument("--tls", choices=["starttls", "tls", "none"], required=True)
    options.add_argument("--certificate")
    options.add_argument("--key")
    options.add_argument("--user")
    options.add_argument("--password")
    options.add_argument("--mechanism", choices=["PLAIN", "LOGIN"])
    options.add_argument("--idle", type=float, default=300)
    options.add_argument("--fault", action="append", default=[])
    args = options.parse_args()

    context = None
    if args.tls != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(args.certificate, args.key)

    def authenticate(server, session, envelope, mechanism, data):
        right = isinstance(data, LoginPassword) and data == LoginPassword(args.user.encode(), args.password.encode())
        if right:
            return AuthResult(success=True, handled=True, auth_data=data)
        return AuthResult(success=False, handled=False, message="535 Authentication Credentials Invalid")

    log = logging.getLogger("mail.log")
    log.setLevel(logging.DEBUG)
    log.addHandler(Wire())
    log.propagate = False

    loop = asyncio.get_running_loop()
    faults = Faults(args.fault)
    handler = Handler(args.dir, faults)
    excluded = {"PLAIN", "LOGIN"} - {args.mechanism} if args.mechanism else set()

    def server():
        return Server(
            handler,
            faults=faults,
            hostname="mail.example.test",
            tls_context=context if args.tls == "starttls" else None,
            require_starttls=args.tls == "starttls",
            auth_required=args.user is not None,
            auth_require_tls=args.tls == "starttls",
            auth_exclude_mechanism=excluded if args.user else {"PLAIN", "LOGIN"},
            authenticator=authenticate,
            timeout=args.idle,
            loop=loop,
        )

    listening = await loop.create_server(server, "127.0.0.1", 0, ssl=context if args.tls == "tls" else None)
    tell(port=listening.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, faults.listen)


asyncio.run(main())
