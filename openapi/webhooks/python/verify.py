from typing import Any, Mapping

from standardwebhooks import Webhook


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> Any:
    """The event of a request; raises if it is not signed with the secret or is older than five minutes."""
    return Webhook(secret).verify(body, dict(headers))
