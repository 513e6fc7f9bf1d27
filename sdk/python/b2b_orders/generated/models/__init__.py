"""Contains all the data models used in inputs/outputs"""

from .api_error_detail import ApiErrorDetail
from .api_error_detail_params import ApiErrorDetailParams
from .cancel_reason_filter import CancelReasonFilter
from .cancellation import Cancellation
from .cancellation_cause import CancellationCause
from .change_event import ChangeEvent
from .change_event_representation import ChangeEventRepresentation
from .csv_delimiter import CSVDelimiter
from .customer import Customer
from .customer_event import CustomerEvent
from .customer_event_subject import CustomerEventSubject
from .customer_import_row import CustomerImportRow
from .customer_key_report import CustomerKeyReport
from .customer_key_report_response import CustomerKeyReportResponse
from .customer_keyed_operation import CustomerKeyedOperation
from .customer_list_response import CustomerListResponse
from .customer_request import CustomerRequest
from .customer_response import CustomerResponse
from .customer_update import CustomerUpdate
from .deleted_response import DeletedResponse
from .error_body import ErrorBody
from .event_list_response import EventListResponse
from .feed_event import FeedEvent
from .feed_meta import FeedMeta
from .feed_response import FeedResponse
from .file_encoding import FileEncoding
from .file_format import FileFormat
from .health import Health
from .import_line import ImportLine
from .import_summary import ImportSummary
from .key_report import KeyReport
from .key_report_response import KeyReportResponse
from .keyed_operation import KeyedOperation
from .list_sort import ListSort
from .meta import Meta
from .orchestration import Orchestration
from .orchestration_report import OrchestrationReport
from .orchestration_report_response import OrchestrationReportResponse
from .orchestration_request import OrchestrationRequest
from .orchestration_response import OrchestrationResponse
from .order import Order
from .order_event import OrderEvent
from .order_event_subject import OrderEventSubject
from .order_item import OrderItem
from .order_item_request import OrderItemRequest
from .order_line_row import OrderLineRow
from .order_list_response import OrderListResponse
from .order_metadata_type_0 import OrderMetadataType0
from .order_request import OrderRequest
from .order_response import OrderResponse
from .order_status_filter import OrderStatusFilter
from .order_summary import OrderSummary
from .order_totals import OrderTotals
from .ordering_customer import OrderingCustomer
from .orders_of_day import OrdersOfDay
from .orders_summary import OrdersSummary
from .orders_summary_response import OrdersSummaryResponse
from .placed_order import PlacedOrder
from .product import Product
from .product_event import ProductEvent
from .product_event_subject import ProductEventSubject
from .product_import_row import ProductImportRow
from .product_list_response import ProductListResponse
from .product_request import ProductRequest
from .product_response import ProductResponse
from .product_update import ProductUpdate
from .quote import Quote
from .quote_response import QuoteResponse
from .quoted_item import QuotedItem
from .shortage import Shortage
from .stock_adjustment import StockAdjustment
from .stock_adjustment_list_response import StockAdjustmentListResponse
from .stock_adjustment_request import StockAdjustmentRequest
from .stock_adjustment_response import StockAdjustmentResponse
from .summary_period import SummaryPeriod
from .webhook_deleted_response import WebhookDeletedResponse
from .webhook_delivery import WebhookDelivery
from .webhook_delivery_list_response import WebhookDeliveryListResponse
from .webhook_delivery_response import WebhookDeliveryResponse
from .webhook_endpoint import WebhookEndpoint
from .webhook_endpoint_event import WebhookEndpointEvent
from .webhook_endpoint_event_subject import WebhookEndpointEventSubject
from .webhook_endpoint_list_response import WebhookEndpointListResponse
from .webhook_endpoint_request import WebhookEndpointRequest
from .webhook_endpoint_response import WebhookEndpointResponse
from .webhook_endpoint_update import WebhookEndpointUpdate
from .webhook_endpoint_with_secret import WebhookEndpointWithSecret
from .webhook_message import WebhookMessage
from .webhook_secret_response import WebhookSecretResponse
from .webhook_signature import WebhookSignature

__all__ = (
    "ApiErrorDetail",
    "ApiErrorDetailParams",
    "CSVDelimiter",
    "CancelReasonFilter",
    "Cancellation",
    "CancellationCause",
    "ChangeEvent",
    "ChangeEventRepresentation",
    "Customer",
    "CustomerEvent",
    "CustomerEventSubject",
    "CustomerImportRow",
    "CustomerKeyReport",
    "CustomerKeyReportResponse",
    "CustomerKeyedOperation",
    "CustomerListResponse",
    "CustomerRequest",
    "CustomerResponse",
    "CustomerUpdate",
    "DeletedResponse",
    "ErrorBody",
    "EventListResponse",
    "FeedEvent",
    "FeedMeta",
    "FeedResponse",
    "FileEncoding",
    "FileFormat",
    "Health",
    "ImportLine",
    "ImportSummary",
    "KeyReport",
    "KeyReportResponse",
    "KeyedOperation",
    "ListSort",
    "Meta",
    "Orchestration",
    "OrchestrationReport",
    "OrchestrationReportResponse",
    "OrchestrationRequest",
    "OrchestrationResponse",
    "Order",
    "OrderEvent",
    "OrderEventSubject",
    "OrderItem",
    "OrderItemRequest",
    "OrderLineRow",
    "OrderListResponse",
    "OrderMetadataType0",
    "OrderRequest",
    "OrderResponse",
    "OrderStatusFilter",
    "OrderSummary",
    "OrderTotals",
    "OrderingCustomer",
    "OrdersOfDay",
    "OrdersSummary",
    "OrdersSummaryResponse",
    "PlacedOrder",
    "Product",
    "ProductEvent",
    "ProductEventSubject",
    "ProductImportRow",
    "ProductListResponse",
    "ProductRequest",
    "ProductResponse",
    "ProductUpdate",
    "Quote",
    "QuoteResponse",
    "QuotedItem",
    "Shortage",
    "StockAdjustment",
    "StockAdjustmentListResponse",
    "StockAdjustmentRequest",
    "StockAdjustmentResponse",
    "SummaryPeriod",
    "WebhookDeletedResponse",
    "WebhookDelivery",
    "WebhookDeliveryListResponse",
    "WebhookDeliveryResponse",
    "WebhookEndpoint",
    "WebhookEndpointEvent",
    "WebhookEndpointEventSubject",
    "WebhookEndpointListResponse",
    "WebhookEndpointRequest",
    "WebhookEndpointResponse",
    "WebhookEndpointUpdate",
    "WebhookEndpointWithSecret",
    "WebhookMessage",
    "WebhookSecretResponse",
    "WebhookSignature",
)
