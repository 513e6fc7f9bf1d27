"""Runs the installed SDK, both its clients, against the program that B2B names, through proxies that lose answers."""

import base64
import contextlib
import copy
import email.utils
import hmac
import json
import math
import multiprocessing
import os
import pickle
import re
import subprocess
import sys
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from importlib.resources import files
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.from_thread
import anyio.lowlevel
import httpx
import pytest
from proxy import Planned, Proxy

from b2b_orders import (
    B2B,
    UNSET,
    AsyncB2B,
    B2BError,
    CustomerEvent,
    OrderEvent,
    OrderItemRequest,
    ProductImportRow,
    WebhookError,
    typed_event,
    verify_webhook,
)
from b2b_orders._calls import Reply, _Call, _Services


@pytest.fixture(scope="session")
def addresses(tmp_path_factory):
    ports = re.findall(r"^# port of the .*\n(\w+)=", Path(".env.example").read_text(), re.MULTILINE)
    environment = dict.fromkeys(ports, "0")
    program = subprocess.Popen(
        [os.environ["B2B"]],
        cwd=tmp_path_factory.mktemp("b2b"),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    found = []
    for line in program.stdout:
        if address := re.match(r"(?:Customers API|Orders API|Events API|Orchestrator) +http://(\S+)", line):
            found.append(address[1])
        if line.startswith("Try:"):
            break
    yield dict(zip(("customers", "orders", "events", "orchestrator"), found, strict=True))
    program.terminate()
    program.stdout.close()
    program.wait()


@pytest.fixture(scope="session")
def all_proxies(addresses):
    proxies = {service: Proxy(address) for service, address in addresses.items()}
    yield SimpleNamespace(**proxies)
    for proxy in proxies.values():
        proxy.ended.set()
        proxy.shutdown()
        proxy.server_close()


@pytest.fixture
def proxies(all_proxies):
    for proxy in vars(all_proxies).values():
        proxy.plan, proxy.seen = [], []
    return all_proxies


class Clock:
    def __init__(self):
        self.waits = []

    def now(self):
        return sum(self.waits)

    def sleep(self, seconds):
        self.waits.append(seconds)

    async def async_sleep(self, seconds):
        self.waits.append(seconds)


class Blocking:
    """An AsyncB2B whose methods can be called from here."""

    def __init__(self, portal, **options):
        self.portal = portal
        self.client = portal.call(lambda: AsyncB2B(**options))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.portal.call(self.client.aclose)

    def __getattr__(self, name):
        method = getattr(self.client, name)

        async def call(args, kwargs):
            result = method(*args, **kwargs)
            return [thing async for thing in result] if name.startswith(("iter_", "export_")) else await result

        return lambda *args, **kwargs: self.portal.call(call, args, kwargs)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["sync", "asyncio"])
def make(request, proxies, clock):
    """Makes clients with further options."""
    bases = {service: proxy.base for service, proxy in vars(proxies).items()}
    with contextlib.ExitStack() as clients:
        if request.param == "sync":
            yield lambda **options: clients.enter_context(B2B(**bases | {"now": clock.now, "sleep": clock.sleep} | options))
        else:
            portal = clients.enter_context(anyio.from_thread.start_blocking_portal())
            yield lambda **options: clients.enter_context(
                Blocking(portal, **bases | {"now": clock.now, "sleep": clock.async_sleep} | options)
            )


@pytest.fixture
def b2b(make):
    return make()


made = count(1)


@pytest.fixture
def customer(b2b, proxies):
    id = b2b.create_customer(name="A Test", email=f"test-{next(made)}@example.com").data.id
    proxies.customers.seen.clear()
    return id


@pytest.fixture
def product(b2b, proxies):
    id = b2b.create_product(sku=f"TEST-{next(made)}", name="A test", price_cents=999_999_937, stock=100).data.id
    proxies.orders.seen.clear()
    return id


def line(product, qty=1):
    return [OrderItemRequest(product_id=product, qty=qty)]


def same(values):
    assert values[0] and len(set(values)) == 1, values


def keys(proxy):
    return [request.headers["X-Idempotency-Key"] for request in proxy.seen]


def orders_of(b2b, customer):
    return [(o.id, o.status) for o in b2b.iter_orders(customer_id=customer)]


def stock_of(b2b, product):
    return b2b.get_product(product).data.stock


def test_one_key_one_order(b2b, proxies, customer, product):
    proxies.orders.plan = ["close", "drop", Planned(503), "cut", "drop", Planned(502), "pass"]
    answer = b2b.create_order(customer_id=customer, items=line(product, 3))
    assert len(proxies.orders.seen) == 7
    same([*keys(proxies.orders), answer.idempotency_key])
    same([request.headers["X-Correlation-Id"] for request in proxies.orders.seen])
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert orders_of(b2b, customer) == [(answer.data.id, "CREATED")]
    assert stock_of(b2b, product) == 97


def test_two_calls_are_two_orders(b2b, customer, product):
    first, second = (b2b.create_order(customer_id=customer, items=line(product)) for _ in range(2))
    assert first.idempotency_key != second.idempotency_key
    assert len(orders_of(b2b, customer)) == 2


