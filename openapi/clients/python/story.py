"""From an account to a cancelled booking, with openapi-python-client. LIVE_URL names the api."""

import os
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeVar

from punctual_client import AuthenticatedClient, Client
from punctual_client.api.auth import login, register
from punctual_client.api.bookings import (
    cancel_booking,
    create_booking,
    get_booking,
    list_bookings,
    reschedule_booking,
)
from punctual_client.api.catalogue import list_services
from punctual_client.api.me import get_me
from punctual_client.api.slots import list_slots
from punctual_client.models import (
    Booking,
    BookingRequest,
    Credentials,
    Problem,
    Registration,
    RescheduleRequest,
)
from punctual_client.types import UNSET, Response, Unset

T = TypeVar("T")


def ok(answer: T | Problem | None) -> T:
    """What was answered; a problem is raised."""
    assert answer is not None
    if isinstance(answer, Problem):
        raise AssertionError(f"{answer.code}: {answer.detail}")
    return answer


def problem(answer: object) -> Problem:
    """The problem of an answer that is none of the successes."""
    assert isinstance(answer, Problem), f"a problem was expected, not {answer!r}"
    return answer


def step(text: str) -> None:
    print(f"  {text}")


url = os.environ["LIVE_URL"]
guest = Client(base_url=url)

# register and log in
email, password = f"ada-{uuid.uuid4()}@example.org", "correct horse battery staple"
account = ok(register.sync(client=guest, body=Registration(email=email, password=password, name="Ada Lovelace")))
wrong = problem(login.sync(client=guest, body=Credentials(email=email, password="not the password")))
assert wrong.code == "invalid_credentials"
session = ok(login.sync(client=guest, body=Credentials(email=email, password=password)))
api = AuthenticatedClient(base_url=url, token=session.access_token)
assert ok(get_me.sync(client=api)).id == account.id
step(f"registered as a {session.role}")

# free slots of the next week
service = ok(list_services.sync(client=api)).data[0]
tomorrow = date.today() + timedelta(days=1)
listed = ok(list_slots.sync(client=api, service_id=service.id, from_=tomorrow, to=tomorrow + timedelta(days=6)))
slots = [slot for day in listed.days for slot in day.slots]
first, second = slots[0], slots[4]
step(f"{len(slots)} free slots, the first at {first.start}")

# book: the same key and body again give the same answer
wish = BookingRequest(service_id=service.id, start=first.start, staff_id=first.staff_ids[0])


def book(key: str) -> Response[Booking | Problem]:
    return create_booking.sync_detailed(client=api, body=wish, idempotency_key=key)


key = str(uuid.uuid4())
booking = ok(book(key).parsed)
assert booking.status == "confirmed"
again = book(key)
assert ok(again.parsed).id == booking.id
assert again.headers["Idempotency-Replayed"] == "true"
step(f"booked {booking.service.name} with {booking.staff.name}")

# conflict: the slot is taken, others are offered
taken = problem(book(str(uuid.uuid4())).parsed)
assert taken.code == "slot_taken"
assert not isinstance(taken.alternatives, Unset) and len(taken.alternatives) == 3
step(f"taken; free instead: {', '.join(str(slot.start) for slot in taken.alternatives)}")


# move, based on the revision that was read
def move(rev: int) -> Booking | Problem | None:
    body = RescheduleRequest(start=second.start)
    return reschedule_booking.sync(booking.id, client=api, body=body, if_match=f'"{rev}"')


moved = ok(move(booking.rev))
assert moved.start == second.start
assert problem(move(booking.rev)).code == "precondition_failed"
step(f"moved to {moved.start}, revision {moved.rev}")

# cancel
cancelled = ok(cancel_booking.sync(booking.id, client=api, if_match=f'"{moved.rev}"'))
assert cancelled.status == "cancelled"
step("cancelled")

# list, a page at a time
ok(book(str(uuid.uuid4())).parsed)
ids: set[uuid.UUID] = set()
cursor = None
while True:
    page = ok(list_bookings.sync(client=api, limit=1, cursor=cursor or UNSET))
    ids.update(booking.id for booking in page.data)
    if isinstance(page.next_cursor, Unset):
        break
    cursor = page.next_cursor
assert len(ids) == 2
step("listed 2 bookings on 2 pages")

# errors are typed values
bad = problem(register.sync(client=guest, body=Registration(email="nobody", password="short", name="")))
assert bad.code == "invalid_request" and not isinstance(bad.errors, Unset)
assert sorted(fault.pointer for fault in bad.errors) == ["/email", "/name", "/password"]
absent = problem(get_booking.sync(uuid.uuid4(), client=api))
assert absent.code == "not_found"
step(f"errors: {', '.join(f'{fault.pointer} {fault.code}' for fault in bad.errors)}; {absent.code}")
