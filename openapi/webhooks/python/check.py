"""Verifies the sample delivery, and refuses it once anything of it has changed."""

import base64
import datetime
import json
import pathlib

import standardwebhooks.webhooks as library
from verify import verify

sample = json.loads(pathlib.Path("../delivery.json").read_text())
secret, headers, body = sample["secret"], sample["headers"], sample["body"].encode()
sent = datetime.datetime.fromtimestamp(int(headers["webhook-timestamp"]), datetime.timezone.utc)


def at(instant: datetime.datetime) -> None:
    """Sets the library's clock."""

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return instant

    library.datetime = Clock


def refused(secret: str, headers: dict[str, str], body: bytes) -> None:
    try:
        verify(secret, headers, body)
    except library.WebhookVerificationError:
        return
    raise AssertionError("it was accepted")


at(sent + datetime.timedelta(seconds=2))
for known in (secret, sample["previous_secret"]):
    assert verify(known, headers, body)["type"] == "booking.rescheduled"
refused("whsec_" + base64.b64encode(bytes(32)).decode(), headers, body)
refused(secret, headers, body.replace(b"confirmed", b"cancelled"))
refused(secret, {**headers, "webhook-id": "evt_1290"}, body)
at(sent + datetime.timedelta(minutes=6))
refused(secret, headers, body)
