"""Generated from the documents by make sdk. DO NOT EDIT."""

from __future__ import annotations

import datetime
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from typing import Any

from .._calls import Answer, AsyncCaller, Caller, model_of, models_of, moment, new_key
from .api.customers import create_customer as _create_customer
from .api.customers import delete_customer as _delete_customer
from .api.customers import export_customers as _export_customers
from .api.customers import (
    find_customer_idempotency_key as _find_customer_idempotency_key,
)
from .api.customers import get_customer as _get_customer
from .api.customers import get_customer_idempotency_key as _get_customer_idempotency_key
from .api.customers import import_customers as _import_customers
from .api.customers import list_customer_history as _list_customer_history
from .api.customers import list_customers as _list_customers
from .api.customers import update_customer as _update_customer
from .api.events import create_webhook_endpoint as _create_webhook_endpoint
from .api.events import delete_webhook_endpoint as _delete_webhook_endpoint
from .api.events import get_webhook_endpoint as _get_webhook_endpoint
from .api.events import list_events as _list_events
from .api.events import list_webhook_deliveries as _list_webhook_deliveries
from .api.events import list_webhook_endpoints as _list_webhook_endpoints
from .api.events import replay_webhook_events as _replay_webhook_events
from .api.events import rotate_webhook_secret as _rotate_webhook_secret
from .api.events import test_webhook_endpoint as _test_webhook_endpoint
from .api.events import update_webhook_endpoint as _update_webhook_endpoint
from .api.orchestrator import create_and_confirm_order as _create_and_confirm_order
from .api.orchestrator import find_orchestration as _find_orchestration
from .api.orchestrator import get_orchestration as _get_orchestration
from .api.orders import adjust_stock as _adjust_stock
from .api.orders import cancel_order as _cancel_order
from .api.orders import confirm_order as _confirm_order
from .api.orders import create_order as _create_order
from .api.orders import create_product as _create_product
from .api.orders import export_orders as _export_orders
from .api.orders import export_products as _export_products
from .api.orders import find_idempotency_key as _find_idempotency_key
from .api.orders import get_idempotency_key as _get_idempotency_key
from .api.orders import get_order as _get_order
from .api.orders import get_product as _get_product
from .api.orders import import_products as _import_products
from .api.orders import list_order_history as _list_order_history
from .api.orders import list_orders as _list_orders
from .api.orders import list_product_history as _list_product_history
from .api.orders import list_products as _list_products
from .api.orders import list_stock_adjustments as _list_stock_adjustments
from .api.orders import quote_order as _quote_order
from .api.orders import summarize_orders as _summarize_orders
from .api.orders import update_product as _update_product
from .models import (
    Cancellation,
    CancellationCause,
    CancelReasonFilter,
    ChangeEvent,
    Customer,
    CustomerImportRow,
    CustomerKeyReport,
    CustomerKeyReportResponse,
    CustomerListResponse,
    CustomerRequest,
    CustomerResponse,
    CustomerUpdate,
    DeletedResponse,
    EventListResponse,
    FeedEvent,
    FeedResponse,
    ImportLine,
    ImportSummary,
    KeyReport,
    KeyReportResponse,
    ListSort,
    Orchestration,
    OrchestrationReport,
    OrchestrationReportResponse,
    OrchestrationRequest,
    OrchestrationResponse,
    Order,
    OrderItemRequest,
    OrderListResponse,
    OrderMetadataType0,
    OrderRequest,
    OrderResponse,
    OrdersSummary,
    OrdersSummaryResponse,
    OrderStatusFilter,
    OrderSummary,
    Product,
    ProductImportRow,
    ProductListResponse,
    ProductRequest,
    ProductResponse,
    ProductUpdate,
    Quote,
    QuoteResponse,
    StockAdjustment,
    StockAdjustmentListResponse,
    StockAdjustmentRequest,
    StockAdjustmentResponse,
    SummaryPeriod,
    WebhookDeletedResponse,
    WebhookDelivery,
    WebhookDeliveryListResponse,
    WebhookDeliveryResponse,
    WebhookEndpoint,
    WebhookEndpointListResponse,
    WebhookEndpointRequest,
    WebhookEndpointResponse,
    WebhookEndpointUpdate,
    WebhookEndpointWithSecret,
    WebhookSecretResponse,
    WebhookSignature,
)
from .types import UNSET, Unset