def test_create_and_confirm_cannot_order_twice(b2b, proxies, customer, product):
    proxies.orchestrator.plan = ["drop", "cut", Planned(504), "close", "pass"]
    answer = b2b.create_and_confirm_order(customer_id=customer, items=line(product, 2))
    assert len(proxies.orchestrator.seen) == 5
    same([*(json.loads(request.body)["idempotency_key"] for request in proxies.orchestrator.seen), answer.idempotency_key])
    assert orders_of(b2b, customer) == [(answer.data.order.id, "CONFIRMED")]
    assert stock_of(b2b, product) == 98


def test_confirm_cancel_and_adjust_keep_their_key(b2b, proxies, customer, product):
    order = b2b.create_order(customer_id=customer, items=line(product, 2)).data
    for call, field, value in (
        (lambda: b2b.confirm_order(order.id), "status", "CONFIRMED"),
        (lambda: b2b.cancel_order(order.id, reason="a test"), "status", "CANCELED"),
        (lambda: b2b.adjust_stock(product, delta=40, reason="a test"), "level", 140),
    ):
        proxies.orders.seen.clear()
        proxies.orders.plan = ["drop", "drop", "pass"]
        answer = call()
        assert getattr(answer.data, field) == value
        assert len(proxies.orders.seen) == 3
        same(keys(proxies.orders))
        assert answer.headers["Idempotency-Replayed"] == "true"
    assert stock_of(b2b, product) == 140


def test_what_became_of_a_call(b2b, proxies, customer, product):
    proxies.orders.plan = ["drop"] * 20
    with pytest.raises(B2BError) as lost:
        b2b.create_order(customer_id=customer, items=line(product), deadline=5)
    assert (lost.value.code, lost.value.status, lost.value.retryable) == ("no_answer", 0, True)
    proxies.orders.plan = []
    key = lost.value.idempotency_key
    report = b2b.get_idempotency_key(key).data
    repeated = b2b.create_order(customer_id=customer, items=line(product), idempotency_key=key)
    assert [repeated.data.id] == [operation.order_id for operation in report.operations]

    proxies.orchestrator.plan = ["drop"] * 20
    key = f"a/?#%&+key-{customer}"
    with pytest.raises(B2BError, match="no answer"):
        b2b.create_and_confirm_order(customer_id=customer, items=line(product), idempotency_key=key, deadline=5)
    proxies.orchestrator.plan = []
    found = b2b.get_orchestration(key).data
    assert found.current_status == "CONFIRMED"
    assert b2b.create_and_confirm_order(customer_id=customer, items=line(product), idempotency_key=key).data.order == found.order
    assert len(orders_of(b2b, customer)) == 2


@pytest.mark.parametrize(
    "step, code", [("drop", "no_answer"), ("close", "no_answer"), (Planned(503, headers={"Retry-After": "1"}), "unavailable")]
)
def test_a_write_without_a_key_is_sent_once(b2b, proxies, customer, step, code):
    proxies.customers.plan = [step]
    with pytest.raises(B2BError) as e:
        b2b.update_customer(customer, phone="+1")
    assert (e.value.code, e.value.retryable, e.value.idempotency_key, len(proxies.customers.seen)) == (code, False, None, 1)


def test_retry_after(b2b, proxies, clock):
    date = email.utils.formatdate(time.time() + 20, usegmt=True)
    proxies.orders.plan = [Planned(429, headers={"Retry-After": "7"}), Planned(503, headers={"Retry-After": date}), "pass"]
    b2b.get_product(2)
    assert len(clock.waits) == 2 and clock.waits[0] >= 7 and clock.waits[1] >= 15
    proxies.orders.plan = [Planned(500)]
    for id, retryable in ((2, True), (10**9, False)):
        with pytest.raises(B2BError) as e:
            b2b.get_product(id)
        assert e.value.retryable == retryable
    assert len(proxies.orders.seen) == 5


def test_deadline(b2b, proxies, clock):
    proxies.orders.plan = [Planned(503, headers={"Retry-After": "20"})] * 100
    with pytest.raises(B2BError) as e:
        b2b.get_product(2, deadline=30)
    assert (e.value.code, e.value.status, e.value.retryable) == ("unavailable", 503, True)
    assert (len(proxies.orders.seen), len(clock.waits)) == (2, 1)
    proxies.orders.plan = ["close"] * 100
    proxies.orders.seen.clear()
    clock.waits.clear()
    with pytest.raises(B2BError, match="no answer from http://"):
        b2b.get_product(2, deadline=10)
    assert len(clock.waits) >= 4 and len(proxies.orders.seen) == len(clock.waits) + 1
    assert clock.now() < 10


def test_a_try_that_gets_no_answer_in_time_is_followed_by_another(make, b2b, proxies, customer, product):
    proxies.orders.plan = ["hang", "hang", "pass"]
    answer = make(try_timeout=0.3).create_order(customer_id=customer, items=line(product))
    assert len(proxies.orders.seen) >= 3
    same(keys(proxies.orders))
    assert [id for id, _ in orders_of(b2b, customer)] == [answer.data.id]


