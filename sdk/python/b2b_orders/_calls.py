"""What a generator cannot know: the token, keys, tries, the deadline, errors, pages."""

from __future__ import annotations

import copyreg
import datetime
import inspect
import json
import random
import re
import time
import types
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from itertools import islice
from typing import Any, Generic, NoReturn, Protocol, Self, TypeVar, Union, get_args, get_origin, get_type_hints

import anyio
import attrs
import httpx

from .generated import models
from .generated.models import ApiErrorDetail, ImportLine, ImportSummary
from .generated.types import UNSET, Unset

T = TypeVar("T")

PASSING = {429, 502, 503, 504}
"""What may be over in a moment."""

NOT_DONE = {408, 429}
"""What says that nothing was done."""

LONGEST = 2_000_000.0
"""More seconds than anybody waits, and fewer than a socket or a sleep refuses."""


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a service answered."""

    data: T
    """The `data` of the envelope; of a list, its page."""

    next_cursor: int | None
    """Of a list: what to pass as `cursor` for the next page; None on the last one."""

    next_after: int | None
    """Of the feed: what to pass as `after` to go on; None elsewhere."""

    headers: httpx.Headers
    """Among them `ETag`, `Idempotency-Replayed` and `X-Correlation-Id`."""

    idempotency_key: str | None
    """The key that the call was made with; None when the operation takes none."""

    correlation_id: str
    """Names the call in the logs of every service."""


class B2BError(Exception):
    """Why a call failed: a service refused it, or none answered."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int,
        details: list[ApiErrorDetail],
        correlation_id: str,
        retryable: bool,
        idempotency_key: str | None,
    ) -> None:
        super().__init__("; ".join([f"{message} ({code})", *(f"{detail.field} {detail.message}" for detail in details)]))
        self.code = code
        """For your program; see the service's list of error codes. `no_answer` when no answer came, `not_modified` for a 304,
        `unexpected_answer` when an answer is not one of the document: somebody else's, or a success that cannot be read."""
        self.status = status
        """The HTTP status; 0 when no answer came."""
        self.details = details
        """Which field is wrong, and what is wrong with it."""
        self.correlation_id = correlation_id
        """Names the call in the logs of every service."""
        self.retryable = retryable
        """Whether the same call, with `idempotency_key` when it has one, may succeed later and can do nothing twice."""
        self.idempotency_key = idempotency_key
        """The key that the call was made with, to repeat it or to ask what became of it; None when the operation takes none."""

    def __reduce__(self) -> tuple[object, ...]:
        """Makes a copy without __init__, whose arguments Exception does not keep: a pool of processes pickles what was raised."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


copyreg.pickle(Unset, lambda _: "UNSET")  # a copy of a detail has the same UNSET, which is compared by `is`


@dataclass(frozen=True)
class Reply:
    status: int
    headers: httpx.Headers
    content: bytes


class Model(Protocol):
    """A generated model."""

    @classmethod
    def from_dict(cls, src_dict: Any) -> Any: ...


M = TypeVar("M", bound=Model)


def model_of(model: type[M], value: M | Mapping[str, Any] | None | Unset) -> Any:
    """Returns a model for a mapping, and anything else as it is. Raises TypeError for names that the model does not have."""
    if not isinstance(value, Mapping) or isinstance(value, model):
        return value
    return model(**value) if attrs.has(model) else model.from_dict(value)


def models_of(model: type[M], values: Iterable[M | Mapping[str, Any]]) -> list[M]:
    return [model_of(model, value) for value in values]


def moment(value: str | datetime.date | Unset) -> str | Unset:
    """Returns a date or time as a query has it. Raises ValueError for a time without a zone."""
    if isinstance(value, datetime.datetime) and value.utcoffset() is None:
        raise ValueError(f"{value!r} has no zone: datetime.now(timezone.utc) has one")
    return value.isoformat() if isinstance(value, datetime.date) else value


def check_function(name: str, value: object) -> None:
    """Raises TypeError for what is given as a function and is none. Without this check, the error would come after a request."""
    if value is not None and not callable(value):
        raise TypeError(f"{name} cannot be {value!r}: it must be a function")


def new_key() -> str:
    return uuid.uuid4().hex


class _Call:
    """One call: makes each request, decides after each try, reads the answer. It sends nothing and does not wait."""

    def __init__(
        self,
        services: _Services,
        name: str,
        service: str,
        request: dict[str, Any],
        key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> None:
        for parameter, value in request.get("params", {}).items():
            if value is None:  # without it, the answer would be everything
                raise TypeError(f"{name}: {parameter} cannot be None; UNSET leaves it out")
        self.services, self.name, self.key = services, name, key
        self.correlation_id = correlation_id or new_key()
        self.may_repeat = request["method"] == "get" or key is not None
        self.base = services.bases[service]
        if not self.base.lower().startswith(("http://", "https://")):
            raise ValueError(f"{name}: {service} is {self.base!r}; it must be an address such as https://orders.example.com")
        self.request = request | {
            "url": self.base + request["url"],
            "headers": request.get("headers", {}) | {"X-Correlation-Id": self.correlation_id},
        }
        self.ends = services.now() + (services.deadline if deadline is None else deadline)
        self.tried = 0

    def next_try(self, token: str | None) -> dict[str, Any]:
        """Returns the request, for httpx."""
        if token is not None:
            value = f"Bearer {token}".strip()  # a file ends with a line end
            if not (value.isascii() and value.isprintable()):
                raise self.no_token("it has characters that no header may have")
            self.request["headers"]["Authorization"] = value
        left = max(0.001, self.ends - self.services.now())
        return self.request | {"timeout": min(self.services.try_timeout, left, LONGEST)}

    def no_token(self, why: str) -> B2BError:
        """Returns the error of a call without a token. An earlier try may have done the work."""
        return self._error("no_answer", f"no token: {why}", 0)

    def wait(self, outcome: Reply | Exception) -> float | None:
        """Returns the seconds until the next try; None when the outcome stands: another try would not change it, must not be, or
        would begin after the deadline."""
        if not self.may_repeat or (isinstance(outcome, Reply) and outcome.status not in PASSING):
            return None
        self.tried += 1
        wait = _retry_after(outcome) + random.uniform(0, min(5, 0.1 * 2 ** min(self.tried, 10)))
        return min(wait, LONGEST) if self.services.now() + wait < self.ends else None

    def answer(self, outcome: Reply | Exception, status: int, envelope: type[Model]) -> Answer[Any]:
        """Returns the answer of a success, whose status is given, or raises B2BError."""
        if isinstance(outcome, Exception) or outcome.status != status:
            self.fail(outcome)
        try:
            if _media_type(outcome.headers) != "application/json":
                raise ValueError("its content type is not application/json")
            body = _json(outcome.content)
            if body.get("success") is not True:
                self.fail(outcome)
            read = _read(envelope, body)
        except ValueError as e:
            self.fail(outcome, e)
        meta = getattr(read, "meta", None)
        correlation_id = outcome.headers.get("X-Correlation-Id") or self.correlation_id
        return Answer(
            getattr(read, "data", None),
            getattr(meta, "next_cursor", None),
            getattr(meta, "next_after", None),
            outcome.headers,
            self.key,
            correlation_id,
        )

    def fail(self, outcome: Reply | Exception, unread: ValueError | None = None) -> NoReturn:
        """Raises B2BError for what is no success; unread says why a success cannot be read."""
        if isinstance(outcome, Exception):
            raise self._error("no_answer", f"no answer from {self.base}: {outcome!r}", 0) from outcome
        said = outcome.headers.get("X-Correlation-Id")
        if unread:
            raise self._error("unexpected_answer", f"the success cannot be read: {unread}", outcome.status, None, said) from unread
        if outcome.status == 304:
            raise self._error("not_modified", "it has not changed", 304, None, said)
        try:
            body = _json(outcome.content)
        except ValueError:
            body = {}
        code, text = body.get("code"), body.get("error")
        if not isinstance(code, str) or not code:
            raise self._error("unexpected_answer", f"HTTP status {outcome.status} from somebody else", outcome.status, None, said)
        in_body = body.get("correlationId")
        raise self._error(
            code,
            text if isinstance(text, str) else f"HTTP status {outcome.status}",
            outcome.status,
            _details(body.get("details")),
            said or (in_body if isinstance(in_body, str) else None),
        )

    def _error(
        self, code: str, message: str, status: int, details: list[ApiErrorDetail] | None = None, correlation_id: str | None = None
    ) -> B2BError:
        again = status in NOT_DONE or (self.may_repeat and (status in {0, 500} or status in PASSING))
        return B2BError(
            f"{self.name}: {message}",
            code=code,
            status=status,
            details=details or [],
            correlation_id=correlation_id or self.correlation_id,
            retryable=again,
            idempotency_key=self.key,
        )


class _Lines:
    """Reads an answer of one JSON object a line, as its parts arrive."""

    def __init__(self, call: _Call, model: type[Model], headers: httpx.Headers) -> None:
        self.call, self.model, self.reply = call, model, Reply(200, headers, b"")
        self.part: list[bytes] = []

    @staticmethod
    def in_answer(status: int, headers: httpx.Headers) -> bool:
        return status == 200 and _media_type(headers) == "application/x-ndjson"

    def feed(self, content: bytes) -> Iterator[Any]:
        if b"\n" not in content:
            self.part.append(content)
            return
        *whole, rest = b"".join([*self.part, content]).split(b"\n")
        self.part = [rest]
        for line in whole:
            try:
                yield _read(self.model, _json(line))
            except ValueError as e:
                self.call.fail(self.reply, e)

    def end(self) -> None:
        if any(self.part):
            self.call.fail(self.reply, ValueError("its last line is cut"))


class _Import:
    """Writes the caller's rows, one JSON object a line, and gives each answer's line back with its row."""

    def __init__(self, call: _Call, rows: Iterable[Any], on_row: Callable[[Any, ImportLine], object] | None) -> None:
        check_function(f"{call.name}: on_row", on_row)
        self.call, self.rows, self.on_row = call, iter(rows), on_row
        self.sent: list[Any] = []
        self.summary: ImportSummary | None = None
        self.theirs = False  # rows or on_row run, whose errors are the caller's

    def body(self) -> Iterator[bytes]:
        while part := self.part():
            yield part

    def part(self) -> bytes:
        """Returns the lines of the next rows; none after the last."""
        self.theirs = True
        rows = list(islice(self.rows, 250))
        self.sent += rows
        part = b"".join(json.dumps(dict(row) if isinstance(row, Mapping) else row.to_dict()).encode() + b"\n" for row in rows)
        self.theirs = False
        return part

    async def async_body(self) -> AsyncIterator[bytes]:
        for part in self.body():
            yield part

    def take(self, lines: Iterable[ImportLine]) -> Iterator[object]:
        """Reads lines, and yields what on_row returns for each row, for the caller to await."""
        for line in lines:
            if isinstance(line.summary, ImportSummary):
                self.summary = line.summary
            elif self.on_row and isinstance(line.row, int) and 0 < line.row <= len(self.sent):
                self.theirs = True
                yield self.on_row(self.sent[line.row - 1], line)
                self.theirs = False

    def end(self, lines: _Lines) -> ImportSummary:
        lines.end()
        if self.summary is None:
            self.call.fail(lines.reply, ValueError("it has no summary: repeat the call, what is done already is unchanged"))
        if not self.summary.complete:
            refusal = {"code": self.summary.code or "unexpected_answer", "error": self.summary.error or "not all rows were read"}
            self.call.fail(Reply(200, lines.reply.headers, json.dumps(refusal).encode()))
        return self.summary


@dataclass(frozen=True)
class _Services:
    bases: dict[str, str]
    deadline: float
    try_timeout: float
    now: Callable[[], float]


class Caller:
    """See B2B."""

    def __init__(
        self,
        *,
        customers: str = "",
        orders: str = "",
        orchestrator: str = "",
        events: str = "",
        token: str | Callable[[], str] | None = None,
        deadline: float = 60,
        try_timeout: float = 30,
        http: httpx.Client | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        customers, orders, orchestrator, events: where the services are, such as `https://orders.example.com`. `events` is for
            who follows events or manages webhooks. A call of a service whose address is left out raises ValueError.
        token: what `Authorization: Bearer` carries; a function is asked before every try. When it raises, the
            call ends with B2BError, `no_answer`.
        deadline: how long a call may take with all its tries, in seconds.
        try_timeout: how long one try may take, in seconds; longer than the services themselves allow. This
            client looks at it between the parts of an answer. Before that, it limits each step alone: to
            connect to each address of the host, to send, and each wait for a part. So a try, and with it the
            deadline, may take some times as long when the network fails; AsyncB2B ends a try in time. Imports
            and exports are limited in this way by both clients.
        http: what sends; for proxies and certificates of your own.
        now, sleep: for tests.
        """
        given = {"customers": customers, "orders": orders, "events": events, "orchestrator": orchestrator}
        bases = {name: (base or "").rstrip("/") for name, base in given.items()}
        self._services = _Services(bases, deadline, try_timeout, now)
        self._token, self._sleep = token, sleep
        self._http = http or httpx.Client()

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(
        self,
        name: str,
        service: str,
        request: dict[str, Any],
        status: int,
        envelope: type[Model],
        key: str | None,
        correlation_id: str | None,
        deadline: float | None,
    ) -> Answer[Any]:
        call = _Call(self._services, name, service, request, key, correlation_id, deadline)
        while True:
            outcome: Reply | Exception
            try:
                outcome = self._send(self._next_try(call))
            except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
                raise  # a mistake of the caller's
            except httpx.RequestError as e:
                outcome = e
            wait = call.wait(outcome)
            if wait is None:
                return call.answer(outcome, status, envelope)
            self._sleep(wait)

    def _next_try(self, call: _Call) -> dict[str, Any]:
        try:
            token = self._token() if callable(self._token) else self._token
        except Exception as e:
            raise call.no_token(repr(e)) from e
        return call.next_try(token)

    def _send(self, request: dict[str, Any]) -> Reply:
        ends = time.monotonic() + request["timeout"]  # httpx's own limit is for each read
        with self._http.stream(**request) as response:
            content = b""
            for chunk in response.iter_bytes():
                content += chunk
                if time.monotonic() > ends:
                    raise httpx.ReadTimeout("the answer did not arrive in time")
            return Reply(response.status_code, response.headers, content)

    def _pages(self, name: str, page: Callable[[int | Unset], Answer[list[T]]]) -> Iterator[T]:
        cursors: set[int | Unset] = set()
        cursor: int | Unset | None = UNSET
        while cursor is not None:
            cursors.add(cursor)
            answer = page(cursor)
            yield from answer.data
            cursor = _after(name, answer, cursors)

    def _export(
        self, name: str, service: str, request: dict[str, Any], model: type[Model], correlation_id: str | None, deadline: float | None
    ) -> Iterator[Any]:
        call = _Call(self._services, name, service, request, None, correlation_id, deadline)
        while True:
            outcome: Reply | Exception
            lines: _Lines | None = None
            try:
                with self._http.stream(**self._next_try(call)) as response:
                    if _Lines.in_answer(response.status_code, response.headers):
                        lines = _Lines(call, model, response.headers)
                        for part in response.iter_bytes():
                            yield from lines.feed(part)
                        lines.end()
                        return
                    outcome = Reply(response.status_code, response.headers, response.read())
            except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
                raise  # a mistake of the caller's
            except httpx.RequestError as e:
                if lines:
                    call.fail(e)
                outcome = e
            wait = call.wait(outcome)
            if wait is None:
                call.fail(outcome)
            self._sleep(wait)

    def _import(
        self,
        name: str,
        service: str,
        request: dict[str, Any],
        rows: Iterable[Any],
        on_row: Callable[[Any, ImportLine], object] | None,
        correlation_id: str | None,
    ) -> ImportSummary:
        call = _Call(self._services, name, service, request, None, correlation_id)
        sending = _Import(call, rows, on_row)
        call.request |= {"content": sending.body()}
        call.request["headers"]["Content-Type"] = "application/x-ndjson"
        try:
            with self._http.stream(**self._next_try(call)) as response:
                if not _Lines.in_answer(response.status_code, response.headers):
                    call.fail(Reply(response.status_code, response.headers, response.read()))
                lines = _Lines(call, ImportLine, response.headers)
                for part in response.iter_bytes():
                    for _ in sending.take(lines.feed(part)):
                        pass
                return sending.end(lines)
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
            raise  # a mistake of the caller's
        except httpx.RequestError as e:
            if sending.theirs:
                raise
            call.fail(e)


