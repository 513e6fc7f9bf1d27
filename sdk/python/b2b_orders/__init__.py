"""Client of the B2B order-management system: one key, one order, however often a call is retried."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from ._calls import Answer as Answer
from ._calls import B2BError as B2BError
from ._calls import check_function, next_position
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

    def follow_events(
        self, after: int, types: str | Unset = UNSET, on_position: Callable[[int], object] | None = None
    ) -> Iterator[FeedEvent]:
        """
        Iterates over the events after a position, and waits for new events. Store `event.position` with the result of your work on the
        event, and begin again after the last stored position. When the service does not answer, the iterator tries again. B2BError with
        the code `events_expired` says that events after the position were deleted: make your copy anew from the exports, and go on from
        the smallest `X-Event-Position` of their answers. The exports of this class yield only rows: read this header in an event hook of
        your `http` client, `httpx.Client(event_hooks={"response": [note]})`.

        on_position is called with each position up to which all events have been read, even if none of them was yielded. Store this
        position, too, when you ask for rare types or the token is a partner's: otherwise the position of your last event may be so old,
        when you begin again, that events after it were deleted.
        """
        check_function("follow_events: on_position", on_position)
        while True:
            try:
                page = self.list_events(after=after, types=types, limit=1000, wait="20s")
            except B2BError as e:
                if not e.retryable:
                    raise
                self._sleep(1)
                continue
            position = next_position(page, after)
            yield from page.data
            if position != after:
                after = position
                if on_position:
                    on_position(after)


class AsyncB2B(AsyncCalls):
    """B2B for asyncio and trio: the same methods, to be awaited."""

    async def follow_events(
        self,
        after: int,
        types: str | Unset = UNSET,
        on_position: Callable[[int], object | Awaitable[object]] | None = None,
    ) -> AsyncIterator[FeedEvent]:
        """As B2B.follow_events; on_position may be asynchronous."""
        check_function("follow_events: on_position", on_position)
        while True:
            try:
                page = await self.list_events(after=after, types=types, limit=1000, wait="20s")
            except B2BError as e:
                if not e.retryable:
                    raise
                await self._sleep(1)
                continue
            position = next_position(page, after)
            for event in page.data:
                yield event
            if position != after:
                after = position
                told = on_position(after) if on_position else None
                if inspect.isawaitable(told):
                    await told