def test_a_refusal_is_a_b2b_error(b2b, customer, product):
    for call in ("create_order", "create_and_confirm_order"):
        with pytest.raises(B2BError, match=f"^{call}: ") as e:
            getattr(b2b, call)(customer_id=customer, items=line(product, 101), correlation_id="req-1")
        assert (e.value.code, e.value.status, e.value.correlation_id, e.value.retryable) == ("insufficient_stock", 400, "req-1", False)
        assert e.value.details[0].field == "/items/0/qty"
        assert e.value.idempotency_key
    placed = b2b.create_order(customer_id=customer, items=line(product))
    with pytest.raises(B2BError) as e:
        b2b.create_order(customer_id=customer, items=line(product, 2), idempotency_key=placed.idempotency_key)
    assert (e.value.code, e.value.status) == ("idempotency_key_reused", 422)


@pytest.mark.parametrize(
    "planned",
    [
        Planned(200, b"<html>"),
        Planned(200, b"{}"),
        Planned(200, b'{"success": true, "data": []}'),
        Planned(404, b"<html>"),
        Planned(302, b"", {"Location": "/products/2"}),
    ],
)
def test_answers_of_somebody_else(b2b, proxies, planned):
    proxies.orders.plan = [planned]
    with pytest.raises(B2BError) as e:
        b2b.get_product(2)
    assert (e.value.code, e.value.status) == ("unexpected_answer", planned.status)


def test_pages(b2b, proxies):
    prefix = f"PAGED-{next(made)}-"
    skus = [f"{prefix}{i}" for i in range(5)]
    for sku in skus:
        b2b.create_product(sku=sku, name="A test", price_cents=1, stock=0)
    page = b2b.list_products(search=prefix, limit=2)
    assert [p.sku for p in page.data] == skus[:2] and page.next_cursor == page.data[1].id
    proxies.orders.seen.clear()
    proxies.orders.plan = ["pass", "drop"]
    assert [p.sku for p in b2b.iter_products(search=prefix, limit=2)] == skus
    assert len(proxies.orders.seen) == 4
    assert b2b.list_products(search=prefix).next_cursor is None
    with pytest.raises(B2BError) as e:
        list(b2b.iter_products(limit=1000))
    assert e.value.code == "validation_failed"


def test_numbers_are_exact_and_what_is_new_does_not_disturb(b2b, proxies, customer, product):
    order = b2b.create_order(customer_id=customer, items=line(product, 97)).data
    assert order.total_cents == 96_999_993_889
    numbers = [order.id, order.customer_id, order.total_cents, *vars_of(order.items[0])]
    assert {type(number) for number in numbers} == {int}
    assert order.items[0].sku == b2b.get_product(product).data.sku and order.items[0].name == "A test"
    assert order.created_at.utcoffset() == timedelta(0) and order.confirmed_at is None

    order = order.to_dict() | {
        "id": 2**53 - 1,
        "total_cents": 2**53 - 1,
        "status": "TELEPORTED",
        "allowed_actions": ["beam"],
        "novel": {"a": [1]},
    }
    body = json.dumps({"success": True, "data": order, "novel": 1}).encode()
    proxies.orders.plan = [Planned(200, body, {"Content-Type": "application/json"})]
    read = b2b.get_order(2**53 - 1).data
    assert proxies.orders.seen[-1].path == "/orders/9007199254740991"
    assert (read.id, read.total_cents, type(read.total_cents), read.status) == (2**53 - 1, 2**53 - 1, int, "TELEPORTED")
    assert read.allowed_actions == ["beam"] and read["novel"] == {"a": [1]}
    proxies.orders.plan = [Planned(418, b'{"success": false, "error": "New.", "code": "novel", "novel": 1}')]
    with pytest.raises(B2BError) as e:
        b2b.get_order(1)
    assert (e.value.code, e.value.status) == ("novel", 418)


def test_issue_17_12_pages_of_iterators_have_100_things(b2b, proxies):
    list(b2b.iter_products(search="no product has this text"))
    list(b2b.iter_orders(customer_id=10**9, limit=7))
    assert [parse_qs(urlsplit(request.path).query)["limit"] for request in proxies.orders.seen] == [["100"], ["7"]]


def test_issue_17_12_dates_and_times_in_queries(b2b, proxies):
    sku = f"TIMED-{next(made)}"
    created = b2b.create_product(sku=sku, name="A test", price_cents=1, stock=0).data.updated_at
    east = timezone(timedelta(hours=5, minutes=30))
    for since, want in (
        (created, [sku]),
        (created.astimezone(east), [sku]),
        (created + timedelta(milliseconds=1), []),
        (date(2024, 1, 1), [sku]),
        ("2024-01-01", [sku]),
    ):
        assert [p.sku for p in b2b.iter_products(search=sku, updated_since=since)] == want, since
        assert [p.sku for p in b2b.list_products(search=sku, updated_since=since).data] == want, since
        assert [p.sku for p in b2b.export_products(search=sku, updated_since=since)] == want, since
    proxies.orders.seen.clear()
    list(b2b.iter_orders(from_=date(2024, 1, 1), to=datetime.now(UTC)))
    with pytest.raises(ValueError, match="zone"):
        b2b.list_products(updated_since=datetime(2024, 1, 1))
    assert len(proxies.orders.seen) == 1


