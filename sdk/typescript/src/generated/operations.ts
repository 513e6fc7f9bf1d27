// Generated from the documents by make sdk. DO NOT EDIT.
import type * as customers from './customers.js';
import type * as orders from './orders.js';
import type * as events from './events.js';
import type * as orchestrator from './orchestrator.js';

export type Documented = customers.operations & orders.operations & events.operations & orchestrator.operations;

export type AdjustmentReason = orders.components['schemas']['AdjustmentReason'];
export type ApiErrorDetail = customers.components['schemas']['ApiErrorDetail'];
export type CSVDelimiter = customers.components['schemas']['CSVDelimiter'];
export type CancelReason = orders.components['schemas']['CancelReason'];
export type CancelReasonFilter = orders.components['schemas']['CancelReasonFilter'];
export type Cancellation = orders.components['schemas']['Cancellation'];
export type Cents = orders.components['schemas']['Cents'];
export type ChangeEvent = customers.components['schemas']['ChangeEvent'];
export type CorrelationId = customers.components['schemas']['CorrelationId'];
export type Customer = customers.components['schemas']['Customer'];
export type CustomerEvent = events.components['schemas']['CustomerEvent'];
export type CustomerExternalRef = customers.components['schemas']['CustomerExternalRef'];
export type CustomerImportRow = customers.components['schemas']['CustomerImportRow'];
export type CustomerKeyReport = customers.components['schemas']['CustomerKeyReport'];
export type CustomerKeyReportResponse = customers.components['schemas']['CustomerKeyReportResponse'];
export type CustomerKeyedOperation = customers.components['schemas']['CustomerKeyedOperation'];
export type CustomerListResponse = customers.components['schemas']['CustomerListResponse'];
export type CustomerName = customers.components['schemas']['CustomerName'];
export type CustomerRequest = customers.components['schemas']['CustomerRequest'];
export type CustomerResponse = customers.components['schemas']['CustomerResponse'];
export type CustomerUpdate = customers.components['schemas']['CustomerUpdate'];
export type DateFilter = customers.components['schemas']['DateFilter'];
export type Day = orders.components['schemas']['Day'];
export type DeletedResponse = customers.components['schemas']['DeletedResponse'];
export type Email = customers.components['schemas']['Email'];
export type ErrorBody = customers.components['schemas']['ErrorBody'];
export type ErrorCode = customers.components['schemas']['ErrorCode'];
export type EventListResponse = customers.components['schemas']['EventListResponse'];
export type EventPosition = events.components['schemas']['EventPosition'];
export type EventSubject = customers.components['schemas']['EventSubject'];
export type EventType = customers.components['schemas']['EventType'];
export type ExpectedTotalCents = orders.components['schemas']['ExpectedTotalCents'];
export type FeedEvent = events.components['schemas']['FeedEvent'];
export type FeedMeta = events.components['schemas']['FeedMeta'];
export type FeedResponse = events.components['schemas']['FeedResponse'];
export type FileEncoding = customers.components['schemas']['FileEncoding'];
export type FileFormat = customers.components['schemas']['FileFormat'];
export type Health = customers.components['schemas']['Health'];
export type Id = customers.components['schemas']['Id'];
export type IdList = customers.components['schemas']['IdList'];
export type IdempotencyKey = customers.components['schemas']['IdempotencyKey'];
export type ImportLine = customers.components['schemas']['ImportLine'];
export type ImportSummary = customers.components['schemas']['ImportSummary'];
export type KeyReport = orders.components['schemas']['KeyReport'];
export type KeyReportResponse = orders.components['schemas']['KeyReportResponse'];
export type KeyedOperation = orders.components['schemas']['KeyedOperation'];
export type ListSort = customers.components['schemas']['ListSort'];
export type Meta = customers.components['schemas']['Meta'];
export type NullableTimestamp = customers.components['schemas']['NullableTimestamp'];
export type Orchestration = orchestrator.components['schemas']['Orchestration'];
export type OrchestrationReport = orchestrator.components['schemas']['OrchestrationReport'];
export type OrchestrationReportResponse = orchestrator.components['schemas']['OrchestrationReportResponse'];
export type OrchestrationRequest = orchestrator.components['schemas']['OrchestrationRequest'];
export type OrchestrationResponse = orchestrator.components['schemas']['OrchestrationResponse'];
export type Order = orders.components['schemas']['Order'];
export type OrderAction = orders.components['schemas']['OrderAction'];
export type OrderCustomerId = orders.components['schemas']['OrderCustomerId'];
export type OrderEvent = events.components['schemas']['OrderEvent'];
export type OrderExternalRef = orders.components['schemas']['OrderExternalRef'];
export type OrderItem = orders.components['schemas']['OrderItem'];
export type OrderItemRequest = orders.components['schemas']['OrderItemRequest'];
export type OrderLineRow = orders.components['schemas']['OrderLineRow'];
export type OrderListResponse = orders.components['schemas']['OrderListResponse'];
export type OrderMetadata = orders.components['schemas']['OrderMetadata'];
export type OrderRequest = orders.components['schemas']['OrderRequest'];
export type OrderResponse = orders.components['schemas']['OrderResponse'];
export type OrderStatus = orders.components['schemas']['OrderStatus'];
export type OrderStatusFilter = orders.components['schemas']['OrderStatusFilter'];
export type OrderSummary = orders.components['schemas']['OrderSummary'];
export type OrderTotals = orders.components['schemas']['OrderTotals'];
export type OrderingCustomer = orchestrator.components['schemas']['OrderingCustomer'];
export type OrdersOfDay = orders.components['schemas']['OrdersOfDay'];
export type OrdersSummary = orders.components['schemas']['OrdersSummary'];
export type OrdersSummaryResponse = orders.components['schemas']['OrdersSummaryResponse'];
export type Phone = customers.components['schemas']['Phone'];
export type PlacedOrder = orchestrator.components['schemas']['PlacedOrder'];
export type PriceCents = orders.components['schemas']['PriceCents'];
export type Product = orders.components['schemas']['Product'];
export type ProductActive = orders.components['schemas']['ProductActive'];
export type ProductEvent = events.components['schemas']['ProductEvent'];
export type ProductImportRow = orders.components['schemas']['ProductImportRow'];
export type ProductListResponse = orders.components['schemas']['ProductListResponse'];
export type ProductName = orders.components['schemas']['ProductName'];
export type ProductRequest = orders.components['schemas']['ProductRequest'];
export type ProductResponse = orders.components['schemas']['ProductResponse'];
export type ProductUpdate = orders.components['schemas']['ProductUpdate'];
export type Quote = orders.components['schemas']['Quote'];
export type QuoteResponse = orders.components['schemas']['QuoteResponse'];
export type QuotedItem = orders.components['schemas']['QuotedItem'];
export type Shortage = orders.components['schemas']['Shortage'];
export type Sku = orders.components['schemas']['Sku'];
export type StockAdjustment = orders.components['schemas']['StockAdjustment'];
export type StockAdjustmentListResponse = orders.components['schemas']['StockAdjustmentListResponse'];
export type StockAdjustmentRequest = orders.components['schemas']['StockAdjustmentRequest'];
export type StockAdjustmentResponse = orders.components['schemas']['StockAdjustmentResponse'];
export type StockLevel = orders.components['schemas']['StockLevel'];
export type Success = customers.components['schemas']['Success'];
export type SummaryPeriod = orders.components['schemas']['SummaryPeriod'];
export type TimeZoneName = orders.components['schemas']['TimeZoneName'];
export type Timestamp = customers.components['schemas']['Timestamp'];
export type WebhookDeletedResponse = events.components['schemas']['WebhookDeletedResponse'];
export type WebhookDelivery = events.components['schemas']['WebhookDelivery'];
export type WebhookDeliveryListResponse = events.components['schemas']['WebhookDeliveryListResponse'];
export type WebhookDeliveryResponse = events.components['schemas']['WebhookDeliveryResponse'];
export type WebhookDescription = events.components['schemas']['WebhookDescription'];
export type WebhookEndpoint = events.components['schemas']['WebhookEndpoint'];
export type WebhookEndpointEvent = events.components['schemas']['WebhookEndpointEvent'];
export type WebhookEndpointListResponse = events.components['schemas']['WebhookEndpointListResponse'];
export type WebhookEndpointRequest = events.components['schemas']['WebhookEndpointRequest'];
export type WebhookEndpointResponse = events.components['schemas']['WebhookEndpointResponse'];
export type WebhookEndpointUpdate = events.components['schemas']['WebhookEndpointUpdate'];
export type WebhookEndpointWithSecret = events.components['schemas']['WebhookEndpointWithSecret'];
export type WebhookMessage = events.components['schemas']['WebhookMessage'];
export type WebhookSecretResponse = events.components['schemas']['WebhookSecretResponse'];
export type WebhookSignature = events.components['schemas']['WebhookSignature'];
export type WebhookTypes = events.components['schemas']['WebhookTypes'];
export type WebhookUrl = events.components['schemas']['WebhookUrl'];

