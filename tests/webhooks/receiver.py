"""A site's back end on loopback that receives webhooks, and verifies them with the specification's own library.

Prints one JSON object a line: {"port": n}, then {"event": "got", ...} for each request as it comes, and {"event": "set"}
for each line of its standard input, a JSON object: {"secrets": [...]} to verify with, {"then": [...]} what to do with the
next requests, of which the last is done with all others. It ends when its standard input does.

What to do: a status as a number; a list of a status, headers and a body; or one of
hang: answers nothing; slow: answers 200 after half a second; drop: closes without an answer; garbage: answers what is no
HTTP; lie: promises a long body and sends a part of it; huge: answers 500 with 10 MB; huge-200: the same with 200;
endless-head: answers a head that does not end; informing: answers one 103 after another.
"""

import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

TELLING = threading.Lock()
STATE = {"secrets": [], "then": [200]}


def tell(**what):
    with TELLING:
        print(json.dumps(what), flush=True)


def verified_with(headers, body):
    """The number of the secret that verifies it."""
    for number, secret in enumerate(STATE["secrets"]):
        try:
            Webhook(secret).verify(body, headers)
            return number
        except WebhookVerificationError:
            pass
    return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        tell(event="redirected", path=self.path)
        self.answer(200)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = dict(self.headers.items())
        with TELLING:
            then = STATE["then"].pop(0) if len(STATE["then"]) > 1 else STATE["then"][0]
        tell(
            event="got",
            path=self.path,
            id=self.headers["webhook-id"],
            timestamp=self.headers["webhook-timestamp"],
            signatures=len((self.headers["webhook-signature"] or "").split()),
            content_type=self.headers["content-type"],
            verified=verified_with(headers, body),
            body=body.decode(),
            then=then,
        )
        self.close_connection = True
        try:
            self.do(then)
        except OSError:
            tell(event="hung up")

    def do(self, then):
        write = self.wfile.write
        if isinstance(then, int):
            self.answer(then)
        elif isinstance(then, list):
            self.answer(*then)
        elif then == "hang":
            self.rfile.read(1)
            tell(event="hung up")
        elif then == "slow":
            time.sleep(0.5)
            self.answer(200)
        elif then == "garbage":
            write(b"220 mail.example.org ESMTP\r\n")
        elif then == "lie":
            write(b"HTTP/1.1 500 No\r\ncontent-length: 100000\r\n\r\nonly this \x1b[31mmuch")
            self.wfile.flush()
            self.rfile.read(1)
            tell(event="hung up")
        elif then in ("huge", "huge-200"):
            status = b"200 OK" if then == "huge-200" else b"500 No"
            write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 10485760\r\n\r\n")
            for _ in range(160):
                write(b"x" * 65536)
            tell(event="all was read")
        elif then == "endless-head":
            write(b"HTTP/1.1 200 OK\r\n")
            while True:
                write(b"x-more: " + b"x" * 1000 + b"\r\n")
        elif then == "informing":
            while True:
                write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
                time.sleep(0.01)

    def answer(self, status, headers=None, body=""):
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tell(port=server.server_address[1])
    for line in sys.stdin:
        with TELLING:
            STATE.update(json.loads(line))
        tell(event="set")


main()