def test_a_call_names_the_address_that_is_none(make):
    for address in ("", "localhost:3002", "ftp://localhost"):
        b2b = make(orders=address)
        for call in (lambda b2b=b2b: b2b.create_order(customer_id=1, items=[]), lambda b2b=b2b: list(b2b.export_orders())):
            with pytest.raises(ValueError, match=rf"orders?: orders is '{address}'"):
                call()


def test_an_address_may_be_left_out_until_its_service_is_called(addresses):
    orders = f"http://{addresses['orders']}"
    with B2B(orders=orders) as b2b, B2B(orders=orders, customers=None) as none:
        assert b2b.list_orders(limit=1).data and none.list_orders(limit=1).data
        for call, service in (
            (lambda: b2b.list_customers(), "customers"),
            (lambda: none.list_customers(), "customers"),
            (lambda: b2b.create_and_confirm_order(customer_id=1, items=[]), "orchestrator"),
            (lambda: next(b2b.follow_events(0)), "events"),
            (lambda: b2b.import_customers(iter(lambda: pytest.fail("a row is read"), None)), "customers"),
        ):
            with pytest.raises(ValueError, match=f": {service} is ''"):
                call()

    async def run():
        async with AsyncB2B(orders=orders) as b2b:
            assert (await b2b.list_orders(limit=1)).data
            with pytest.raises(ValueError, match="list_customers: customers is ''"):
                await b2b.list_customers()

    anyio.run(run)


def test_a_function_that_is_none_is_refused_before_anything_is_sent(make, b2b, proxies):
    for service in vars(proxies).values():
        service.seen.clear()
    row = {"sku": f"FILE-{next(made)}", "name": "A test", "price_cents": 1}
    for call, name in (
        (lambda: b2b.import_products([row], "print"), "import_products: on_row cannot be 'print'"),
        (lambda: b2b.import_products(None), "'NoneType' object is not iterable"),
    ):
        with pytest.raises(TypeError, match=name):
            call()
    bases = {service: proxy.base for service, proxy in vars(proxies).items()}
    with B2B(**bases) as follower, pytest.raises(TypeError, match="follow_events: on_position cannot be 5"):
        next(follower.follow_events(0, on_position=5))

    async def follow():
        async with AsyncB2B(**bases) as follower:
            async for _ in follower.follow_events(0, on_position=5):
                break

    with pytest.raises(TypeError, match="follow_events: on_position cannot be 5"):
        anyio.run(follow)
    assert not proxies.orders.seen and not proxies.events.seen


def test_an_error_of_the_rows_ends_the_import(make, addresses):
    b2b = make(orders=f"http://{addresses['orders']}")
    prefix = f"BROKEN-{next(made)}-"
    for error in (LookupError("no more"), httpx.ConnectError("no more")):  # the rows may come from another service
        for last in (0, 1, 5000):

            def rows(error=error, last=last):
                for i in range(last):
                    yield {"sku": f"{prefix}{i}", "name": "A test", "price_cents": 1, "stock": 3}
                raise error

            with pytest.raises(type(error)) as e:
                b2b.import_products(rows())
            assert e.value is error
    assert not list(b2b.export_products(search=prefix))


def test_a_filter_that_is_none_is_refused(b2b, proxies):
    proxies.orders.seen.clear()
    for call in (
        lambda: b2b.list_orders(external_ref=None),
        lambda: b2b.list_orders(updated_since=None),
        lambda: b2b.list_orders(status=None),
        lambda: list(b2b.iter_orders(customer_id=None)),
        lambda: list(b2b.export_orders(external_ref=None)),
    ):
        with pytest.raises(TypeError, match=r"orders: \w+ cannot be None"):
            call()
    assert not proxies.orders.seen
    assert b2b.list_orders(external_ref=UNSET).data


def test_issue_17_12_dicts_are_dicts(b2b, customer, product):
    sku = b2b.get_product(product).data.sku
    given = {"cost_center": "4711"}
    order = b2b.create_order(customer_id=customer, items=[{"sku": sku, "qty": 2}], metadata=given).data
    assert (order.metadata.get("cost_center"), order.metadata.get("none", "-"), order.metadata) == ("4711", "-", given)
    assert json.dumps(order.metadata) == json.dumps(order.to_dict()["metadata"]) == '{"cost_center": "4711"}'
    again = b2b.create_order(customer_id=customer, items=iter([{"product_id": product, "qty": 1}]), metadata=order.metadata).data
    assert again.metadata == given
    quote = b2b.quote_order(customer_id=customer, items=[{"sku": sku, "qty": 1}, OrderItemRequest(product_id=2, qty=1)]).data
    assert len(quote.items) == 2
    with pytest.raises(TypeError, match="price"):
        b2b.create_order(customer_id=customer, items=[{"sku": sku, "qty": 2, "price": 1}])
    with pytest.raises(B2BError) as e:
        b2b.create_order(customer_id=customer, items=[{"sku": sku, "qty": 1000}])
    assert e.value.details[0].params.get("requested") == 1000