export const operations = {
  /** List and search customers */
  listCustomers: {"service":"customers","method":"get","path":"/customers","key":"none","query":["search","email","external_ref","updated_since","sort","cursor","limit","ids","include_deleted"],"moments":["updated_since"],"body":"none","status":200,"answer":"CustomerListResponse","limit":100},
  /** Create a customer */
  createCustomer: {"service":"customers","method":"post","path":"/customers","key":"header","query":[],"moments":[],"body":"required","status":201,"answer":"CustomerResponse"},
  /** Read one customer */
  getCustomer: {"service":"customers","method":"get","path":"/customers/{id}","key":"none","query":[],"moments":[],"body":"none","status":200,"answer":"CustomerResponse"},
  /** Change a customer */
  updateCustomer: {"service":"customers","method":"put","path":"/customers/{id}","key":"none","query":[],"moments":[],"body":"required","status":200,"answer":"CustomerResponse"},
  /** Delete a customer */
  deleteCustomer: {"service":"customers","method":"delete","path":"/customers/{id}","key":"none","query":[],"moments":[],"body":"none","status":200,"answer":"DeletedResponse"},
  /** List the history of a customer */
  listCustomerHistory: {"service":"customers","method":"get","path":"/customers/{id}/history","key":"none","query":["sort","cursor","limit"],"moments":[],"body":"none","status":200,"answer":"EventListResponse","limit":100},
  /** Look up an idempotency key (key in the query) */
  findCustomerIdempotencyKey: {"service":"customers","method":"get","path":"/customer-idempotency-keys","key":"none","query":["key"],"moments":[],"body":"none","status":200,"answer":"CustomerKeyReportResponse"},
  /** Look up an idempotency key */
  getCustomerIdempotencyKey: {"service":"customers","method":"get","path":"/customer-idempotency-keys/{key}","key":"none","query":[],"moments":[],"body":"none","status":200,"answer":"CustomerKeyReportResponse"},
  /** List and search products */
  listProducts: {"service":"orders","method":"get","path":"/products","key":"none","query":["search","sku","active","updated_since","sort","cursor","limit","stock_below","ids"],"moments":["updated_since"],"body":"none","status":200,"answer":"ProductListResponse","limit":100},
  /** Create a product */
  createProduct: {"service":"orders","method":"post","path":"/products","key":"header","query":[],"moments":[],"body":"required","status":201,"answer":"ProductResponse"},
  /** Read one product */
  getProduct: {"service":"orders","method":"get","path":"/products/{id}","key":"none","query":[],"moments":[],"body":"none","status":200,"answer":"ProductResponse"},
  /** Change a product */
  updateProduct: {"service":"orders","method":"patch","path":"/products/{id}","key":"none","query":[],"moments":[],"body":"required","status":200,"answer":"ProductResponse"},
  /** List the changes of a product's stock */
  listStockAdjustments: {"service":"orders","method":"get","path":"/products/{id}/stock-adjustments","key":"none","query":["sort","cursor","limit"],"moments":[],"body":"none","status":200,"answer":"StockAdjustmentListResponse","limit":100},
  /** Add to or take from a product's stock */
  adjustStock: {"service":"orders","method":"post","path":"/products/{id}/stock-adjustments","key":"header","query":[],"moments":[],"body":"required","status":201,"answer":"StockAdjustmentResponse"},
  /** List the history of a product */
  listProductHistory: {"service":"orders","method":"get","path":"/products/{id}/history","key":"none","query":["sort","cursor","limit"],"moments":[],"body":"none","status":200,"answer":"EventListResponse","limit":100},
  /** List orders */
  listOrders: {"service":"orders","method":"get","path":"/orders","key":"none","query":["status","customer_id","external_ref","from","to","updated_since","sort","cursor","limit","confirmed_from","confirmed_to","cancel_reason","ids"],"moments":["from","to","updated_since","confirmed_from","confirmed_to"],"body":"none","status":200,"answer":"OrderListResponse","limit":100},
  /** Place an order */
  createOrder: {"service":"orders","method":"post","path":"/orders","key":"header","query":[],"moments":[],"body":"required","status":201,"answer":"OrderResponse"},
  /** Quote an order */
  quoteOrder: {"service":"orders","method":"post","path":"/orders/quote","key":"none","query":[],"moments":[],"body":"required","status":200,"answer":"QuoteResponse"},
  /** Summarize the orders of each day */
  summarizeOrders: {"service":"orders","method":"get","path":"/orders/summary","key":"none","query":["from","to","by","tz"],"moments":[],"body":"none","status":200,"answer":"OrdersSummaryResponse"},
  /** Read one order */
  getOrder: {"service":"orders","method":"get","path":"/orders/{id}","key":"none","query":[],"moments":[],"body":"none","status":200,"answer":"OrderResponse"},
  /** Confirm an order */
  confirmOrder: {"service":"orders","method":"post","path":"/orders/{id}/confirm","key":"header","query":[],"moments":[],"body":"none","status":200,"answer":"OrderResponse"},
  /** Cancel an order */
  cancelOrder: {"service":"orders","method":"post","path":"/orders/{id}/cancel","key":"header","query":[],"moments":[],"body":"optional","status":200,"answer":"OrderResponse"},
  /** List the history of an order */
  listOrderHistory: {"service":"orders","method":"get","path":"/orders/{id}/history","key":"none","query":["sort","cursor","limit"],"moments":[],"body":"none","status":200,"answer":"EventListResponse","limit":100},
  /** Look up an idempotency key (key in the query) */
  findIdempotencyKey: {"service":"orders","method":"get","path":"/idempotency-keys","key":"none","query":["key"],"moments":[],"body":"none","status":200,"answer":"KeyReportResponse"},
  /** Look up an idempotency key */
  getIdempotencyKey: {"service":"orders","method":"get","path":"/idempotency-keys/{key}","key":"none","query":[],"moments":[],"body":"none","status":200,"answer":"KeyReportResponse"},
  /** Read the events after a position */
  listEvents: {"service":"events","method":"get","path":"/events","key":"none","query":["after","types","limit","wait"],"moments":[],"body":"none","status":200,"answer":"FeedResponse","limit":1000},
  /** List the webhook endpoints */
  listWebhookEndpoints: {"service":"events","method":"get","path":"/webhook-endpoints","key":"none","query":["sort","cursor","limit"],"moments":[],"body":"none","status":200,"answer":"WebhookEndpointListResponse","limit":100},
  /** Create a webhook endpoint */
  createWebhookEndpoint: {"service":"events","method":"post","path":"/webhook-endpoints","key":"header","query":[],"moments":[],"body":"required","status":201,"answer":"WebhookSecretResponse"},
  /** Replace the secret of a webhook endpoint */
  rotateWebhookSecret: {"service":"events","method":"post","path":"/webhook-endpoints/{id}/rotate-secret","key":"header","query":[],"moments":[],"body":"none","status":200,"answer":"WebhookSecretResponse"},
  /** Send a test message to a webhook endpoint */
  testWebhookEndpoint: {"service":"events","method":"post","path":"/webhook-endpoints/{id}/test","key":"none","query":[],"moments":[],"body":"none","status":200,"answer":"WebhookDeliveryResponse"},
  /** List the deliveries to a webhook endpoint */
  listWebhookDeliveries: {"service":"events","method":"get","path":"/webhook-endpoints/{id}/deliveries","key":"none","query":["sort","cursor","limit"],"moments":[],"body":"none","status":200,"answer":"WebhookDeliveryListResponse","limit":100},
  /** Send events to a webhook endpoint again */
  replayWebhookEvents: {"service":"events","method":"post","path":"/webhook-endpoints/{id}/replay","key":"none","query":["after"],"moments":[],"body":"none","status":200,"answer":"WebhookEndpointResponse"},
  /** Read one webhook endpoint */
  getWebhookEndpoint: {"service":"events","method":"get","path":"/webhook-endpoints/{id}","key":"none","query":[],"moments":[],"body":"none","status":200,"answer":"WebhookEndpointResponse"},
  /** Change a webhook endpoint */
  updateWebhookEndpoint: {"service":"events","method":"patch","path":"/webhook-endpoints/{id}","key":"none","query":[],"moments":[],"body":"required","status":200,"answer":"WebhookEndpointResponse"},
  /** Delete a webhook endpoint */
  deleteWebhookEndpoint: {"service":"events","method":"delete","path":"/webhook-endpoints/{id}","key":"none","query":[],"moments":[],"body":"none","status":200,"answer":"WebhookDeletedResponse"},
  /** Look up the result of a call (key in the query) */
  findOrchestration: {"service":"orchestrator","method":"get","path":"/orchestrator/create-and-confirm-order","key":"none","query":["idempotency_key"],"moments":[],"body":"none","status":200,"answer":"OrchestrationReportResponse"},
  /** Place and confirm an order in one call */
  createAndConfirmOrder: {"service":"orchestrator","method":"post","path":"/orchestrator/create-and-confirm-order","key":"body","query":[],"moments":[],"body":"required","status":201,"answer":"OrchestrationResponse"},
  /** Look up the result of a call */
  getOrchestration: {"service":"orchestrator","method":"get","path":"/orchestrator/create-and-confirm-order/{idempotency_key}","key":"none","query":[],"moments":[],"body":"none","status":200,"answer":"OrchestrationReportResponse"},
} as const;

