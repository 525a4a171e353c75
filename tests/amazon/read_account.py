"""Asks the SES API at an address all that the account's poller asks and does, with Amazon's own library, and prints what it read.
What that does not know it leaves out, so that what is printed is what was answered only if it was in SES's shape."""

import json
import sys

import botocore.session

client = botocore.session.get_session().create_client(
    "sesv2",
    region_name="eu-central-1",
    endpoint_url=sys.argv[1],
    aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
    aws_secret_access_key="secret",
)
read = [
    client.get_account(),
    client.get_email_identity(EmailIdentity="no-reply@example.org"),
    client.get_email_identity(EmailIdentity="example.org"),
    client.list_email_identities(PageSize=100),
    client.get_configuration_set(ConfigurationSetName="verifydesk"),
    client.get_configuration_set_event_destinations(ConfigurationSetName="verifydesk"),
    client.get_suppressed_destination(EmailAddress="mina@example.com"),
    client.delete_suppressed_destination(EmailAddress="mina@example.com"),
    client.put_suppressed_destination(EmailAddress="jun@example.com", Reason="COMPLAINT"),
    client.create_email_identity(EmailIdentity="shop.example"),
    client.list_suppressed_destinations(PageSize=1000),
]
for answer in read:
    del answer["ResponseMetadata"]
# Times are moments there, and numbers in the answer.
print(json.dumps(read, default=lambda at: int(at.timestamp())))
