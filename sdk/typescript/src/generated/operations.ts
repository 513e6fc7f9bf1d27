// Generated from the documents by make sdk. DO NOT EDIT.
import type * as customers from './customers.js';
import type * as orders from './orders.js';
import type * as orchestrator from './orchestrator.js';

export type Documented = customers.operations & orders.operations & orchestrator.operations;

export type AdjustmentReason = orders.components['schemas']['AdjustmentReason'];
export type ApiErrorDetail = customers.components['schemas']['ApiErrorDetail'];
export type CancelReason = orders.components['schemas']['CancelReason'];
export type Cancellation = orders.components['schemas']['Cancellation'];
export type Cents = orders.components['schemas']['Cents'];
export type ChangeEvent = customers.components['schemas']['ChangeEvent'];
export type CorrelationId = customers.components['schemas']['CorrelationId'];
export type Customer = customers.components['schemas']['Customer'];
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
export type DeletedResponse = customers.components['schemas']['DeletedResponse'];
export type Email = customers.components['schemas']['Email'];
export type ErrorBody = customers.components['schemas']['ErrorBody'];
export type ErrorCode = customers.components['schemas']['ErrorCode'];
export type EventListResponse = customers.components['schemas']['EventListResponse'];
export type EventSubject = customers.components['schemas']['EventSubject'];
export type EventType = customers.components['schemas']['EventType'];
export type FileFormat = customers.components['schemas']['FileFormat'];
export type Health = customers.components['schemas']['Health'];
export type Id = customers.components['schemas']['Id'];
export type IdempotencyKey = customers.components['schemas']['IdempotencyKey'];
export type ImportLine = customers.components['schemas']['ImportLine'];
export type ImportSummary = customers.components['schemas']['ImportSummary'];
export type KeyReport = orders.components['schemas']['KeyReport'];
export type KeyReportResponse = orders.components['schemas']['KeyReportResponse'];
export type KeyedOperation = orders.components['schemas']['KeyedOperation'];
export type ListSort = customers.components['schemas']['ListSort'];
export type Meta = customers.components['schemas']['Meta'];
export type NullableTimestamp = orders.components['schemas']['NullableTimestamp'];
export type Orchestration = orchestrator.components['schemas']['Orchestration'];
export type OrchestrationReport = orchestrator.components['schemas']['OrchestrationReport'];
export type OrchestrationReportResponse = orchestrator.components['schemas']['OrchestrationReportResponse'];
export type OrchestrationRequest = orchestrator.components['schemas']['OrchestrationRequest'];
export type OrchestrationResponse = orchestrator.components['schemas']['OrchestrationResponse'];
export type Order = orders.components['schemas']['Order'];
export type OrderAction = orders.components['schemas']['OrderAction'];
export type OrderCustomerId = orders.components['schemas']['OrderCustomerId'];
export type OrderExternalRef = orders.components['schemas']['OrderExternalRef'];
export type OrderItem = orders.components['schemas']['OrderItem'];
export type OrderItemRequest = orders.components['schemas']['OrderItemRequest'];
export type OrderListResponse = orders.components['schemas']['OrderListResponse'];
export type OrderMetadata = orders.components['schemas']['OrderMetadata'];
export type OrderRequest = orders.components['schemas']['OrderRequest'];
export type OrderResponse = orders.components['schemas']['OrderResponse'];
export type OrderStatus = orders.components['schemas']['OrderStatus'];
export type OrderStatusFilter = orders.components['schemas']['OrderStatusFilter'];
export type OrderSummary = orders.components['schemas']['OrderSummary'];
export type OrderingCustomer = orchestrator.components['schemas']['OrderingCustomer'];
export type Phone = customers.components['schemas']['Phone'];
export type PlacedOrder = orchestrator.components['schemas']['PlacedOrder'];
export type PriceCents = orders.components['schemas']['PriceCents'];
export type Product = orders.components['schemas']['Product'];
export type ProductActive = orders.components['schemas']['ProductActive'];
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
export type Timestamp = customers.components['schemas']['Timestamp'];

