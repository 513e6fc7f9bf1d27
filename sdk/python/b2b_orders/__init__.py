"""Client of the B2B order-management system: one key, one order, however often a call is retried."""

from ._calls import Answer as Answer
from ._calls import B2BError as B2BError
from .generated.calls import AsyncCalls, Calls
from .generated.models import *
from .generated.types import UNSET as UNSET
from .generated.types import Unset as Unset


class B2B(Calls):
    """
    The three services. Each operation of their documents is a method, which takes its parameters and the fields of its body:
    `b2b.cancel_order(5, reason="a typo")`. It returns the Answer or raises B2BError. `iter_orders` and its likes go through all pages.

    A read, and a write that has an idempotency key, is tried again after a connection error, the time-out of a try, 429, 502, 503
    and 504, as long as the deadline allows. A write without a key is sent once. Safe for use by several threads.
    """


class AsyncB2B(AsyncCalls):
    """B2B for asyncio and trio: the same methods, to be awaited."""
