package com.example.b2b;

import com.example.b2b.client.ApiClient;
import com.example.b2b.model.Customer;
import com.example.b2b.model.FeedEvent;
import com.example.b2b.model.Order;
import com.example.b2b.model.Product;
import com.example.b2b.model.WebhookEndpoint;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * Reads the representation of an event: {@code switch (event.getSubject()) { case "order" -> Events.order(event).getTotalCents(); … }}.
 * Each method throws an IllegalArgumentException for an event of another subject. A field that is younger than the event is null.
 */
public final class Events {
  private static final ObjectMapper json = ApiClient.createDefaultObjectMapper();

  private Events() {}

  /** Returns the order right after the event. */
  public static Order order(FeedEvent event) {
    return read(event, "order", Order.class);
  }

  /** Returns the product right after the event. */
  public static Product product(FeedEvent event) {
    return read(event, "product", Product.class);
  }

  /** Returns the customer right after the event. */
  public static Customer customer(FeedEvent event) {
    return read(event, "customer", Customer.class);
  }

  /** Returns the webhook endpoint right after the event. */
  public static WebhookEndpoint webhookEndpoint(FeedEvent event) {
    return read(event, "webhook_endpoint", WebhookEndpoint.class);
  }

  private static <T> T read(FeedEvent event, String subject, Class<T> type) {
    if (!subject.equals(event.getSubject())) {
      throw new IllegalArgumentException("event " + event.getId() + " is about the subject " + event.getSubject() + ", not " + subject);
    }
    return json.convertValue(event.getRepresentation(), type);
  }
}
