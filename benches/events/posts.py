"""SES's events about the sends of `fill.py`, as SNS posts them: signed, each with an identifier of its own."""

import base64
import copy
import datetime
import json
import multiprocessing
import pathlib
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from fill import send, ses_id

TOPIC = "arn:aws:sns:us-east-1:123456789012:ses-events"
CERTIFICATE_URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-9c6465fa.pem"
EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "tests/fixtures/ses/events"
# Of a hundred events; what a site without tracking gets.
SHARES = {"delivery": 94, "bounce": 4, "delivery-delay": 1, "complaint": 1}
KINDS = [kind for kind, share in SHARES.items() for _ in range(share)]
BODIES = {kind: json.loads((EXAMPLES / f"{kind}.json").read_text()) for kind in SHARES}


def certified(path):
    """A key, whose certificate is written there."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
    made = made.not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def event(number, people):
    body = copy.deepcopy(BODIES[KINDS[number * 37 % 100]])
    address = f"user{number % people}@example.com"
    mail = body["mail"]
    mail["messageId"] = ses_id(number)
    mail["destination"] = [address]
    mail["tags"]["send"] = [send(number)]
    for of in ("bouncedRecipients", "complainedRecipients", "delayedRecipients"):
        for part in body.values():
            if isinstance(part, dict) and of in part:
                part[of][0]["emailAddress"] = address
                # Some kinds have one, by which they are known again.
                part["feedbackId"] = f"feedback-{number}"
    return body


_key = None


def _load(key):
    global _key
    _key = serialization.load_pem_private_key(key, None)


def _post(of):
    number, people, now = of
    message = {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": TOPIC,
        "Subject": "Amazon SES Email Event Notification",
        "Message": json.dumps(event(number, people)),
        "Timestamp": now,
    }
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    signed = "".join(f"{name}\n{message[name]}\n" for name in names).encode()
    # Version 1, since django-ses knows no other.
    message["SignatureVersion"] = "1"
    message["Signature"] = base64.b64encode(_key.sign(signed, padding.PKCS1v15(), hashes.SHA1())).decode()
    message["SigningCertURL"] = CERTIFICATE_URL
    message["UnsubscribeURL"] = "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe"
    return json.dumps(message)


def posts(key, numbers, people):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with multiprocessing.Pool(2, _load, (key,)) as pool:
        return pool.map(_post, [(number, people, now) for number in numbers], chunksize=200)