export const operations = {
  /** List and search customers */
  listCustomers: {"service":"customers","method":"get","path":"/customers","key":"none","query":["search","email","external_ref","updated_since","sort","cursor","limit"],"body":"none"},
  /** Create a customer */
  createCustomer: {"service":"customers","method":"post","path":"/customers","key":"header","query":[],"body":"required"},
  /** Read one customer */
  getCustomer: {"service":"customers","method":"get","path":"/customers/{id}","key":"none","query":[],"body":"none"},
  /** Change a customer */
  updateCustomer: {"service":"customers","method":"put","path":"/customers/{id}","key":"none","query":[],"body":"required"},
  /** Delete a customer */
  deleteCustomer: {"service":"customers","method":"delete","path":"/customers/{id}","key":"none","query":[],"body":"none"},
  /** List what has happened to a customer */
  listCustomerHistory: {"service":"customers","method":"get","path":"/customers/{id}/history","key":"none","query":["sort","cursor","limit"],"body":"none"},
  /** What has a key done? */
  getCustomerIdempotencyKey: {"service":"customers","method":"get","path":"/customer-idempotency-keys/{key}","key":"none","query":[],"body":"none"},
  /** List and search products */
  listProducts: {"service":"orders","method":"get","path":"/products","key":"none","query":["search","sku","active","updated_since","sort","cursor","limit"],"body":"none"},
  /** Create a product */
  createProduct: {"service":"orders","method":"post","path":"/products","key":"header","query":[],"body":"required"},
  /** Read one product */
  getProduct: {"service":"orders","method":"get","path":"/products/{id}","key":"none","query":[],"body":"none"},
  /** Change a product */
  updateProduct: {"service":"orders","method":"patch","path":"/products/{id}","key":"none","query":[],"body":"required"},
  /** List the changes of a product's stock */
  listStockAdjustments: {"service":"orders","method":"get","path":"/products/{id}/stock-adjustments","key":"none","query":["sort","cursor","limit"],"body":"none"},
  /** Add to or take from a product's stock */
  adjustStock: {"service":"orders","method":"post","path":"/products/{id}/stock-adjustments","key":"header","query":[],"body":"required"},
  /** List what has happened to a product */
  listProductHistory: {"service":"orders","method":"get","path":"/products/{id}/history","key":"none","query":["sort","cursor","limit"],"body":"none"},
  /** List orders */
  listOrders: {"service":"orders","method":"get","path":"/orders","key":"none","query":["status","customer_id","external_ref","from","to","updated_since","sort","cursor","limit"],"body":"none"},
  /** Place an order */
  createOrder: {"service":"orders","method":"post","path":"/orders","key":"header","query":[],"body":"required"},
  /** What would an order cost, and what is missing? */
  quoteOrder: {"service":"orders","method":"post","path":"/orders/quote","key":"none","query":[],"body":"required"},
  /** Read one order */
  getOrder: {"service":"orders","method":"get","path":"/orders/{id}","key":"none","query":[],"body":"none"},
  /** Confirm an order */
  confirmOrder: {"service":"orders","method":"post","path":"/orders/{id}/confirm","key":"header","query":[],"body":"none"},
  /** Cancel an order */
  cancelOrder: {"service":"orders","method":"post","path":"/orders/{id}/cancel","key":"header","query":[],"body":"optional"},
  /** List what has happened to an order */
  listOrderHistory: {"service":"orders","method":"get","path":"/orders/{id}/history","key":"none","query":["sort","cursor","limit"],"body":"none"},
  /** What has a key done? */
  getIdempotencyKey: {"service":"orders","method":"get","path":"/idempotency-keys/{key}","key":"none","query":[],"body":"none"},
  /** Place and confirm an order in one call */
  createAndConfirmOrder: {"service":"orchestrator","method":"post","path":"/orchestrator/create-and-confirm-order","key":"body","query":[],"body":"required"},
  /** What became of a call? */
  getOrchestration: {"service":"orchestrator","method":"get","path":"/orchestrator/create-and-confirm-order/{idempotency_key}","key":"none","query":[],"body":"none"},
} as const;