class AsyncCaller:
    """See AsyncB2B."""

    def __init__(
        self,
        *,
        customers: str = "",
        orders: str = "",
        orchestrator: str = "",
        events: str = "",
        token: str | Callable[[], str | Awaitable[str]] | None = None,
        deadline: float = 60,
        try_timeout: float = 30,
        http: httpx.AsyncClient | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        """As that of B2B; the token's function may be asynchronous."""
        given = {"customers": customers, "orders": orders, "events": events, "orchestrator": orchestrator}
        bases = {name: (base or "").rstrip("/") for name, base in given.items()}
        self._services = _Services(bases, deadline, try_timeout, now)
        self._token, self._sleep = token, sleep
        self._http = http or httpx.AsyncClient()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _call(
        self,
        name: str,
        service: str,
        request: dict[str, Any],
        status: int,
        envelope: type[Model],
        key: str | None,
        correlation_id: str | None,
        deadline: float | None,
    ) -> Answer[Any]:
        call = _Call(self._services, name, service, request, key, correlation_id, deadline)
        while True:
            outcome: Reply | Exception
            try:
                outcome = await self._send(await self._next_try(call))
            except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
                raise  # a mistake of the caller's
            except (httpx.RequestError, TimeoutError) as e:
                outcome = e
            wait = call.wait(outcome)
            if wait is None:
                return call.answer(outcome, status, envelope)
            await self._sleep(wait)

    async def _next_try(self, call: _Call) -> dict[str, Any]:
        try:
            token = self._token() if callable(self._token) else self._token
            if inspect.isawaitable(token):
                token = await token
        except Exception as e:
            raise call.no_token(repr(e)) from e
        return call.next_try(token)

    async def _send(self, request: dict[str, Any]) -> Reply:
        with anyio.fail_after(request["timeout"]):
            response = await self._http.request(**request)
            return Reply(response.status_code, response.headers, response.content)

    async def _pages(self, name: str, page: Callable[[int | Unset], Awaitable[Answer[list[T]]]]) -> AsyncIterator[T]:
        cursors: set[int | Unset] = set()
        cursor: int | Unset | None = UNSET
        while cursor is not None:
            cursors.add(cursor)
            answer = await page(cursor)
            for thing in answer.data:
                yield thing
            cursor = _after(name, answer, cursors)

    async def _export(
        self, name: str, service: str, request: dict[str, Any], model: type[Model], correlation_id: str | None, deadline: float | None
    ) -> AsyncIterator[Any]:
        call = _Call(self._services, name, service, request, None, correlation_id, deadline)
        while True:
            outcome: Reply | Exception
            lines: _Lines | None = None
            try:
                async with self._http.stream(**await self._next_try(call)) as response:
                    if _Lines.in_answer(response.status_code, response.headers):
                        lines = _Lines(call, model, response.headers)
                        async for part in response.aiter_bytes():
                            for thing in lines.feed(part):
                                yield thing
                        lines.end()
                        return
                    outcome = Reply(response.status_code, response.headers, await response.aread())
            except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
                raise  # a mistake of the caller's
            except httpx.RequestError as e:
                if lines:
                    call.fail(e)
                outcome = e
            wait = call.wait(outcome)
            if wait is None:
                call.fail(outcome)
            await self._sleep(wait)

    async def _import(
        self,
        name: str,
        service: str,
        request: dict[str, Any],
        rows: Iterable[Any],
        on_row: Callable[[Any, ImportLine], object | Awaitable[object]] | None,
        correlation_id: str | None,
    ) -> ImportSummary:
        call = _Call(self._services, name, service, request, None, correlation_id)
        sending = _Import(call, rows, on_row)
        call.request |= {"content": sending.async_body()}
        call.request["headers"]["Content-Type"] = "application/x-ndjson"
        try:
            async with self._http.stream(**await self._next_try(call)) as response:
                if not _Lines.in_answer(response.status_code, response.headers):
                    call.fail(Reply(response.status_code, response.headers, await response.aread()))
                lines = _Lines(call, ImportLine, response.headers)
                async for part in response.aiter_bytes():
                    for told in sending.take(lines.feed(part)):
                        if inspect.isawaitable(told):
                            await told
                return sending.end(lines)
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
            raise  # a mistake of the caller's
        except httpx.RequestError as e:
            if sending.theirs:
                raise
            call.fail(e)


def _after(name: str, answer: Answer[Any], cursors: set[int | Unset]) -> int | None:
    """Returns the next page's cursor. Raises B2BError when it was there already, as the pages would never end."""
    if answer.next_cursor in cursors:
        raise _endless(f"{name}: the cursor {answer.next_cursor} repeats", answer)
    return answer.next_cursor


def next_position(page: Answer[list[Any]], after: int) -> int:
    """Returns the position after a page of the feed. Raises B2BError when the page would come again, as the events would never end."""
    position = page.next_after
    assert position is not None
    if position < after or (position == after and page.data):
        raise _endless(f"list_events: next_after is {position} after {after}", page)
    return position


def _endless(message: str, answer: Answer[Any]) -> B2BError:
    """Returns the error of an answer that would make an iteration endless."""
    return B2BError(
        message,
        code="unexpected_answer",
        status=200,
        details=[],
        correlation_id=answer.correlation_id,
        retryable=False,
        idempotency_key=None,
    )


def _media_type(headers: httpx.Headers) -> str:
    return str(headers.get("Content-Type", "")).split(";")[0].strip().lower()


def _json(content: bytes) -> dict[str, Any]:
    """Returns the object. Raises ValueError when the content is none."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no JSON")

    try:
        body = json.loads(content.decode(), parse_constant=refuse)
    except RecursionError as e:
        raise ValueError("it is too deep") from e
    if not isinstance(body, dict):
        raise ValueError("it is no object")  # noqa: TRY004
    return body


def _read(model: type[M], body: dict[str, Any]) -> Any:
    """Returns the model. Raises ValueError when the body is not of its shape."""
    try:
        read = model.from_dict(body)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as e:
        raise ValueError(f"it is no {model.__name__}") from e
    if not _fits(read, model) or not _alike(read.to_dict(), body):
        raise ValueError(f"it is no {model.__name__}")
    return read


def _alike(read: object, body: object) -> bool:
    """Reports whether lists and objects are where they were; the generated code takes an empty object for an empty list."""
    if isinstance(body, dict):
        return isinstance(read, dict) and all(_alike(read[name], value) for name, value in body.items())
    if isinstance(body, list):
        return isinstance(read, list) and all(map(_alike, read, body))
    return not isinstance(read, dict | list)


def _fits(value: object, kind: Any) -> bool:
    """Reports whether a value is of the type that an annotation says. The generated models look at few types."""
    arguments = get_args(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_fits(v, arguments[0]) for v in value)
    if kind is Any or get_origin(kind) is not None:  # additional_properties; the values of a Literal are checked by the generated code
        return True
    if kind is int:
        return type(value) is int and abs(value) < 2**63
    if attrs.has(kind):
        return isinstance(value, kind) and all(_fits(getattr(value, name), of) for name, of in _annotations(kind).items())
    if isinstance(value, dict) and isinstance(value, kind):
        return all(_fits(v, get_args(kind.__orig_bases__[0])[1]) for v in value.values())
    return isinstance(value, kind)


@cache
def _annotations(model: type) -> dict[str, Any]:
    return get_type_hints(model, localns=vars(models))


def _details(details: object) -> list[ApiErrorDetail]:
    """Returns those that are of the document's shape."""
    read = []
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict):
            try:
                read.append(_read(ApiErrorDetail, {k: v for k, v in detail.items() if k != "params" or v is not None}))
            except ValueError:
                continue
    return read


def _retry_after(outcome: Reply | Exception) -> float:
    """Returns the seconds that an answer asks to wait."""
    value = outcome.headers.get("Retry-After", "") if isinstance(outcome, Reply) else ""
    if re.fullmatch(r"[0-9]+", value):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):  # it is no date, or none that there is
        return 0.0