export const files = {
  /** Create and change customers, row by row */
  importCustomers: {"service":"customers","method":"post","path":"/customers/import","query":["dry_run"],"moments":[],"answer":"ImportLine"},
  /** Read all customers as a file */
  exportCustomers: {"service":"customers","method":"get","path":"/customers/export","query":["search","email","external_ref","updated_since","ids","include_deleted"],"moments":["updated_since"],"answer":"Customer"},
  /** Create and change products, row by row */
  importProducts: {"service":"orders","method":"post","path":"/products/import","query":["dry_run"],"moments":[],"answer":"ImportLine"},
  /** Read all products as a file */
  exportProducts: {"service":"orders","method":"get","path":"/products/export","query":["search","sku","active","updated_since","stock_below","ids"],"moments":["updated_since"],"answer":"Product"},
  /** Read all orders as a file */
  exportOrders: {"service":"orders","method":"get","path":"/orders/export","query":["status","customer_id","external_ref","from","to","updated_since","confirmed_from","confirmed_to","cancel_reason","ids"],"moments":["from","to","updated_since","confirmed_from","confirmed_to"],"answer":"Order"},
} as const;

/** What a row of each file is. */
export interface Rows {
  importCustomers: CustomerImportRow;
  exportCustomers: Customer;
  importProducts: ProductImportRow;
  exportProducts: Product;
  exportOrders: Order;
}

