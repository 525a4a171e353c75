"""Asks the SES API at an address all that the account's poller asks and does, with Amazon's own library, and prints what it read.
What that does not know it leaves out, so that what is printed is what was answered only if it was in SES's shape."""

import json
import sys

from datetime import datetime, timezone

import botocore.session

session = botocore.session.get_session()


def client_of(service):
    return session.create_client(
        service,
        region_name="eu-central-1",
        endpoint_url=sys.argv[1],
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="secret",
    )


def rates(protocol):
    """The rates by a protocol of CloudWatch's: the model names several, and botocore takes the one that it likes best."""
    model = session.get_component("data_loader").load_service_model("cloudwatch", "service-2")
    model["metadata"]["protocols"] = [protocol]
    cloudwatch = client_of("cloudwatch")
    if cloudwatch.meta.service_model.resolved_protocol != protocol:
        raise SystemExit(f"botocore speaks no {protocol}")

    def query(name, metric):
        of = {"Namespace": "AWS/SES", "MetricName": metric}
        return {"Id": name, "MetricStat": {"Metric": of, "Period": 3600, "Stat": "Average"}, "ReturnData": True}

    return cloudwatch.get_metric_data(
        MetricDataQueries=[
            query("bounces", "Reputation.BounceRate"),
            query("complaints", "Reputation.ComplaintRate"),
        ],
        StartTime=datetime(2026, 11, 1, tzinfo=timezone.utc),
        EndTime=datetime(2026, 11, 14, tzinfo=timezone.utc),
        ScanBy="TimestampDescending",
    )


client = client_of("sesv2")
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
    rates("json"),
    rates("smithy-rpc-v2-cbor"),
]
for answer in read:
    del answer["ResponseMetadata"]
# Times are moments there, and numbers in the answer.
print(json.dumps(read, default=lambda at: int(at.timestamp())))
