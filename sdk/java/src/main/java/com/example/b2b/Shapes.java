package com.example.b2b;

import com.example.b2b.client.ApiClient;
import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import jakarta.annotation.Nullable;
import java.io.IOException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Says whether JSON is what a generated model says; Jackson itself takes null for what is missing, and texts for numbers. */
final class Shapes {
  private static final ObjectMapper json = ApiClient.createDefaultObjectMapper();
  private static final Map<JavaType, List<BeanPropertyDefinition>> fields = new ConcurrentHashMap<>();

  private Shapes() {}

  /** Returns the one JSON value that content has. */
  static JsonNode parse(byte[] content) throws JsonMappingException {
    try {
      return json.reader().with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).readTree(content);
    } catch (IOException e) {
      throw new JsonMappingException(null, "it is no JSON", e);
    }
  }

  /** Returns what JSON is of a type. Throws when it is none. */
  static <T> T read(JsonNode node, Class<T> type) throws JsonMappingException {
    try {
      if (fits(node, json.constructType(type))) return json.treeToValue(node, type);
    } catch (JsonProcessingException e) {
      // such as a time that is none
    }
    throw new JsonMappingException(null, "it is no " + type.getSimpleName());
  }

  private static boolean fits(JsonNode node, JavaType type) {
    if (type.isCollectionLikeType()) return node.isArray() && all(node, type.getContentType());
    if (type.isMapLikeType()) return node.isObject() && all(node, type.getContentType());
    if (type.isReferenceType()) return node.isNull() || fits(node, type.getContentType());
    if (type.hasRawClass(Object.class)) return true;
    if (type.hasRawClass(String.class) || type.hasRawClass(OffsetDateTime.class)) return node.isTextual();
    if (type.hasRawClass(Boolean.class)) return node.isBoolean();
    if (type.hasRawClass(Long.class)) return node.isIntegralNumber() && node.canConvertToLong();
    if (type.hasRawClass(Integer.class)) return node.isIntegralNumber() && node.canConvertToInt();
    return node.isObject() && fields.computeIfAbsent(type, it -> json.getSerializationConfig().introspect(it).findProperties()).stream().allMatch(field -> {
      var value = node.get(field.getName());
      if (value == null) return field.findInclusion().getValueInclusion() != Include.ALWAYS; // which the required ones have
      return value.isNull() && field.getGetter().hasAnnotation(Nullable.class) || fits(value, field.getPrimaryType());
    });
  }

  private static boolean all(JsonNode node, JavaType type) {
    for (var each : node) {
      if (!fits(each, type)) return false;
    }
    return true;
  }
}
