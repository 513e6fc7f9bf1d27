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
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Makes of the documents what the generator and the SDK need: Prepare OUT CUSTOMERS ORDERS EVENTS ORCHESTRATOR
 *
 * <p>OUT/openapi.json has all operations for partners; OUT/java what the SDK has to know of them. The idempotency key is optional
 * there, since the SDK makes one, and pages implement Page. Imports and exports are of one JSON object a line: the generator makes
 * their requests, in a group of their own.
 */
public final class Prepare {
  private static final List<String> services = List.of("customers", "orders", "events", "orchestrator");
  private static final ObjectMapper yaml = new ObjectMapper(new YAMLFactory());
  private static final ObjectNode joined = yaml.createObjectNode();
  private static final Map<String, String> apis = new LinkedHashMap<>(); // by their tag
  private static final List<String> operations = new ArrayList<>(), methods = new ArrayList<>();
  private static final Set<String> csvOnly = Set.of("format", "encoding", "delimiter", "bom", "lines"); // say nothing about JSON

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
        if (Set.of("Operations", "Internal").contains(tag)) continue;
        ((ObjectNode) operation.get("responses")).properties().removeIf(response -> !response.getKey().startsWith("2"));
        for (var response : operation.get("responses")) {
          if (response.get("content") instanceof ObjectNode content) content.remove("text/event-stream"); // for browsers
        }
        var file = file(operation, document);
        var description = describe(service, method.getKey(), path.getKey(), operation, document);
        var item = joined.withObjectProperty("paths").withObjectProperty(path.getKey());
        put(item, method.getKey(), operation);
        if (path.getValue().has("parameters")) put(item, "parameters", path.getValue().get("parameters"));
        if (!file) apis.put(tag, tag + "Api");
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
          if (!items.isEmpty() && it.at("/properties/meta/$ref").asText().endsWith("/Meta")) it.putArray("x-implements").add("com.example.b2b.Page<" + last(items) + ">");
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

  /** Reports whether an operation imports or exports; adds its method, and makes of it an operation on JSON. */
  private static boolean file(ObjectNode operation, JsonNode document) {
    var response = operation.get("responses").properties().iterator().next();
    var rows = resolve(response.getValue(), document).at("/content/application~1x-ndjson/x-row");
    if (rows.isMissingNode()) return false;
    var name = operation.get("operationId").asText();
    var sent = resolve(operation.path("requestBody"), document).at("/content/application~1x-ndjson/x-row");
    methods.add((sent.isMissingNode() ? """

          /** %1$s, in one answer. Close the stream, unless it is read to its end; it throws a B2BException when the answer breaks off. */
          public final Stream<%2$s> %3$s(FilesApi.API%4$sRequest request) {
            Objects.requireNonNull(request, "request");
            return exported(files -> files.%3$s(request), %2$s.class);
          }
        """ : """

          /** %1$s; see the method below. */
          public final ImportSummary %3$s(Iterable<%2$s> rows) {
            return imported(files -> files.%3$s(FilesApi.API%4$sRequest.newBuilder().build()), rows, null);
          }

          /**
           * %1$s. The rows are sent once, while they are read, and onRow is called with each row and what
           * became of it: for that they stay in memory. Throws what the rows throw, and nothing is done then. Throws
           * a B2BException when not all rows were read: repeat the call then, what is done already is unchanged.
           */
          public final ImportSummary %3$s(Iterable<%2$s> rows, FilesApi.API%4$sRequest request, BiConsumer<? super %2$s, ? super ImportLine> onRow) {
            Objects.requireNonNull(request, "request");
            Objects.requireNonNull(onRow, "onRow");
            return imported(files -> files.%3$s(request), rows, onRow);
          }
        """).formatted(operation.get("summary").asText(), last((sent.isMissingNode() ? rows : sent).get("$ref").asText()), name, upper(name)));
    operation.remove("requestBody");
    operation.putArray("tags").add("Files");
    var parameters = operation.withArrayProperty("parameters");
    for (int i = parameters.size() - 1; i >= 0; i--) {
      if (csvOnly.contains(resolve(parameters.get(i), document).path("name").asText())) parameters.remove(i);
    }
    var answer = operation.putObject("responses").putObject(response.getKey()).put("description", "Rows.");
    answer.putObject("content").putObject("application/json").set("schema", rows);
    return true;
  }

