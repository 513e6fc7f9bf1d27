/** What differs between the clients for Java: the library "native": java.net.http and Jackson. */
final class Library {
  static b2b.customers.ApiClient customers(String base) {
    var client = new b2b.customers.ApiClient();
    client.updateBaseUri(base);
    return client;
  }

  static b2b.orders.ApiClient orders(String base) {
    var client = new b2b.orders.ApiClient();
    client.updateBaseUri(base);
    return client;
  }

  static b2b.orchestrator.ApiClient orchestrator(String base) {
    var client = new b2b.orchestrator.ApiClient();
    client.updateBaseUri(base);
    return client;
  }

  static b2b.orders.model.ErrorBody error(String body) throws Exception {
    return b2b.orders.ApiClient.createDefaultObjectMapper().readValue(body, b2b.orders.model.ErrorBody.class);
  }
}