def test_issue_17_12_the_text_of_an_error_has_its_details(b2b, customer, product):
    with pytest.raises(B2BError) as e:
        b2b.create_order(customer_id=customer, items=line(product, 101))
    detail = e.value.details[0]
    assert "insufficient_stock" in str(e.value) and detail.field in str(e.value) and detail.message in str(e.value)


def test_an_error_is_copied_and_pickled_whole(b2b, proxies, customer, product):
    with pytest.raises(B2BError) as refused:
        b2b.create_order(customer_id=customer, items=line(product, 101), idempotency_key=f"copied-{next(made)}")
    with pytest.raises(B2BError) as invalid:
        b2b.create_order(customer_id=customer, items=[{"sku": "", "qty": 1}])
    invalid.value.details[0].params = UNSET
    with pytest.raises(WebhookError) as unsigned:
        verify_webhook("whsec_", {}, b"")
    for error in (refused.value, invalid.value, unsigned.value):
        error.add_note("a note")
        for copied in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
            assert (type(copied), str(copied), vars(copied)) == (type(error), str(error), vars(error))
            assert copied.__notes__ == ["a note"]
    assert copy.copy(UNSET) is UNSET


def fail_in_a_process(bases, customer, product):
    with B2B(**bases) as b2b:
        b2b.create_order(customer_id=customer, items=line(product, 101), idempotency_key="in-a-process")


def test_an_error_of_another_process_has_the_key(addresses, customer, product):
    bases = {service: f"http://{address}" for service, address in addresses.items()}
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool, pytest.raises(B2BError) as e:
        pool.submit(fail_in_a_process, bases, customer, product).result()
    assert (e.value.code, e.value.idempotency_key) == ("insufficient_stock", "in-a-process")


def test_an_asynchronous_on_row_is_awaited(proxies):
    rows = [{"sku": f"FILE-{next(made)}", "name": "A test", "price_cents": 1, "stock": 3} for _ in range(3)]
    got = []

    async def keep(row, line):
        await anyio.lowlevel.checkpoint()
        got.append((row, line.result))

    async def fail(row, line):
        raise LookupError(row["sku"])

    async def lose(row, line):
        raise httpx.ConnectError(row["sku"])

    async def run():
        async with AsyncB2B(**{service: proxy.base for service, proxy in vars(proxies).items()}) as b2b:
            assert (await b2b.import_products(rows, keep)).created == 3
            with pytest.raises(LookupError, match=rows[0]["sku"]):
                await b2b.import_products(rows, fail)
            with pytest.raises(httpx.ConnectError, match=rows[0]["sku"]):  # no B2BError: the import had its answers
                await b2b.import_products(rows, lose)

    anyio.run(run)
    assert got == [(row, "created") for row in rows]


def test_issue_17_12_imports(b2b, proxies):
    prefix = f"FILE-{next(made)}-"
    rows = [{"sku": f"{prefix}{i}", "name": "A tëst €", "price_cents": i, "stock": 3} for i in range(600)]
    rows[1]["price_cents"] = -1
    rows[2] = ProductImportRow(sku=rows[2]["sku"], name="B", price_cents=7, stock=1)
    rows[3]["sku"] = rows[0]["sku"]
    got = []
    for dry_run in (True, False):
        got.clear()
        summary = b2b.import_products(iter(rows), lambda row, line: got.append((row, line)), dry_run=dry_run)
        assert (summary.rows, summary.created, summary.refused, summary.dry_run) == (600, 598, 2, dry_run)
    assert all(row is rows[i] for i, (row, _) in enumerate(got)) and len(got) == 600
    assert [(i, line.code) for i, (_, line) in enumerate(got) if line.result == "refused"] == [
        (1, "validation_failed"),
        (3, "validation_failed"),
    ]
    assert got[1][1].details[0].field == "/price_cents"
    assert [line.result for _, line in got[:3]] == ["created", "refused", "created"]
    exported = {product.sku: product for product in b2b.export_products(search=prefix)}
    assert len(exported) == 598 and exported[f"{prefix}2"].name == "B" and exported[f"{prefix}4"].id == got[4][1].id
    with pytest.raises(B2BError, match="validation_failed"):
        b2b.import_products([])
    email = f"{prefix.lower()}@example.com"
    assert b2b.import_customers([{"email": email, "name": "A test"}]).created == 1
    assert [c.email for c in b2b.export_customers(email=email)] == [email]