  /** Returns the Java code for the Operation; adds the method that iterates over a list. */
  private static String describe(String service, String method, String path, ObjectNode operation, JsonNode document) {
    var key = "NONE";
    for (var parameter : operation.withArrayProperty("parameters")) {
      var it = resolve(parameter, document);
      if (!it.path("name").asText().equals("X-Idempotency-Key")) continue;
      key = "HEADER";
      ((ObjectNode) it).put("required", false);
    }
    var content = resolve(operation.path("requestBody"), document).path("content");
    var body = resolve(content.at("/application~1json/schema"), document);
    if (body.path("properties").has("idempotency_key")) key = "BODY";
    if (operation.get("responses").size() != 1) throw new IllegalStateException(operation.get("operationId") + " has several successes");
    var success = operation.get("responses").properties().iterator().next();
    var answer = resolve(success.getValue(), document).at("/content/application~1json/schema");
    var name = operation.get("operationId").asText();
    var item = resolve(answer, document).at("/properties/data/items/$ref").asText();
    var parameters = operation.withArrayProperty("parameters").valueStream().map(parameter -> resolve(parameter, document)).toList();
    var paged = parameters.stream().anyMatch(it -> it.path("name").asText().equals("cursor"));
    for (var it : parameters) {
      if (!paged || !it.path("name").asText().equals("limit")) continue;
      var tag = operation.at("/tags/0").asText();
      var filters = new StringBuilder(); // of a page's request; the cursor is the page's
      for (var given : List.of(document.get("paths").get(path).path("parameters"), operation.get("parameters"))) {
        for (var parameter : given) {
          var filter = camel(resolve(parameter, document).path("name").asText());
          if (filter.equals("limit")) filters.append(".limit(all.limit() == null ? %d : all.limit())".formatted(it.at("/schema/maximum").asInt()));
          else if (!filter.equals("cursor")) filters.append(".%1$s(all.%1$s())".formatted(filter));
        }
      }
      methods.add("""

          /** %1$s, page after page of %2$d unless the filters say otherwise. The filters are read now, and stay as they are. */
          public final Iterable<%3$s> all%4$s(%5$sApi.API%6$sRequest.Builder filters) {
            var all = filters.build();
            return () -> B2B.pages("%7$s", all.cursor(), cursor -> %8$s().%7$sWithHttpInfo(%5$sApi.API%6$sRequest.newBuilder()
                .cursor(cursor)%9$s
                .build())).iterator();
          }
        """.formatted(operation.get("summary").asText(), it.at("/schema/maximum").asInt(), last(item), name.replaceFirst("list", ""), tag, upper(name), name, lower(tag), filters));
    }
    return "new Operation(\"%s\", \"%s\", \"%s\", \"%s\", Operation.Key.%s, %s, %s.class)".formatted(
        name, service, method.toUpperCase(), path, key, success.getKey(), last(answer.get("$ref").asText()));
  }

  /** Returns the generator's name of a parameter: customerId of customer_id. */
  private static String camel(String name) {
    return lower(Stream.of(name.split("[_-]")).map(Prepare::upper).collect(Collectors.joining()));
  }

  private static String upper(String name) {
    return Character.toUpperCase(name.charAt(0)) + name.substring(1);
  }

  private static String lower(String name) {
    return Character.toLowerCase(name.charAt(0)) + name.substring(1);
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
        """.formatted(tag, type, lower(tag))));
    return """
        // Generated by Prepare.java. DO NOT EDIT.
        package com.example.b2b;

        import com.example.b2b.api.*;
        import com.example.b2b.client.ApiClient;
        import com.example.b2b.model.*;
        import java.util.List;
        import java.util.Objects;
        import java.util.function.BiConsumer;
        import java.util.function.Consumer;
        import java.util.stream.Stream;

        /** All calls of the documents. */
        public abstract class Apis {
          static final List<Operation> operations = List.of(
              %s);

          private final ApiClient client;

          Apis(ApiClient client) {
            this.client = client;
          }

          abstract <T> Stream<T> exported(Consumer<FilesApi> call, Class<T> type);

          abstract <R> ImportSummary imported(Consumer<FilesApi> call, Iterable<R> rows, BiConsumer<? super R, ? super ImportLine> onRow);
        %s%s}
        """.formatted(String.join(",\n      ", operations), calls, String.join("", methods));
  }
}
