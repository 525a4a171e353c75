"""A name server for the tests: dnslib, on loopback, by UDP and TCP.

Takes a zone as its argument, prints {"port": n}, and answers until its standard input ends. A name that is not in the zone is
NXDOMAIN; one below silent. gets no answer.
"""

import json
import socket
import sys

from dnslib import QTYPE, RCODE, RR
from dnslib.server import BaseResolver, DNSLogger, DNSServer


class Zone(BaseResolver):
    def __init__(self, text):
        self.records = RR.fromZone(text)
        for record in self.records:
            if QTYPE[record.rtype] == "TXT":
                # What no zone file says plainly.
                record.rdata.data = [part.replace(b"ESC", b"\x1b") for part in record.rdata.data]

    def resolve(self, request, handler):
        asked = request.q.qname
        if str(asked).endswith("silent."):
            raise SystemExit
        reply = request.reply()
        kind = QTYPE[request.q.qtype]
        of_name = [record for record in self.records if record.rname == asked]
        for record in of_name:
            if QTYPE[record.rtype] == kind:
                reply.add_answer(record)
        if not of_name:
            reply.header.rcode = RCODE.NXDOMAIN
        return reply


def main():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    zone = Zone(sys.argv[1])
    quiet = DNSLogger(log="-request,-reply,-truncated,-error", prefix=False)
    for tcp in (False, True):
        DNSServer(zone, port=port, address="127.0.0.1", tcp=tcp, logger=quiet).start_thread()
    print(json.dumps({"port": port}), flush=True)
    sys.stdin.read()


main()