class Calls(Caller):
    def list_customers(
        self,
        *,
        search: str | Unset = UNSET,
        email: str | Unset = UNSET,
        external_ref: str | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        ids: str | Unset = UNSET,
        include_deleted: bool | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[Customer]]:
        """List and search customers."""
        _key = None
        _request = _list_customers._get_kwargs(
            search=search,
            email=email,
            external_ref=external_ref,
            updated_since=moment(updated_since),
            sort=sort,
            cursor=cursor,
            limit=limit,
            ids=ids,
            include_deleted=include_deleted,
        )
        return self._call(
            "list_customers",
            "customers",
            _request,
            200,
            CustomerListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_customers(
        self,
        *,
        search: str | Unset = UNSET,
        email: str | Unset = UNSET,
        external_ref: str | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        sort: ListSort | Unset = UNSET,
        ids: str | Unset = UNSET,
        include_deleted: bool | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[Customer]:
        """Everything that `list_customers` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_customers",
            lambda cursor: self.list_customers(
                search=search,
                email=email,
                external_ref=external_ref,
                updated_since=updated_since,
                sort=sort,
                ids=ids,
                include_deleted=include_deleted,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    def create_customer(
        self,
        *,
        name: str,
        email: str,
        phone: None | str | Unset = UNSET,
        external_ref: None | str | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Customer]:
        """Create a customer."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _create_customer._get_kwargs(
            x_idempotency_key=_key,
            body=CustomerRequest(
                name=name, email=email, phone=phone, external_ref=external_ref
            ),
        )
        return self._call(
            "create_customer",
            "customers",
            _request,
            201,
            CustomerResponse,
            _key,
            correlation_id,
            deadline,
        )

    def import_customers(
        self,
        rows: Iterable[CustomerImportRow | Mapping[str, Any]],
        on_row: Callable[[Any, ImportLine], object] | None = None,
        *,
        dry_run: bool | Unset = UNSET,
        correlation_id: str | None = None,
    ) -> ImportSummary:
        """Create and change customers, row by row. The rows are sent while they are read, once. on_row is called with each row and what became of it.
        Raises B2BError when not all rows were read: repeat the call then, what is done already is unchanged."""
        _request = _import_customers._get_kwargs(dry_run=dry_run)
        return self._import(
            "import_customers", "customers", _request, rows, on_row, correlation_id
        )

    def export_customers(
        self,
        *,
        search: str | Unset = UNSET,
        email: str | Unset = UNSET,
        external_ref: str | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        ids: str | Unset = UNSET,
        include_deleted: bool | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[Customer]:
        """Read all customers as a file. Everything comes in one answer, thing by thing; when it breaks off, the iteration ends with a B2BError."""
        _request = _export_customers._get_kwargs(
            search=search,
            email=email,
            external_ref=external_ref,
            updated_since=moment(updated_since),
            ids=ids,
            include_deleted=include_deleted,
        )
        return self._export(
            "export_customers",
            "customers",
            _request,
            Customer,
            correlation_id,
            deadline,
        )

    def get_customer(
        self,
        id: int,
        *,
        if_none_match: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Customer]:
        """Read one customer."""
        _key = None
        _request = _get_customer._get_kwargs(id=id, if_none_match=if_none_match)
        return self._call(
            "get_customer",
            "customers",
            _request,
            200,
            CustomerResponse,
            _key,
            correlation_id,
            deadline,
        )

    def update_customer(
        self,
        id: int,
        *,
        if_match: str | Unset = UNSET,
        name: str | Unset = UNSET,
        email: str | Unset = UNSET,
        phone: None | str | Unset = UNSET,
        external_ref: None | str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Customer]:
        """Change a customer."""
        _key = None
        _request = _update_customer._get_kwargs(
            id=id,
            if_match=if_match,
            body=CustomerUpdate(
                name=name, email=email, phone=phone, external_ref=external_ref
            ),
        )
        return self._call(
            "update_customer",
            "customers",
            _request,
            200,
            CustomerResponse,
            _key,
            correlation_id,
            deadline,
        )

    def delete_customer(
        self,
        id: int,
        *,
        if_match: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[None]:
        """Delete a customer."""
        _key = None
        _request = _delete_customer._get_kwargs(id=id, if_match=if_match)
        return self._call(
            "delete_customer",
            "customers",
            _request,
            200,
            DeletedResponse,
            _key,
            correlation_id,
            deadline,
        )

    def list_customer_history(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[ChangeEvent]]:
        """List the history of a customer."""
        _key = None
        _request = _list_customer_history._get_kwargs(
            id=id, sort=sort, cursor=cursor, limit=limit
        )
        return self._call(
            "list_customer_history",
            "customers",
            _request,
            200,
            EventListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_customer_history(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[ChangeEvent]:
        """Everything that `list_customer_history` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_customer_history",
            lambda cursor: self.list_customer_history(
                id=id,
                sort=sort,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    def find_customer_idempotency_key(
        self,
        *,
        key: str,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[CustomerKeyReport]:
        """Look up an idempotency key (key in the query)."""
        _key = None
        _request = _find_customer_idempotency_key._get_kwargs(key=key)
        return self._call(
            "find_customer_idempotency_key",
            "customers",
            _request,
            200,
            CustomerKeyReportResponse,
            _key,
            correlation_id,
            deadline,
        )

    def get_customer_idempotency_key(
        self,
        key: str,
        *,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[CustomerKeyReport]:
        """Look up an idempotency key."""
        _key = None
        _request = _get_customer_idempotency_key._get_kwargs(key=key)
        return self._call(
            "get_customer_idempotency_key",
            "customers",
            _request,
            200,
            CustomerKeyReportResponse,
            _key,
            correlation_id,
            deadline,
        )

    def list_products(
        self,
        *,
        search: str | Unset = UNSET,
        sku: str | Unset = UNSET,
        active: bool | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        stock_below: int | Unset = UNSET,
        ids: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[Product]]:
        """List and search products."""
        _key = None
        _request = _list_products._get_kwargs(
            search=search,
            sku=sku,
            active=active,
            updated_since=moment(updated_since),
            sort=sort,
            cursor=cursor,
            limit=limit,
            stock_below=stock_below,
            ids=ids,
        )
        return self._call(
            "list_products",
            "orders",
            _request,
            200,
            ProductListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_products(
        self,
        *,
        search: str | Unset = UNSET,
        sku: str | Unset = UNSET,
        active: bool | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        sort: ListSort | Unset = UNSET,
        stock_below: int | Unset = UNSET,
        ids: str | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[Product]:
        """Everything that `list_products` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_products",
            lambda cursor: self.list_products(
                search=search,
                sku=sku,
                active=active,
                updated_since=updated_since,
                sort=sort,
                stock_below=stock_below,
                ids=ids,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    def create_product(
        self,
        *,
        sku: str,
        name: str,
        price_cents: int,
        stock: int,
        active: bool | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Product]:
        """Create a product."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _create_product._get_kwargs(
            x_idempotency_key=_key,
            body=ProductRequest(
                sku=sku, name=name, price_cents=price_cents, stock=stock, active=active
            ),
        )
        return self._call(
            "create_product",
            "orders",
            _request,
            201,
            ProductResponse,
            _key,
            correlation_id,
            deadline,
        )

    def import_products(
        self,
        rows: Iterable[ProductImportRow | Mapping[str, Any]],
        on_row: Callable[[Any, ImportLine], object] | None = None,
        *,
        dry_run: bool | Unset = UNSET,
        correlation_id: str | None = None,
    ) -> ImportSummary:
        """Create and change products, row by row. The rows are sent while they are read, once. on_row is called with each row and what became of it.
        Raises B2BError when not all rows were read: repeat the call then, what is done already is unchanged."""
        _request = _import_products._get_kwargs(dry_run=dry_run)
        return self._import(
            "import_products", "orders", _request, rows, on_row, correlation_id
        )

    def export_products(
        self,
        *,
        search: str | Unset = UNSET,
        sku: str | Unset = UNSET,
        active: bool | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        stock_below: int | Unset = UNSET,
        ids: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[Product]:
        """Read all products as a file. Everything comes in one answer, thing by thing; when it breaks off, the iteration ends with a B2BError."""
        _request = _export_products._get_kwargs(
            search=search,
            sku=sku,
            active=active,
            updated_since=moment(updated_since),
            stock_below=stock_below,
            ids=ids,
        )
        return self._export(
            "export_products", "orders", _request, Product, correlation_id, deadline
        )

    def get_product(
        self,
        id: int,
        *,
        if_none_match: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Product]:
        """Read one product."""
        _key = None
        _request = _get_product._get_kwargs(id=id, if_none_match=if_none_match)
        return self._call(
            "get_product",
            "orders",
            _request,
            200,
            ProductResponse,
            _key,
            correlation_id,
            deadline,
        )

    def update_product(
        self,
        id: int,
        *,
        if_match: str | Unset = UNSET,
        name: str | Unset = UNSET,
        price_cents: int | Unset = UNSET,
        stock: int | Unset = UNSET,
        active: bool | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Product]:
        """Change a product."""
        _key = None
        _request = _update_product._get_kwargs(
            id=id,
            if_match=if_match,
            body=ProductUpdate(
                name=name, price_cents=price_cents, stock=stock, active=active
            ),
        )
        return self._call(
            "update_product",
            "orders",
            _request,
            200,
            ProductResponse,
            _key,
            correlation_id,
            deadline,
        )

    def list_stock_adjustments(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[StockAdjustment]]:
        """List the changes of a product's stock."""
        _key = None
        _request = _list_stock_adjustments._get_kwargs(
            id=id, sort=sort, cursor=cursor, limit=limit
        )
        return self._call(
            "list_stock_adjustments",
            "orders",
            _request,
            200,
            StockAdjustmentListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_stock_adjustments(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[StockAdjustment]:
        """Everything that `list_stock_adjustments` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_stock_adjustments",
            lambda cursor: self.list_stock_adjustments(
                id=id,
                sort=sort,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    def adjust_stock(
        self,
        id: int,
        *,
        delta: int,
        reason: str,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[StockAdjustment]:
        """Add to or take from a product's stock."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _adjust_stock._get_kwargs(
            id=id,
            x_idempotency_key=_key,
            body=StockAdjustmentRequest(delta=delta, reason=reason),
        )
        return self._call(
            "adjust_stock",
            "orders",
            _request,
            201,
            StockAdjustmentResponse,
            _key,
            correlation_id,
            deadline,
        )

    def list_product_history(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[ChangeEvent]]:
        """List the history of a product."""
        _key = None
        _request = _list_product_history._get_kwargs(
            id=id, sort=sort, cursor=cursor, limit=limit
        )
        return self._call(
            "list_product_history",
            "orders",
            _request,
            200,
            EventListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_product_history(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[ChangeEvent]:
        """Everything that `list_product_history` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_product_history",
            lambda cursor: self.list_product_history(
                id=id,
                sort=sort,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    def list_orders(
        self,
        *,
        status: OrderStatusFilter | Unset = UNSET,
        customer_id: int | Unset = UNSET,
        external_ref: str | Unset = UNSET,
        from_: str | datetime.date | Unset = UNSET,
        to: str | datetime.date | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        confirmed_from: str | datetime.date | Unset = UNSET,
        confirmed_to: str | datetime.date | Unset = UNSET,
        cancel_reason: CancelReasonFilter | Unset = UNSET,
        ids: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[OrderSummary]]:
        """List orders."""
        _key = None
        _request = _list_orders._get_kwargs(
            status=status,
            customer_id=customer_id,
            external_ref=external_ref,
            from_=moment(from_),
            to=moment(to),
            updated_since=moment(updated_since),
            sort=sort,
            cursor=cursor,
            limit=limit,
            confirmed_from=moment(confirmed_from),
            confirmed_to=moment(confirmed_to),
            cancel_reason=cancel_reason,
            ids=ids,
        )
        return self._call(
            "list_orders",
            "orders",
            _request,
            200,
            OrderListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_orders(
        self,
        *,
        status: OrderStatusFilter | Unset = UNSET,
        customer_id: int | Unset = UNSET,
        external_ref: str | Unset = UNSET,
        from_: str | datetime.date | Unset = UNSET,
        to: str | datetime.date | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        sort: ListSort | Unset = UNSET,
        confirmed_from: str | datetime.date | Unset = UNSET,
        confirmed_to: str | datetime.date | Unset = UNSET,
        cancel_reason: CancelReasonFilter | Unset = UNSET,
        ids: str | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[OrderSummary]:
        """Everything that `list_orders` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_orders",
            lambda cursor: self.list_orders(
                status=status,
                customer_id=customer_id,
                external_ref=external_ref,
                from_=from_,
                to=to,
                updated_since=updated_since,
                sort=sort,
                confirmed_from=confirmed_from,
                confirmed_to=confirmed_to,
                cancel_reason=cancel_reason,
                ids=ids,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    def create_order(
        self,
        *,
        customer_id: int,
        items: Iterable[OrderItemRequest | Mapping[str, Any]],
        expected_total_cents: int | Unset = UNSET,
        external_ref: None | str | Unset = UNSET,
        metadata: None | OrderMetadataType0 | Mapping[str, Any] | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Order]:
        """Place an order."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _create_order._get_kwargs(
            x_idempotency_key=_key,
            body=OrderRequest(
                customer_id=customer_id,
                items=models_of(OrderItemRequest, items),
                expected_total_cents=expected_total_cents,
                external_ref=external_ref,
                metadata=model_of(OrderMetadataType0, metadata),
            ),
        )
        return self._call(
            "create_order",
            "orders",
            _request,
            201,
            OrderResponse,
            _key,
            correlation_id,
            deadline,
        )

    def quote_order(
        self,
        *,
        customer_id: int,
        items: Iterable[OrderItemRequest | Mapping[str, Any]],
        expected_total_cents: int | Unset = UNSET,
        external_ref: None | str | Unset = UNSET,
        metadata: None | OrderMetadataType0 | Mapping[str, Any] | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Quote]:
        """Quote an order."""
        _key = None
        _request = _quote_order._get_kwargs(
            body=OrderRequest(
                customer_id=customer_id,
                items=models_of(OrderItemRequest, items),
                expected_total_cents=expected_total_cents,
                external_ref=external_ref,
                metadata=model_of(OrderMetadataType0, metadata),
            )
        )
        return self._call(
            "quote_order",
            "orders",
            _request,
            200,
            QuoteResponse,
            _key,
            correlation_id,
            deadline,
        )

    def summarize_orders(
        self,
        *,
        from_: str,
        to: str,
        by: SummaryPeriod | Unset = UNSET,
        tz: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[OrdersSummary]:
        """Summarize the orders of each day."""
        _key = None
        _request = _summarize_orders._get_kwargs(from_=from_, to=to, by=by, tz=tz)
        return self._call(
            "summarize_orders",
            "orders",
            _request,
            200,
            OrdersSummaryResponse,
            _key,
            correlation_id,
            deadline,
        )

    def export_orders(
        self,
        *,
        status: OrderStatusFilter | Unset = UNSET,
        customer_id: int | Unset = UNSET,
        external_ref: str | Unset = UNSET,
        from_: str | datetime.date | Unset = UNSET,
        to: str | datetime.date | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        confirmed_from: str | datetime.date | Unset = UNSET,
        confirmed_to: str | datetime.date | Unset = UNSET,
        cancel_reason: CancelReasonFilter | Unset = UNSET,
        ids: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[Order]:
        """Read all orders as a file. Everything comes in one answer, thing by thing; when it breaks off, the iteration ends with a B2BError."""
        _request = _export_orders._get_kwargs(
            status=status,
            customer_id=customer_id,
            external_ref=external_ref,
            from_=moment(from_),
            to=moment(to),
            updated_since=moment(updated_since),
            confirmed_from=moment(confirmed_from),
            confirmed_to=moment(confirmed_to),
            cancel_reason=cancel_reason,
            ids=ids,
        )
        return self._export(
            "export_orders", "orders", _request, Order, correlation_id, deadline
        )

    def get_order(
        self,
        id: int,
        *,
        if_none_match: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Order]:
        """Read one order."""
        _key = None
        _request = _get_order._get_kwargs(id=id, if_none_match=if_none_match)
        return self._call(
            "get_order",
            "orders",
            _request,
            200,
            OrderResponse,
            _key,
            correlation_id,
            deadline,
        )

    def confirm_order(
        self,
        id: int,
        *,
        if_match: str | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Order]:
        """Confirm an order."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _confirm_order._get_kwargs(
            id=id, if_match=if_match, x_idempotency_key=_key
        )
        return self._call(
            "confirm_order",
            "orders",
            _request,
            200,
            OrderResponse,
            _key,
            correlation_id,
            deadline,
        )

    def cancel_order(
        self,
        id: int,
        *,
        if_match: str | Unset = UNSET,
        reason: str | Unset = UNSET,
        cause: CancellationCause | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Order]:
        """Cancel an order."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _cancel_order._get_kwargs(
            id=id,
            if_match=if_match,
            x_idempotency_key=_key,
            body=Cancellation(reason=reason, cause=cause),
        )
        return self._call(
            "cancel_order",
            "orders",
            _request,
            200,
            OrderResponse,
            _key,
            correlation_id,
            deadline,
        )

    def list_order_history(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[ChangeEvent]]:
        """List the history of an order."""
        _key = None
        _request = _list_order_history._get_kwargs(
            id=id, sort=sort, cursor=cursor, limit=limit
        )
        return self._call(
            "list_order_history",
            "orders",
            _request,
            200,
            EventListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_order_history(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[ChangeEvent]:
        """Everything that `list_order_history` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_order_history",
            lambda cursor: self.list_order_history(
                id=id,
                sort=sort,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    def find_idempotency_key(
        self,
        *,
        key: str,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[KeyReport]:
        """Look up an idempotency key (key in the query)."""
        _key = None
        _request = _find_idempotency_key._get_kwargs(key=key)
        return self._call(
            "find_idempotency_key",
            "orders",
            _request,
            200,
            KeyReportResponse,
            _key,
            correlation_id,
            deadline,
        )

    def get_idempotency_key(
        self,
        key: str,
        *,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[KeyReport]:
        """Look up an idempotency key."""
        _key = None
        _request = _get_idempotency_key._get_kwargs(key=key)
        return self._call(
            "get_idempotency_key",
            "orders",
            _request,
            200,
            KeyReportResponse,
            _key,
            correlation_id,
            deadline,
        )

    def list_events(
        self,
        *,
        after: int | Unset = UNSET,
        types: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        wait: str | Unset = UNSET,
        last_event_id: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[FeedEvent]]:
        """Read the events after a position."""
        _key = None
        _request = _list_events._get_kwargs(
            after=after,
            types=types,
            limit=limit,
            wait=wait,
            last_event_id=last_event_id,
        )
        return self._call(
            "list_events",
            "events",
            _request,
            200,
            FeedResponse,
            _key,
            correlation_id,
            deadline,
        )

    def list_webhook_endpoints(
        self,
        *,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[WebhookEndpoint]]:
        """List the webhook endpoints."""
        _key = None
        _request = _list_webhook_endpoints._get_kwargs(
            sort=sort, cursor=cursor, limit=limit
        )
        return self._call(
            "list_webhook_endpoints",
            "events",
            _request,
            200,
            WebhookEndpointListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_webhook_endpoints(
        self,
        *,
        sort: ListSort | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[WebhookEndpoint]:
        """Everything that `list_webhook_endpoints` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_webhook_endpoints",
            lambda cursor: self.list_webhook_endpoints(
                sort=sort,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    def create_webhook_endpoint(
        self,
        *,
        url: str,
        description: None | str | Unset = UNSET,
        types: list[str] | Unset = UNSET,
        signature: WebhookSignature | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[WebhookEndpointWithSecret]:
        """Create a webhook endpoint."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _create_webhook_endpoint._get_kwargs(
            x_idempotency_key=_key,
            body=WebhookEndpointRequest(
                url=url, description=description, types=types, signature=signature
            ),
        )
        return self._call(
            "create_webhook_endpoint",
            "events",
            _request,
            201,
            WebhookSecretResponse,
            _key,
            correlation_id,
            deadline,
        )

    def rotate_webhook_secret(
        self,
        id: int,
        *,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[WebhookEndpointWithSecret]:
        """Replace the secret of a webhook endpoint."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _rotate_webhook_secret._get_kwargs(id=id, x_idempotency_key=_key)
        return self._call(
            "rotate_webhook_secret",
            "events",
            _request,
            200,
            WebhookSecretResponse,
            _key,
            correlation_id,
            deadline,
        )

    def test_webhook_endpoint(
        self,
        id: int,
        *,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[WebhookDelivery]:
        """Send a test message to a webhook endpoint."""
        _key = None
        _request = _test_webhook_endpoint._get_kwargs(id=id)
        return self._call(
            "test_webhook_endpoint",
            "events",
            _request,
            200,
            WebhookDeliveryResponse,
            _key,
            correlation_id,
            deadline,
        )

    def list_webhook_deliveries(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[WebhookDelivery]]:
        """List the deliveries to a webhook endpoint."""
        _key = None
        _request = _list_webhook_deliveries._get_kwargs(
            id=id, sort=sort, cursor=cursor, limit=limit
        )
        return self._call(
            "list_webhook_deliveries",
            "events",
            _request,
            200,
            WebhookDeliveryListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_webhook_deliveries(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[WebhookDelivery]:
        """Everything that `list_webhook_deliveries` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_webhook_deliveries",
            lambda cursor: self.list_webhook_deliveries(
                id=id,
                sort=sort,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    def replay_webhook_events(
        self,
        id: int,
        *,
        after: int,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[WebhookEndpoint]:
        """Send events to a webhook endpoint again."""
        _key = None
        _request = _replay_webhook_events._get_kwargs(id=id, after=after)
        return self._call(
            "replay_webhook_events",
            "events",
            _request,
            200,
            WebhookEndpointResponse,
            _key,
            correlation_id,
            deadline,
        )

    def get_webhook_endpoint(
        self,
        id: int,
        *,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[WebhookEndpoint]:
        """Read one webhook endpoint."""
        _key = None
        _request = _get_webhook_endpoint._get_kwargs(id=id)
        return self._call(
            "get_webhook_endpoint",
            "events",
            _request,
            200,
            WebhookEndpointResponse,
            _key,
            correlation_id,
            deadline,
        )

    def update_webhook_endpoint(
        self,
        id: int,
        *,
        url: str | Unset = UNSET,
        description: None | str | Unset = UNSET,
        types: list[str] | Unset = UNSET,
        enabled: bool | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[WebhookEndpoint]:
        """Change a webhook endpoint."""
        _key = None
        _request = _update_webhook_endpoint._get_kwargs(
            id=id,
            body=WebhookEndpointUpdate(
                url=url, description=description, types=types, enabled=enabled
            ),
        )
        return self._call(
            "update_webhook_endpoint",
            "events",
            _request,
            200,
            WebhookEndpointResponse,
            _key,
            correlation_id,
            deadline,
        )

    def delete_webhook_endpoint(
        self,
        id: int,
        *,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[None]:
        """Delete a webhook endpoint."""
        _key = None
        _request = _delete_webhook_endpoint._get_kwargs(id=id)
        return self._call(
            "delete_webhook_endpoint",
            "events",
            _request,
            200,
            WebhookDeletedResponse,
            _key,
            correlation_id,
            deadline,
        )

    def find_orchestration(
        self,
        *,
        idempotency_key: str,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[OrchestrationReport]:
        """Look up the result of a call (key in the query)."""
        _key = None
        _request = _find_orchestration._get_kwargs(idempotency_key=idempotency_key)
        return self._call(
            "find_orchestration",
            "orchestrator",
            _request,
            200,
            OrchestrationReportResponse,
            _key,
            correlation_id,
            deadline,
        )

    def create_and_confirm_order(
        self,
        *,
        customer_id: int,
        items: Iterable[OrderItemRequest | Mapping[str, Any]],
        expected_total_cents: int | Unset = UNSET,
        external_ref: None | str | Unset = UNSET,
        metadata: None | OrderMetadataType0 | Mapping[str, Any] | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Orchestration]:
        """Place and confirm an order in one call."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _create_and_confirm_order._get_kwargs(
            body=OrchestrationRequest(
                customer_id=customer_id,
                items=models_of(OrderItemRequest, items),
                expected_total_cents=expected_total_cents,
                external_ref=external_ref,
                metadata=model_of(OrderMetadataType0, metadata),
                idempotency_key=_key,
            )
        )
        return self._call(
            "create_and_confirm_order",
            "orchestrator",
            _request,
            201,
            OrchestrationResponse,
            _key,
            correlation_id,
            deadline,
        )

    def get_orchestration(
        self,
        idempotency_key: str,
        *,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[OrchestrationReport]:
        """Look up the result of a call."""
        _key = None
        _request = _get_orchestration._get_kwargs(idempotency_key=idempotency_key)
        return self._call(
            "get_orchestration",
            "orchestrator",
            _request,
            200,
            OrchestrationReportResponse,
            _key,
            correlation_id,
            deadline,
        )


class AsyncCalls(AsyncCaller):
    async def list_customers(
        self,
        *,
        search: str | Unset = UNSET,
        email: str | Unset = UNSET,
        external_ref: str | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        ids: str | Unset = UNSET,
        include_deleted: bool | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[Customer]]:
        """List and search customers."""
        _key = None
        _request = _list_customers._get_kwargs(
            search=search,
            email=email,
            external_ref=external_ref,
            updated_since=moment(updated_since),
            sort=sort,
            cursor=cursor,
            limit=limit,
            ids=ids,
            include_deleted=include_deleted,
        )
        return await self._call(
            "list_customers",
            "customers",
            _request,
            200,
            CustomerListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_customers(
        self,
        *,
        search: str | Unset = UNSET,
        email: str | Unset = UNSET,
        external_ref: str | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        sort: ListSort | Unset = UNSET,
        ids: str | Unset = UNSET,
        include_deleted: bool | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[Customer]:
        """Everything that `list_customers` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_customers",
            lambda cursor: self.list_customers(
                search=search,
                email=email,
                external_ref=external_ref,
                updated_since=updated_since,
                sort=sort,
                ids=ids,
                include_deleted=include_deleted,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    async def create_customer(
        self,
        *,
        name: str,
        email: str,
        phone: None | str | Unset = UNSET,
        external_ref: None | str | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Customer]:
        """Create a customer."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _create_customer._get_kwargs(
            x_idempotency_key=_key,
            body=CustomerRequest(
                name=name, email=email, phone=phone, external_ref=external_ref
            ),
        )
        return await self._call(
            "create_customer",
            "customers",
            _request,
            201,
            CustomerResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def import_customers(
        self,
        rows: Iterable[CustomerImportRow | Mapping[str, Any]],
        on_row: Callable[[Any, ImportLine], object | Awaitable[object]] | None = None,
        *,
        dry_run: bool | Unset = UNSET,
        correlation_id: str | None = None,
    ) -> ImportSummary:
        """Create and change customers, row by row. The rows are sent while they are read, once. on_row is called with each row and what became of it, and may be asynchronous.
        Raises B2BError when not all rows were read: repeat the call then, what is done already is unchanged."""
        _request = _import_customers._get_kwargs(dry_run=dry_run)
        return await self._import(
            "import_customers", "customers", _request, rows, on_row, correlation_id
        )

    def export_customers(
        self,
        *,
        search: str | Unset = UNSET,
        email: str | Unset = UNSET,
        external_ref: str | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        ids: str | Unset = UNSET,
        include_deleted: bool | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[Customer]:
        """Read all customers as a file. Everything comes in one answer, thing by thing; when it breaks off, the iteration ends with a B2BError."""
        _request = _export_customers._get_kwargs(
            search=search,
            email=email,
            external_ref=external_ref,
            updated_since=moment(updated_since),
            ids=ids,
            include_deleted=include_deleted,
        )
        return self._export(
            "export_customers",
            "customers",
            _request,
            Customer,
            correlation_id,
            deadline,
        )

    async def get_customer(
        self,
        id: int,
        *,
        if_none_match: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Customer]:
        """Read one customer."""
        _key = None
        _request = _get_customer._get_kwargs(id=id, if_none_match=if_none_match)
        return await self._call(
            "get_customer",
            "customers",
            _request,
            200,
            CustomerResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def update_customer(
        self,
        id: int,
        *,
        if_match: str | Unset = UNSET,
        name: str | Unset = UNSET,
        email: str | Unset = UNSET,
        phone: None | str | Unset = UNSET,
        external_ref: None | str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Customer]:
        """Change a customer."""
        _key = None
        _request = _update_customer._get_kwargs(
            id=id,
            if_match=if_match,
            body=CustomerUpdate(
                name=name, email=email, phone=phone, external_ref=external_ref
            ),
        )
        return await self._call(
            "update_customer",
            "customers",
            _request,
            200,
            CustomerResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def delete_customer(
        self,
        id: int,
        *,
        if_match: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[None]:
        """Delete a customer."""
        _key = None
        _request = _delete_customer._get_kwargs(id=id, if_match=if_match)
        return await self._call(
            "delete_customer",
            "customers",
            _request,
            200,
            DeletedResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def list_customer_history(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[ChangeEvent]]:
        """List the history of a customer."""
        _key = None
        _request = _list_customer_history._get_kwargs(
            id=id, sort=sort, cursor=cursor, limit=limit
        )
        return await self._call(
            "list_customer_history",
            "customers",
            _request,
            200,
            EventListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_customer_history(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[ChangeEvent]:
        """Everything that `list_customer_history` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_customer_history",
            lambda cursor: self.list_customer_history(
                id=id,
                sort=sort,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    async def find_customer_idempotency_key(
        self,
        *,
        key: str,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[CustomerKeyReport]:
        """Look up an idempotency key (key in the query)."""
        _key = None
        _request = _find_customer_idempotency_key._get_kwargs(key=key)
        return await self._call(
            "find_customer_idempotency_key",
            "customers",
            _request,
            200,
            CustomerKeyReportResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def get_customer_idempotency_key(
        self,
        key: str,
        *,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[CustomerKeyReport]:
        """Look up an idempotency key."""
        _key = None
        _request = _get_customer_idempotency_key._get_kwargs(key=key)
        return await self._call(
            "get_customer_idempotency_key",
            "customers",
            _request,
            200,
            CustomerKeyReportResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def list_products(
        self,
        *,
        search: str | Unset = UNSET,
        sku: str | Unset = UNSET,
        active: bool | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        stock_below: int | Unset = UNSET,
        ids: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[Product]]:
        """List and search products."""
        _key = None
        _request = _list_products._get_kwargs(
            search=search,
            sku=sku,
            active=active,
            updated_since=moment(updated_since),
            sort=sort,
            cursor=cursor,
            limit=limit,
            stock_below=stock_below,
            ids=ids,
        )
        return await self._call(
            "list_products",
            "orders",
            _request,
            200,
            ProductListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_products(
        self,
        *,
        search: str | Unset = UNSET,
        sku: str | Unset = UNSET,
        active: bool | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        sort: ListSort | Unset = UNSET,
        stock_below: int | Unset = UNSET,
        ids: str | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[Product]:
        """Everything that `list_products` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_products",
            lambda cursor: self.list_products(
                search=search,
                sku=sku,
                active=active,
                updated_since=updated_since,
                sort=sort,
                stock_below=stock_below,
                ids=ids,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    async def create_product(
        self,
        *,
        sku: str,
        name: str,
        price_cents: int,
        stock: int,
        active: bool | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Product]:
        """Create a product."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _create_product._get_kwargs(
            x_idempotency_key=_key,
            body=ProductRequest(
                sku=sku, name=name, price_cents=price_cents, stock=stock, active=active
            ),
        )
        return await self._call(
            "create_product",
            "orders",
            _request,
            201,
            ProductResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def import_products(
        self,
        rows: Iterable[ProductImportRow | Mapping[str, Any]],
        on_row: Callable[[Any, ImportLine], object | Awaitable[object]] | None = None,
        *,
        dry_run: bool | Unset = UNSET,
        correlation_id: str | None = None,
    ) -> ImportSummary:
        """Create and change products, row by row. The rows are sent while they are read, once. on_row is called with each row and what became of it, and may be asynchronous.
        Raises B2BError when not all rows were read: repeat the call then, what is done already is unchanged."""
        _request = _import_products._get_kwargs(dry_run=dry_run)
        return await self._import(
            "import_products", "orders", _request, rows, on_row, correlation_id
        )

    def export_products(
        self,
        *,
        search: str | Unset = UNSET,
        sku: str | Unset = UNSET,
        active: bool | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        stock_below: int | Unset = UNSET,
        ids: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[Product]:
        """Read all products as a file. Everything comes in one answer, thing by thing; when it breaks off, the iteration ends with a B2BError."""
        _request = _export_products._get_kwargs(
            search=search,
            sku=sku,
            active=active,
            updated_since=moment(updated_since),
            stock_below=stock_below,
            ids=ids,
        )
        return self._export(
            "export_products", "orders", _request, Product, correlation_id, deadline
        )

    async def get_product(
        self,
        id: int,
        *,
        if_none_match: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Product]:
        """Read one product."""
        _key = None
        _request = _get_product._get_kwargs(id=id, if_none_match=if_none_match)
        return await self._call(
            "get_product",
            "orders",
            _request,
            200,
            ProductResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def update_product(
        self,
        id: int,
        *,
        if_match: str | Unset = UNSET,
        name: str | Unset = UNSET,
        price_cents: int | Unset = UNSET,
        stock: int | Unset = UNSET,
        active: bool | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Product]:
        """Change a product."""
        _key = None
        _request = _update_product._get_kwargs(
            id=id,
            if_match=if_match,
            body=ProductUpdate(
                name=name, price_cents=price_cents, stock=stock, active=active
            ),
        )
        return await self._call(
            "update_product",
            "orders",
            _request,
            200,
            ProductResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def list_stock_adjustments(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[StockAdjustment]]:
        """List the changes of a product's stock."""
        _key = None
        _request = _list_stock_adjustments._get_kwargs(
            id=id, sort=sort, cursor=cursor, limit=limit
        )
        return await self._call(
            "list_stock_adjustments",
            "orders",
            _request,
            200,
            StockAdjustmentListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_stock_adjustments(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[StockAdjustment]:
        """Everything that `list_stock_adjustments` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_stock_adjustments",
            lambda cursor: self.list_stock_adjustments(
                id=id,
                sort=sort,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    async def adjust_stock(
        self,
        id: int,
        *,
        delta: int,
        reason: str,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[StockAdjustment]:
        """Add to or take from a product's stock."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _adjust_stock._get_kwargs(
            id=id,
            x_idempotency_key=_key,
            body=StockAdjustmentRequest(delta=delta, reason=reason),
        )
        return await self._call(
            "adjust_stock",
            "orders",
            _request,
            201,
            StockAdjustmentResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def list_product_history(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[ChangeEvent]]:
        """List the history of a product."""
        _key = None
        _request = _list_product_history._get_kwargs(
            id=id, sort=sort, cursor=cursor, limit=limit
        )
        return await self._call(
            "list_product_history",
            "orders",
            _request,
            200,
            EventListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_product_history(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[ChangeEvent]:
        """Everything that `list_product_history` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_product_history",
            lambda cursor: self.list_product_history(
                id=id,
                sort=sort,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    async def list_orders(
        self,
        *,
        status: OrderStatusFilter | Unset = UNSET,
        customer_id: int | Unset = UNSET,
        external_ref: str | Unset = UNSET,
        from_: str | datetime.date | Unset = UNSET,
        to: str | datetime.date | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        confirmed_from: str | datetime.date | Unset = UNSET,
        confirmed_to: str | datetime.date | Unset = UNSET,
        cancel_reason: CancelReasonFilter | Unset = UNSET,
        ids: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[OrderSummary]]:
        """List orders."""
        _key = None
        _request = _list_orders._get_kwargs(
            status=status,
            customer_id=customer_id,
            external_ref=external_ref,
            from_=moment(from_),
            to=moment(to),
            updated_since=moment(updated_since),
            sort=sort,
            cursor=cursor,
            limit=limit,
            confirmed_from=moment(confirmed_from),
            confirmed_to=moment(confirmed_to),
            cancel_reason=cancel_reason,
            ids=ids,
        )
        return await self._call(
            "list_orders",
            "orders",
            _request,
            200,
            OrderListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_orders(
        self,
        *,
        status: OrderStatusFilter | Unset = UNSET,
        customer_id: int | Unset = UNSET,
        external_ref: str | Unset = UNSET,
        from_: str | datetime.date | Unset = UNSET,
        to: str | datetime.date | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        sort: ListSort | Unset = UNSET,
        confirmed_from: str | datetime.date | Unset = UNSET,
        confirmed_to: str | datetime.date | Unset = UNSET,
        cancel_reason: CancelReasonFilter | Unset = UNSET,
        ids: str | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[OrderSummary]:
        """Everything that `list_orders` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_orders",
            lambda cursor: self.list_orders(
                status=status,
                customer_id=customer_id,
                external_ref=external_ref,
                from_=from_,
                to=to,
                updated_since=updated_since,
                sort=sort,
                confirmed_from=confirmed_from,
                confirmed_to=confirmed_to,
                cancel_reason=cancel_reason,
                ids=ids,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    async def create_order(
        self,
        *,
        customer_id: int,
        items: Iterable[OrderItemRequest | Mapping[str, Any]],
        expected_total_cents: int | Unset = UNSET,
        external_ref: None | str | Unset = UNSET,
        metadata: None | OrderMetadataType0 | Mapping[str, Any] | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Order]:
        """Place an order."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _create_order._get_kwargs(
            x_idempotency_key=_key,
            body=OrderRequest(
                customer_id=customer_id,
                items=models_of(OrderItemRequest, items),
                expected_total_cents=expected_total_cents,
                external_ref=external_ref,
                metadata=model_of(OrderMetadataType0, metadata),
            ),
        )
        return await self._call(
            "create_order",
            "orders",
            _request,
            201,
            OrderResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def quote_order(
        self,
        *,
        customer_id: int,
        items: Iterable[OrderItemRequest | Mapping[str, Any]],
        expected_total_cents: int | Unset = UNSET,
        external_ref: None | str | Unset = UNSET,
        metadata: None | OrderMetadataType0 | Mapping[str, Any] | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Quote]:
        """Quote an order."""
        _key = None
        _request = _quote_order._get_kwargs(
            body=OrderRequest(
                customer_id=customer_id,
                items=models_of(OrderItemRequest, items),
                expected_total_cents=expected_total_cents,
                external_ref=external_ref,
                metadata=model_of(OrderMetadataType0, metadata),
            )
        )
        return await self._call(
            "quote_order",
            "orders",
            _request,
            200,
            QuoteResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def summarize_orders(
        self,
        *,
        from_: str,
        to: str,
        by: SummaryPeriod | Unset = UNSET,
        tz: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[OrdersSummary]:
        """Summarize the orders of each day."""
        _key = None
        _request = _summarize_orders._get_kwargs(from_=from_, to=to, by=by, tz=tz)
        return await self._call(
            "summarize_orders",
            "orders",
            _request,
            200,
            OrdersSummaryResponse,
            _key,
            correlation_id,
            deadline,
        )

    def export_orders(
        self,
        *,
        status: OrderStatusFilter | Unset = UNSET,
        customer_id: int | Unset = UNSET,
        external_ref: str | Unset = UNSET,
        from_: str | datetime.date | Unset = UNSET,
        to: str | datetime.date | Unset = UNSET,
        updated_since: str | datetime.date | Unset = UNSET,
        confirmed_from: str | datetime.date | Unset = UNSET,
        confirmed_to: str | datetime.date | Unset = UNSET,
        cancel_reason: CancelReasonFilter | Unset = UNSET,
        ids: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[Order]:
        """Read all orders as a file. Everything comes in one answer, thing by thing; when it breaks off, the iteration ends with a B2BError."""
        _request = _export_orders._get_kwargs(
            status=status,
            customer_id=customer_id,
            external_ref=external_ref,
            from_=moment(from_),
            to=moment(to),
            updated_since=moment(updated_since),
            confirmed_from=moment(confirmed_from),
            confirmed_to=moment(confirmed_to),
            cancel_reason=cancel_reason,
            ids=ids,
        )
        return self._export(
            "export_orders", "orders", _request, Order, correlation_id, deadline
        )

    async def get_order(
        self,
        id: int,
        *,
        if_none_match: str | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Order]:
        """Read one order."""
        _key = None
        _request = _get_order._get_kwargs(id=id, if_none_match=if_none_match)
        return await self._call(
            "get_order",
            "orders",
            _request,
            200,
            OrderResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def confirm_order(
        self,
        id: int,
        *,
        if_match: str | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Order]:
        """Confirm an order."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _confirm_order._get_kwargs(
            id=id, if_match=if_match, x_idempotency_key=_key
        )
        return await self._call(
            "confirm_order",
            "orders",
            _request,
            200,
            OrderResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def cancel_order(
        self,
        id: int,
        *,
        if_match: str | Unset = UNSET,
        reason: str | Unset = UNSET,
        cause: CancellationCause | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Order]:
        """Cancel an order."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _cancel_order._get_kwargs(
            id=id,
            if_match=if_match,
            x_idempotency_key=_key,
            body=Cancellation(reason=reason, cause=cause),
        )
        return await self._call(
            "cancel_order",
            "orders",
            _request,
            200,
            OrderResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def list_order_history(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[ChangeEvent]]:
        """List the history of an order."""
        _key = None
        _request = _list_order_history._get_kwargs(
            id=id, sort=sort, cursor=cursor, limit=limit
        )
        return await self._call(
            "list_order_history",
            "orders",
            _request,
            200,
            EventListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_order_history(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[ChangeEvent]:
        """Everything that `list_order_history` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_order_history",
            lambda cursor: self.list_order_history(
                id=id,
                sort=sort,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    async def find_idempotency_key(
        self,
        *,
        key: str,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[KeyReport]:
        """Look up an idempotency key (key in the query)."""
        _key = None
        _request = _find_idempotency_key._get_kwargs(key=key)
        return await self._call(
            "find_idempotency_key",
            "orders",
            _request,
            200,
            KeyReportResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def get_idempotency_key(
        self,
        key: str,
        *,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[KeyReport]:
        """Look up an idempotency key."""
        _key = None
        _request = _get_idempotency_key._get_kwargs(key=key)
        return await self._call(
            "get_idempotency_key",
            "orders",
            _request,
            200,
            KeyReportResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def list_events(
        self,
        *,
        after: int | Unset = UNSET,
        types: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        wait: str | Unset = UNSET,
        last_event_id: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[FeedEvent]]:
        """Read the events after a position."""
        _key = None
        _request = _list_events._get_kwargs(
            after=after,
            types=types,
            limit=limit,
            wait=wait,
            last_event_id=last_event_id,
        )
        return await self._call(
            "list_events",
            "events",
            _request,
            200,
            FeedResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def list_webhook_endpoints(
        self,
        *,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[WebhookEndpoint]]:
        """List the webhook endpoints."""
        _key = None
        _request = _list_webhook_endpoints._get_kwargs(
            sort=sort, cursor=cursor, limit=limit
        )
        return await self._call(
            "list_webhook_endpoints",
            "events",
            _request,
            200,
            WebhookEndpointListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_webhook_endpoints(
        self,
        *,
        sort: ListSort | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[WebhookEndpoint]:
        """Everything that `list_webhook_endpoints` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_webhook_endpoints",
            lambda cursor: self.list_webhook_endpoints(
                sort=sort,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    async def create_webhook_endpoint(
        self,
        *,
        url: str,
        description: None | str | Unset = UNSET,
        types: list[str] | Unset = UNSET,
        signature: WebhookSignature | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[WebhookEndpointWithSecret]:
        """Create a webhook endpoint."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _create_webhook_endpoint._get_kwargs(
            x_idempotency_key=_key,
            body=WebhookEndpointRequest(
                url=url, description=description, types=types, signature=signature
            ),
        )
        return await self._call(
            "create_webhook_endpoint",
            "events",
            _request,
            201,
            WebhookSecretResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def rotate_webhook_secret(
        self,
        id: int,
        *,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[WebhookEndpointWithSecret]:
        """Replace the secret of a webhook endpoint."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _rotate_webhook_secret._get_kwargs(id=id, x_idempotency_key=_key)
        return await self._call(
            "rotate_webhook_secret",
            "events",
            _request,
            200,
            WebhookSecretResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def test_webhook_endpoint(
        self,
        id: int,
        *,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[WebhookDelivery]:
        """Send a test message to a webhook endpoint."""
        _key = None
        _request = _test_webhook_endpoint._get_kwargs(id=id)
        return await self._call(
            "test_webhook_endpoint",
            "events",
            _request,
            200,
            WebhookDeliveryResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def list_webhook_deliveries(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        cursor: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[list[WebhookDelivery]]:
        """List the deliveries to a webhook endpoint."""
        _key = None
        _request = _list_webhook_deliveries._get_kwargs(
            id=id, sort=sort, cursor=cursor, limit=limit
        )
        return await self._call(
            "list_webhook_deliveries",
            "events",
            _request,
            200,
            WebhookDeliveryListResponse,
            _key,
            correlation_id,
            deadline,
        )

    def iter_webhook_deliveries(
        self,
        id: int,
        *,
        sort: ListSort | Unset = UNSET,
        limit: int = 100,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[WebhookDelivery]:
        """Everything that `list_webhook_deliveries` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages(
            "list_webhook_deliveries",
            lambda cursor: self.list_webhook_deliveries(
                id=id,
                sort=sort,
                limit=limit,
                correlation_id=correlation_id,
                deadline=deadline,
                cursor=cursor,
            ),
        )

    async def replay_webhook_events(
        self,
        id: int,
        *,
        after: int,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[WebhookEndpoint]:
        """Send events to a webhook endpoint again."""
        _key = None
        _request = _replay_webhook_events._get_kwargs(id=id, after=after)
        return await self._call(
            "replay_webhook_events",
            "events",
            _request,
            200,
            WebhookEndpointResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def get_webhook_endpoint(
        self,
        id: int,
        *,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[WebhookEndpoint]:
        """Read one webhook endpoint."""
        _key = None
        _request = _get_webhook_endpoint._get_kwargs(id=id)
        return await self._call(
            "get_webhook_endpoint",
            "events",
            _request,
            200,
            WebhookEndpointResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def update_webhook_endpoint(
        self,
        id: int,
        *,
        url: str | Unset = UNSET,
        description: None | str | Unset = UNSET,
        types: list[str] | Unset = UNSET,
        enabled: bool | Unset = UNSET,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[WebhookEndpoint]:
        """Change a webhook endpoint."""
        _key = None
        _request = _update_webhook_endpoint._get_kwargs(
            id=id,
            body=WebhookEndpointUpdate(
                url=url, description=description, types=types, enabled=enabled
            ),
        )
        return await self._call(
            "update_webhook_endpoint",
            "events",
            _request,
            200,
            WebhookEndpointResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def delete_webhook_endpoint(
        self,
        id: int,
        *,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[None]:
        """Delete a webhook endpoint."""
        _key = None
        _request = _delete_webhook_endpoint._get_kwargs(id=id)
        return await self._call(
            "delete_webhook_endpoint",
            "events",
            _request,
            200,
            WebhookDeletedResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def find_orchestration(
        self,
        *,
        idempotency_key: str,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[OrchestrationReport]:
        """Look up the result of a call (key in the query)."""
        _key = None
        _request = _find_orchestration._get_kwargs(idempotency_key=idempotency_key)
        return await self._call(
            "find_orchestration",
            "orchestrator",
            _request,
            200,
            OrchestrationReportResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def create_and_confirm_order(
        self,
        *,
        customer_id: int,
        items: Iterable[OrderItemRequest | Mapping[str, Any]],
        expected_total_cents: int | Unset = UNSET,
        external_ref: None | str | Unset = UNSET,
        metadata: None | OrderMetadataType0 | Mapping[str, Any] | Unset = UNSET,
        idempotency_key: str | None = None,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[Orchestration]:
        """Place and confirm an order in one call."""
        _key = new_key() if idempotency_key is None else idempotency_key
        _request = _create_and_confirm_order._get_kwargs(
            body=OrchestrationRequest(
                customer_id=customer_id,
                items=models_of(OrderItemRequest, items),
                expected_total_cents=expected_total_cents,
                external_ref=external_ref,
                metadata=model_of(OrderMetadataType0, metadata),
                idempotency_key=_key,
            )
        )
        return await self._call(
            "create_and_confirm_order",
            "orchestrator",
            _request,
            201,
            OrchestrationResponse,
            _key,
            correlation_id,
            deadline,
        )

    async def get_orchestration(
        self,
        idempotency_key: str,
        *,
        correlation_id: str | None = None,
        deadline: float | None = None,
    ) -> Answer[OrchestrationReport]:
        """Look up the result of a call."""
        _key = None
        _request = _get_orchestration._get_kwargs(idempotency_key=idempotency_key)
        return await self._call(
            "get_orchestration",
            "orchestrator",
            _request,
            200,
            OrchestrationReportResponse,
            _key,
            correlation_id,
            deadline,
        )