def test_issue_17_12_imports_that_fail(b2b, proxies):
    row = {"sku": f"FILE-{next(made)}", "name": "A test", "price_cents": 1, "stock": 3}
    summary = {"complete": True, "dry_run": False, "rows": 1, "created": 1, "updated": 0, "unchanged": 0, "refused": 0}
    ended = {"summary": summary | {"complete": False, "code": "timeout", "error": "Too late."}}

    def lines(*objects):
        return b"".join(json.dumps(o).encode() + b"\n" for o in objects)

    ndjson = {"Content-Type": "application/x-ndjson"}
    for step, code, status in (
        ("drop", "no_answer", 0),
        ("close", "no_answer", 0),
        (Planned(503), "unavailable", 503),
        (Planned(200, lines({"summary": summary}), {"Content-Type": "text/plain"}), "unexpected_answer", 200),
        (Planned(200, lines({"row": 1, "result": "created", "id": 1}), ndjson), "unexpected_answer", 200),
        (Planned(200, lines({"row": 1}, {"summary": summary})[:-9], ndjson), "unexpected_answer", 200),
        (Planned(200, lines({"row": "1"}, {"summary": summary}), ndjson), "unexpected_answer", 200),
        (Planned(200, lines({"summary": {}}), ndjson), "unexpected_answer", 200),
        (Planned(200, b"<html>\n", ndjson), "unexpected_answer", 200),
        (Planned(200, lines({"summary": summary}), ndjson, True), "no_answer", 0),
        (Planned(200, lines(ended), ndjson), "timeout", 200),
    ):
        proxies.orders.seen.clear()
        proxies.orders.plan = [step]
        with pytest.raises(B2BError) as e:
            b2b.import_products([row])
        correlation_id = proxies.orders.seen[0].headers["X-Correlation-Id"]
        assert (e.value.code, e.value.status, e.value.correlation_id, len(proxies.orders.seen)) == (code, status, correlation_id, 1), step
    proxies.orders.plan = [Planned(200, lines({"row": 7, "result": "novel", "x": 1}, {"summary": summary | {"x": 1}}, {"x": 1}), ndjson)]
    assert b2b.import_products([row], lambda row, line: pytest.fail("no row")).rows == 1


def test_issue_17_12_exports_that_fail(b2b, proxies, customer, product):
    orders = [b2b.create_order(customer_id=customer, items=line(product)).data for _ in range(3)]
    proxies.orders.seen.clear()
    proxies.orders.plan = ["close", Planned(503), "pass"]
    assert list(b2b.export_orders(customer_id=customer, status="CREATED")) == orders
    assert len(proxies.orders.seen) == 3
    one = json.dumps(orders[0].to_dict()).encode() + b"\n"
    ndjson = {"Content-Type": "application/x-ndjson"}
    for step, code, status in (
        (Planned(200, one, {"Content-Type": "text/csv"}), "unexpected_answer", 200),
        (Planned(200, one + b'{"id": 7}\n', ndjson), "unexpected_answer", 200),
        (Planned(200, one + one[:-9], ndjson), "unexpected_answer", 200),
        (Planned(200, one * 9, ndjson, True), "no_answer", 0),
        (Planned(403, b'{"code": "forbidden"}'), "forbidden", 403),
    ):
        proxies.orders.seen.clear()
        proxies.orders.plan = [step]
        with pytest.raises(B2BError) as e:
            list(b2b.export_orders(customer_id=customer))
        assert (e.value.code, e.value.status, len(proxies.orders.seen)) == (code, status, 1), step


def vars_of(item):
    return item.product_id, item.qty, item.unit_price_cents, item.subtotal_cents


def test_conditions(b2b, product):
    etag = b2b.get_product(product).headers["ETag"]
    with pytest.raises(B2BError) as e:
        b2b.get_product(product, if_none_match=etag)
    assert e.value.code == "not_modified"
    b2b.update_product(product, stock=7, if_match=etag)
    with pytest.raises(B2BError) as e:
        b2b.update_product(product, stock=8, if_match=etag)
    assert e.value.code == "precondition_failed"
    assert stock_of(b2b, product) == 7


def test_a_function_makes_the_token_of_each_try(make, proxies):
    proxies.orders.plan = [Planned(503), Planned(503)]
    asked = count(1)
    with pytest.raises(B2BError) as e:
        make(token=lambda: f"token-{next(asked)}\n").get_product(2)
    assert [request.headers["Authorization"] for request in proxies.orders.seen] == ["Bearer token-1", "Bearer token-2", "Bearer token-3"]
    assert (e.value.code, e.value.status) == ("unauthorized", 401)


def test_a_token_that_cannot_be_had_after_a_lost_answer_leaves_the_key(make, b2b, proxies, customer, product):
    order = {"customer_id": customer, "items": line(product)}

    def down():
        raise httpx.ConnectError("the token endpoint is down")

    odd_ones = ((down, "ConnectError"), (lambda: "two\nlines", "characters"), (lambda: "é", "characters"))
    for odd, why in odd_ones:
        tokens = iter([lambda: "", odd])
        proxies.orders.seen.clear()
        proxies.orders.plan = ["drop", "pass"]
        with pytest.raises(B2BError, match=f"^create_order: no token: .*{why}") as e:
            make(token=lambda tokens=tokens: next(tokens)()).create_order(**order)
        assert (e.value.code, e.value.status, e.value.retryable) == ("no_answer", 0, True)
        assert next(tokens, None) is None and len(proxies.orders.seen) == 1
        same([*keys(proxies.orders), e.value.idempotency_key])
        again = b2b.create_order(**order, idempotency_key=e.value.idempotency_key)
        assert again.headers["Idempotency-Replayed"] == "true"
    assert len(orders_of(b2b, customer)) == 3
    proxies.orders.seen.clear()
    partner = make(token=down)
    for call in (
        lambda: partner.create_order(**order),
        lambda: partner.get_product(2),
        lambda: list(partner.export_products()),
        lambda: partner.import_products([]),
    ):
        with pytest.raises(B2BError) as e:
            call()
        assert e.value.code == "no_answer" and isinstance(e.value.__cause__, httpx.ConnectError)
    assert not proxies.orders.seen