export type Shape = string | readonly [Shape] | { readonly [field: string]: Shape };

export const shapes: Record<string, Shape> = {
  ApiErrorDetail: {"field":"string","message":"string","params?":"object"},
  ChangeEvent: {"id":"integer","type":"string","subject":"string","subject_id":"integer","customer_id":"integer?","actor":"string","correlation_id":"string?","created_at":"time","representation":"object"},
  Customer: {"id":"integer","name":"string","email":"string","phone":"string?","external_ref":"string?","created_at":"time","updated_at":"time","deleted_at":"time?"},
  CustomerKeyReport: {"idempotency_key":"string","operations":["CustomerKeyedOperation"]},
  CustomerKeyReportResponse: {"success":"boolean","data":"CustomerKeyReport"},
  CustomerKeyedOperation: {"operation":"string","customer_id":"integer","expires_at":"time"},
  CustomerListResponse: {"success":"boolean","data":["Customer"],"meta":"Meta"},
  CustomerResponse: {"success":"boolean","data":"Customer"},
  DeletedResponse: {"success":"boolean","message":"string"},
  EventListResponse: {"success":"boolean","data":["ChangeEvent"],"meta":"Meta"},
  FeedEvent: {"id":"integer","type":"string","subject":"string","subject_id":"integer","customer_id":"integer?","actor":"string","correlation_id":"string?","created_at":"time","representation":"object","position":"integer"},
  FeedMeta: {"next_after":"integer","last_position":"integer"},
  FeedResponse: {"success":"boolean","data":["FeedEvent"],"meta":"FeedMeta"},
  ImportLine: {"row?":"integer","result?":"string","id?":"integer","code?":"string","error?":"string","details?":["ApiErrorDetail"],"summary?":"ImportSummary"},
  ImportSummary: {"complete":"boolean","dry_run":"boolean","rows":"integer","created":"integer","updated":"integer","unchanged":"integer","refused":"integer","code?":"string","error?":"string"},
  KeyReport: {"idempotency_key":"string","operations":["KeyedOperation"]},
  KeyReportResponse: {"success":"boolean","data":"KeyReport"},
  KeyedOperation: {"operation":"string","order_id":"integer?","order_status":"string?","product_id":"integer?","expires_at":"time"},
  Meta: {"nextCursor":"integer?"},
  Orchestration: {"customer":"OrderingCustomer","order":"PlacedOrder"},
  OrchestrationReport: {"customer":"OrderingCustomer","order":"PlacedOrder","current_status":"string"},
  OrchestrationReportResponse: {"success":"boolean","correlationId":"string","data":"OrchestrationReport"},
  OrchestrationResponse: {"success":"boolean","correlationId":"string","data":"Orchestration"},
  Order: {"id":"integer","customer_id":"integer","external_ref":"string?","metadata":"object?","status":"string","total_cents":"integer","created_at":"time","confirmed_at":"time?","canceled_at":"time?","cancel_reason":"string?","cancel_note":"string?","canceled_by":"string?","reservation_expires_at":"time?","cancelable_until":"time?","allowed_actions":["string"],"updated_at":"time","items":["OrderItem"]},
  OrderItem: {"product_id":"integer","sku":"string","name":"string","qty":"integer","unit_price_cents":"integer","subtotal_cents":"integer"},
  OrderItemRequest: {"product_id?":"integer","sku?":"string","qty":"integer"},
  OrderListResponse: {"success":"boolean","data":["OrderSummary"],"meta":"Meta"},
  OrderRequest: {"customer_id":"integer","items":["OrderItemRequest"],"expected_total_cents?":"integer","external_ref?":"string?","metadata?":"object?"},
  OrderResponse: {"success":"boolean","data":"Order"},
  OrderSummary: {"id":"integer","customer_id":"integer","external_ref":"string?","metadata":"object?","status":"string","total_cents":"integer","created_at":"time","confirmed_at":"time?","canceled_at":"time?","cancel_reason":"string?","cancel_note":"string?","canceled_by":"string?","reservation_expires_at":"time?","cancelable_until":"time?","allowed_actions":["string"],"updated_at":"time"},
  OrderTotals: {"orders":"integer","units":"integer","total_cents":"integer"},
  OrderingCustomer: {"id":"integer","name":"string","email":"string","phone":"string?"},
  OrdersOfDay: {"day":"string","created":"OrderTotals","confirmed":"OrderTotals","canceled":"OrderTotals"},
  OrdersSummary: {"tz":"string","days":["OrdersOfDay"]},
  OrdersSummaryResponse: {"success":"boolean","data":"OrdersSummary"},
  PlacedOrder: {"id":"integer","status":"string","total_cents":"integer","items":["OrderItem"]},
  Product: {"id":"integer","sku":"string","name":"string","price_cents":"integer","stock":"integer","active":"boolean","created_at":"time","updated_at":"time"},
  ProductListResponse: {"success":"boolean","data":["Product"],"meta":"Meta"},
  ProductResponse: {"success":"boolean","data":"Product"},
  Quote: {"items":["QuotedItem"],"total_cents":"integer","shortages":["Shortage"],"fillable?":"OrderRequest"},
  QuoteResponse: {"success":"boolean","data":"Quote"},
  QuotedItem: {"product_id":"integer","sku":"string","qty":"integer","unit_price_cents":"integer","subtotal_cents":"integer"},
  Shortage: {"product_id":"integer","sku":"string","requested":"integer","available":"integer"},
  StockAdjustment: {"id":"integer","product_id":"integer","delta":"integer","level":"integer","reason":"string","actor":"string?","created_at":"time"},
  StockAdjustmentListResponse: {"success":"boolean","data":["StockAdjustment"],"meta":"Meta"},
  StockAdjustmentResponse: {"success":"boolean","data":"StockAdjustment"},
  WebhookDeletedResponse: {"success":"boolean","message":"string"},
  WebhookDelivery: {"id":"integer","webhook_id":"string?","type":"string?","position":"integer?","attempted_at":"time","outcome":"string","status":"integer?","duration_ms":"integer","answer":"string?","failure":"string?"},
  WebhookDeliveryListResponse: {"success":"boolean","data":["WebhookDelivery"],"meta":"Meta"},
  WebhookDeliveryResponse: {"success":"boolean","data":"WebhookDelivery"},
  WebhookEndpoint: {"id":"integer","customer_id":"integer?","url":"string","description":"string?","types":["string"],"subjects":["string"],"signature":"string","public_key":"string?","previous_secret_until":"time?","enabled":"boolean","disabled_at":"time?","disabled_reason":"string?","position":"integer","failures":"integer","failing_since":"time?","next_attempt_at":"time?","created_by":"string","created_at":"time","updated_at":"time"},
  WebhookEndpointListResponse: {"success":"boolean","data":["WebhookEndpoint"],"meta":"Meta"},
  WebhookEndpointResponse: {"success":"boolean","data":"WebhookEndpoint"},
  WebhookEndpointWithSecret: {"endpoint":"WebhookEndpoint","secret":"string?"},
  WebhookSecretResponse: {"success":"boolean","data":"WebhookEndpointWithSecret"},
};
