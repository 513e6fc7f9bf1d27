import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes of the three documents what the generator and the SDK need: Prepare OUT CUSTOMERS ORDERS ORCHESTRATOR
 *
 * <p>OUT/openapi.json has all operations for partners, apart from streams that are not JSON; OUT/java what the SDK has to know of
 * them. The idempotency key is optional there, since the SDK makes one, and pages implement Page.
 */
public final class Prepare {
  private static final List<String> services = List.of("customers", "orders", "orchestrator");
  private static final ObjectMapper yaml = new ObjectMapper(new YAMLFactory());
  private static final ObjectNode joined = yaml.createObjectNode();
  private static final Map<String, String> apis = new LinkedHashMap<>(); // by their tag
  private static final List<String> operations = new ArrayList<>();

  public static void main(String[] args) throws Exception {
    joined.put("openapi", "3.0.3");
    joined.putObject("info").put("title", "B2B order management").put("version", "0.1.0");
    joined.putArray("servers").addObject().put("url", "http://b2b.invalid");
    for (int i = 0; i < services.size(); i++) join(services.get(i), yaml.readTree(new File(args[i + 1])));

    var out = Path.of(args[0]);
    var source = out.resolve("java/com/example/b2b");
    Files.createDirectories(source);
    new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(out.resolve("openapi.json").toFile(), joined);
    Files.writeString(source.resolve("Apis.java"), apis());
  }

  private static void join(String service, JsonNode document) {
    for (var path : document.get("paths").properties()) {
      for (var method : path.getValue().properties()) {
        if (!(method.getValue() instanceof ObjectNode operation) || !operation.has("operationId")) continue;
        var tag = operation.at("/tags/0").asText();
        var description = describe(service, method.getKey(), path.getKey(), operation, document);
        if (Set.of("Operations", "Internal").contains(tag) || description == null) continue;
        var item = joined.withObjectProperty("paths").withObjectProperty(path.getKey());
        put(item, method.getKey(), operation);
        if (path.getValue().has("parameters")) put(item, "parameters", path.getValue().get("parameters"));
        apis.put(tag, tag + "Api");
        ((ObjectNode) operation.get("responses")).properties().removeIf(response -> !response.getKey().startsWith("2"));
        operations.add(description);
      }
    }
    for (var kind : document.get("components").properties()) {
      if (kind.getKey().equals("responses")) continue; // of errors, which the SDK reads
      for (var component : kind.getValue().properties()) {
        var all = joined.withObjectProperty("components").withObjectProperty(kind.getKey());
        if (component.getValue() instanceof ObjectNode it) {
          if (it.path("name").asText().equals("X-Idempotency-Key")) it.put("required", false);
          var items = it.at("/properties/data/items/$ref").asText();
          if (!items.isEmpty() && it.at("/properties").has("meta")) it.putArray("x-implements").add("com.example.b2b.Page<" + last(items) + ">");
        }
        put(all, component.getKey(), component.getValue());
      }
    }
  }

  /** Adds what may be there already, but not differently. */
  private static void put(ObjectNode to, String name, JsonNode value) {
    var before = to.get(name);
    if (before != null && !before.equals(value)) throw new IllegalStateException("two documents differ in " + name);
    to.set(name, value);
  }

  /** Returns the Java code for the Operation; null when what it takes or answers is not JSON. */
  private static String describe(String service, String method, String path, ObjectNode operation, JsonNode document) {
    var key = "NONE";
    for (var parameter : operation.withArrayProperty("parameters")) {
      var it = resolve(parameter, document);
      if (!it.path("name").asText().equals("X-Idempotency-Key")) continue;
      key = "HEADER";
      ((ObjectNode) it).put("required", false);
    }
    var content = resolve(operation.path("requestBody"), document).path("content");
    if (!content.isMissingNode() && !content.has("application/json")) return null;
    var body = resolve(content.at("/application~1json/schema"), document);
    if (body.path("properties").has("idempotency_key")) key = "BODY";
    var json = new ArrayList<String>();
    for (var response : operation.get("responses").properties()) {
      if (!response.getKey().startsWith("2")) continue;
      if (!resolve(response.getValue(), document).path("content").has("application/json")) return null;
      json.add(response.getKey());
    }
    return "new Operation(\"%s\", \"%s\", \"%s\", \"%s\", Operation.Key.%s, List.of(%s))".formatted(
        operation.get("operationId").asText(), service, method.toUpperCase(), path, key, String.join(", ", json));
  }

  private static JsonNode resolve(JsonNode node, JsonNode document) {
    return node.has("$ref") ? document.at(node.get("$ref").asText().substring(1)) : node;
  }

  private static String last(String ref) {
    return ref.substring(ref.lastIndexOf('/') + 1);
  }

  private static String apis() {
    var calls = new StringBuilder();
    apis.forEach((tag, type) -> calls.append("""

          /** The calls of the documents' group %1$s. */
          public final com.example.b2b.api.%2$s %3$s() {
            return new com.example.b2b.api.%2$s(client);
          }
        """.formatted(tag, type, Character.toLowerCase(tag.charAt(0)) + tag.substring(1))));
    return """
        // Generated by Prepare.java. DO NOT EDIT.
        package com.example.b2b;

        import com.example.b2b.client.ApiClient;
        import java.util.List;

        /** All calls of the documents. */
        public abstract class Apis {
          static final List<Operation> operations = List.of(
              %s);

          private final ApiClient client;

          Apis(ApiClient client) {
            this.client = client;
          }
        %s}
        """.formatted(String.join(",\n      ", operations), calls);
  }
}