def test_no_wait_is_too_long_to_count(make, b2b, proxies, clock, product):
    services = _Services({"orders": "http://localhost"}, math.inf, 1, clock.now)
    call = _Call(services, "create_order", "orders", {"method": "post", "url": ""}, "key")
    assert all(0 <= call.wait(Reply(503, httpx.Headers(), b"")) <= 5 for _ in range(1100))
    no_dates = ("Mon, 01 Jan 2024 00:00:00 +99999999999999", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT")
    for value in (*no_dates, "9" * 200):
        proxies.orders.plan = [Planned(503, headers={"Retry-After": value})]
        make(deadline=1e300, try_timeout=math.inf).adjust_stock(product, delta=1, reason="a test")
    assert stock_of(b2b, product) == 103
    assert 1e6 < max(clock.waits) < 2**31 / 1000  # what sleep and sockets can wait


def test_a_number_that_json_lacks_changes_nothing(b2b, proxies, customer, product):
    with pytest.raises(ValueError, match="JSON compliant"):
        b2b.create_order(customer_id=customer, items=line(product), expected_total_cents=math.nan)
    assert not proxies.orders.seen
    got = []
    row = {"name": "A test", "price_cents": 1}
    rows = [row | {"sku": f"FILE-{next(made)}", "stock": stock} for stock in (math.nan, 1)]
    summary = b2b.import_products(rows, lambda row, line: got.append((row, line.code)))
    assert (summary.created, summary.refused) == (1, 1) and got[0] == (rows[0], "malformed_row")


def test_on_the_real_clock(proxies):
    bases = {service: proxy.base for service, proxy in vars(proxies).items()}

    async def read():
        async with AsyncB2B(**bases) as b2b:
            return await b2b.get_product(2)

    proxies.orders.plan = ["drop", "pass", "drop", "pass"]
    with B2B(**bases) as b2b:
        assert b2b.get_product(2).data == anyio.run(read).data
    assert len(proxies.orders.seen) == 4


def test_with_a_token_of_b2b_token(b2b, make, proxies, customer, product, tmp_path):
    other = b2b.create_customer(name="Another", email=f"test-{next(made)}@example.com").data.id
    b2b.create_order(customer_id=other, items=line(product))
    command = [os.environ["B2B"], "token", "--sub", "acme", "--scope", "orders:read orders:write", "--customer", str(customer)]
    token = subprocess.run(command, cwd=tmp_path, env={}, check=True, capture_output=True, text=True).stdout.strip()
    partner = make(token=token)
    proxies.orchestrator.plan = ["drop", "pass"]
    order = partner.create_and_confirm_order(customer_id=customer, items=line(product)).data.order
    assert [o.id for o in partner.iter_orders()] == [order.id]
    with pytest.raises(B2BError) as e:
        partner.create_order(customer_id=other, items=line(product))
    assert (e.value.code, e.value.status, e.value.retryable) == ("forbidden", 403, False)


def test_the_package_is_typed():
    assert files("b2b_orders").joinpath("py.typed").is_file()


@pytest.mark.parametrize("example", range(2))
def test_examples_of_the_readme(addresses, tmp_path, example):
    text = re.findall(r"```python\n(.*?)```", Path("README.md").read_text(), re.DOTALL)[example]
    for service in ("customers", "orders", "orchestrator"):
        text = re.sub(rf'{service}="http://localhost:\d+"', f'{service}="http://{addresses[service]}"', text)
    (tmp_path / "example.py").write_text(text)
    lines = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout.splitlines()
    id = re.fullmatch(r"order (\d+) is CONFIRMED", lines[0])[1]
    assert f"{id} 389700" in lines


def test_events_are_followed(proxies, clock):
    bases = {service: proxy.base for service, proxy in vars(proxies).items()}
    with B2B(**bases, now=clock.now, sleep=clock.sleep) as b2b:
        after = b2b.list_events(limit=1000).next_after

        def create():
            skus = [f"FOLLOWED-{uuid.uuid4()}" for _ in range(3)]
            return [b2b.create_product(sku=sku, name="A test", price_cents=1, stock=1).data.id for sku in skus]

        ids, seen = create(), []
        proxies.events.plan = ["close", "cut", "pass"]
        for event in b2b.follow_events(after, "product.created"):
            assert event.type_ == "product.created"
            seen += [event.subject_id] * (event.subject_id in ids)
            if len(seen) == 3:
                break
        assert seen == ids
        with pytest.raises(B2BError) as failure:
            next(b2b.follow_events(2**40))
        assert failure.value.code == "events_expired"

        async def follow():
            seen = []
            async with AsyncB2B(**bases, now=clock.now, sleep=clock.async_sleep) as b2b:
                async for event in b2b.follow_events(after, "product.created"):
                    seen += [event.subject_id] * (event.subject_id in ids)
                    if len(seen) == 3:
                        return seen

        proxies.events.plan = ["close", "cut", "pass"]
        assert anyio.run(follow) == ids


def test_a_follower_gets_the_position_to_store_also_of_a_page_without_events(proxies, clock):
    bases = {service: proxy.base for service, proxy in vars(proxies).items()}
    told = []

    def page(data, next_after):
        meta = {"next_after": next_after, "last_position": 900}
        body = json.dumps({"success": True, "data": data, "meta": meta}).encode()
        return Planned(200, body, {"Content-Type": "application/json"})

    def check():
        assert told == [7, "event 9", 20, 900, "event 901"]
        asked = [parse_qs(urlsplit(request.path).query)["after"] for request in proxies.events.seen]
        assert asked == [["5"], ["7"], ["7"], ["20"], ["20"], ["900"]]

    def take(event):
        told.append(f"event {event.position}")
        return event.position == 901  # its page is not over

    with B2B(**bases, now=clock.now, sleep=clock.sleep) as b2b:
        event = b2b.list_events(limit=1).data[0].to_dict()
        nine, last = event | {"position": 9}, event | {"position": 901}
        plan = [page([], 7), Planned(503), page([nine], 20), page([], 20), page([], 900), page([last], 901)]
        proxies.events.plan = list(plan)
        proxies.events.seen.clear()
        for event in b2b.follow_events(5, "order.created", told.append):
            if take(event):
                break
        check()

    async def keep(position):
        await anyio.lowlevel.checkpoint()
        told.append(position)

    async def follow(on_position):
        async with AsyncB2B(**bases, now=clock.now, sleep=clock.async_sleep) as b2b:
            async for event in b2b.follow_events(5, "order.created", on_position):
                if take(event):
                    return

    for on_position in (told.append, keep):
        told.clear()
        proxies.events.seen.clear()
        proxies.events.plan = list(plan)
        anyio.run(follow, on_position)
        check()


def test_events_are_read_by_their_subject(proxies, clock):
    with B2B(**{service: proxy.base for service, proxy in vars(proxies).items()}, now=clock.now, sleep=clock.sleep) as b2b:
        after = b2b.list_events(limit=1000).next_after
        order = b2b.create_order(customer_id=1, items=line(2)).data
        b2b.delete_customer(b2b.create_customer(name="Short", email=f"{uuid.uuid4()}@example.com").data.id)
        for event in b2b.follow_events(after):
            match typed_event(event):
                case OrderEvent(representation=shown) if shown.id == order.id:
                    assert shown == order
                    placed = event
                case CustomerEvent(type_="customer.deleted", representation=deleted):
                    assert deleted.deleted_at is not None
                    break
    placed.subject = "invoice"
    assert typed_event(placed) is placed
    placed.subject = "order"
    del placed.representation["items"][0]["sku"]
    with pytest.raises(ValueError, match=rf"event {placed.id} .*OrderEvent: KeyError\('sku'\)"):
        typed_event(placed)


def signed(key, body, at=0, id="evt_1"):
    stamp = str(int(time.time()) + at)
    mac = hmac.new(base64.b64decode(key[6:]), f"{id}.{stamp}.".encode() + body, "sha256").digest()
    return {"Webhook-Id": id, "Webhook-Timestamp": stamp, "Webhook-Signature": "v1a,AAAA v1," + base64.b64encode(mac).decode()}


def test_webhooks_are_checked(b2b):
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    data = b2b.list_events(limit=1).data[0].to_dict()
    body = json.dumps({"type": "order.created", "timestamp": "2024-03-01T09:30:00.000Z", "data": data}).encode()
    assert verify_webhook(key, signed(key, body), body).type_ == "order.created"
    good = signed(key, body)
    for changed in (
        {"Webhook-Id": "evt_2"},
        {"Webhook-Timestamp": str(int(good["Webhook-Timestamp"]) - 1)},
        {"Webhook-Timestamp": "soon"},
        {"Webhook-Timestamp": "9" * 400},  # more than a float has
        {"Webhook-Timestamp": "9" * 5000},  # more than int() reads
        {"Webhook-Id": "evt_\udcff"},  # as aiohttp shows a byte that is no UTF-8
        {"Webhook-Signature": "v1,% v1 v2,x"},
        signed(key, body, at=-3600),
        signed(key, body, at=3600),
        signed(key, body + b" "),
    ):
        with pytest.raises(WebhookError):
            verify_webhook(key, good | changed, body)
    for missing in good:
        with pytest.raises(WebhookError):
            verify_webhook(key, {name: value for name, value in good.items() if name != missing}, body)
    with pytest.raises(WebhookError):
        verify_webhook(key, signed(key, b"[]"), b"[]")
    with pytest.raises(ValueError, match="the key"):
        verify_webhook("whsec_%", good, body)
