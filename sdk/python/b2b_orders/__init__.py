"""Client of the B2B order-management system: one key, one order, however often a call is retried."""

from collections.abc import AsyncIterator, Iterator

from ._calls import Answer as Answer
from ._calls import B2BError as B2BError
from ._events import typed_event as typed_event
from ._webhooks import WebhookError as WebhookError
from ._webhooks import verify_webhook as verify_webhook
from .generated.calls import AsyncCalls, Calls
from .generated.models import *
from .generated.types import UNSET as UNSET
from .generated.types import Unset as Unset


class B2B(Calls):
    """
    The services. Each operation of their documents is a method, which takes its parameters and the fields of its body:
    `b2b.cancel_order(5, reason="a typo")`. It returns the Answer or raises B2BError. `iter_orders` and its likes go through all pages.

    A read, and a write that has an idempotency key, is tried again after a connection error, the time-out of a try, 429, 502, 503
    and 504, as long as the deadline allows. A write without a key is sent once. Safe for use by several threads.
    """

    def follow_events(self, after: int, types: str | Unset = UNSET) -> Iterator[FeedEvent]:
        """
        Goes through the events after a position, and waits for new ones. Store `event.position` with what you made of the event, and
        begin again after the last. A service that does not answer ends nothing. B2BError with the code `events_expired` says that
        events after the position were deleted: make your copy anew by the exports, and go on from the position that they name.
        """
        while True:
            try:
                page = self.list_events(after=after, types=types, limit=1000, wait="20s")
            except B2BError as e:
                if not e.retryable:
                    raise
                self._sleep(1)
                continue
            yield from page.data
            assert page.next_after is not None
            after = page.next_after


class AsyncB2B(AsyncCalls):
    """B2B for asyncio and trio: the same methods, to be awaited."""

    async def follow_events(self, after: int, types: str | Unset = UNSET) -> AsyncIterator[FeedEvent]:
        """As B2B.follow_events."""
        while True:
            try:
                page = await self.list_events(after=after, types=types, limit=1000, wait="20s")
            except B2BError as e:
                if not e.retryable:
                    raise
                await self._sleep(1)
                continue
            for event in page.data:
                yield event
            assert page.next_after is not None
            after = page.next_after
