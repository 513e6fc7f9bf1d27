package com.example.b2b;

import com.example.b2b.client.ApiClient;
import com.example.b2b.model.WebhookMessage;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.EdECPoint;
import java.security.spec.EdECPublicKeySpec;
import java.security.spec.NamedParameterSpec;
import java.time.Instant;
import java.util.Base64;
import java.util.function.Function;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Checks webhooks, by the specification Standard Webhooks. */
public final class Webhook {
  private static final ObjectMapper json = ApiClient.createDefaultObjectMapper();

  private Webhook() {}

  /** Why a request is refused: none of the services has sent it, or it is not of now. */
  public static final class Refused extends Exception {
    private static final long serialVersionUID = 1;

    Refused(String message) {
      super(message);
    }
  }

  /**
   * Checks the signature and the time of a webhook, and returns its message. A message may arrive more than once, always with the
   * same header webhook-id.
   *
   * @param key the endpoint's secret (whsec_…), or its public key (whpk_…)
   * @param header returns a header of the request by its name, or null
   * @param body what has arrived, byte for byte: not JSON that was read and written again
   */
  public static WebhookMessage verify(String key, Function<String, String> header, byte[] body) throws Refused {
    var id = header.apply("webhook-id");
    var stamp = header.apply("webhook-timestamp");
    var signatures = header.apply("webhook-signature");
    if (id == null || id.isEmpty() || stamp == null || !stamp.matches("\\d{1,15}") || signatures == null) {
      throw new Refused("a header of webhooks is missing");
    }
    if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(stamp)) > 300) throw new Refused("it is not of now");
    var begin = (id + "." + stamp + ".").getBytes(StandardCharsets.UTF_8);
    var signed = new byte[begin.length + body.length];
    System.arraycopy(begin, 0, signed, 0, begin.length);
    System.arraycopy(body, 0, signed, begin.length, body.length);
    var version = key.startsWith("whpk_") ? "v1a," : "v1,";
    for (var signature : signatures.split(" ")) {
      if (!signature.startsWith(version)) continue;
      var raw = decode(signature.substring(version.length()));
      if (raw == null || !isValid(key, signed, raw)) continue;
      try {
        return json.readValue(body, WebhookMessage.class);
      } catch (IOException e) {
        throw new Refused("its body is no message: " + e.getMessage());
      }
    }
    throw new Refused("no signature is of this key");
  }

  private static byte[] decode(String text) {
    try {
      return Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static boolean isValid(String key, byte[] signed, byte[] signature) {
    var raw = decode(key.replaceFirst("^wh(sec|pk)_", ""));
    if (raw == null || raw.length == 0) throw new IllegalArgumentException("the key must be a secret (whsec_…) or a public key (whpk_…)");
    try {
      if (!key.startsWith("whpk_")) {
        var mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(raw, "HmacSHA256"));
        return MessageDigest.isEqual(mac.doFinal(signed), signature);
      }
      var isOdd = (raw[raw.length - 1] & 0x80) != 0;
      raw[raw.length - 1] &= 0x7f;
      for (int i = 0, j = raw.length - 1; i < j; i++, j--) { // the key has its bytes in the other order
        var b = raw[i];
        raw[i] = raw[j];
        raw[j] = b;
      }
      var point = new EdECPoint(isOdd, new BigInteger(1, raw));
      var verifier = Signature.getInstance("Ed25519");
      verifier.initVerify(KeyFactory.getInstance("Ed25519").generatePublic(new EdECPublicKeySpec(NamedParameterSpec.ED25519, point)));
      verifier.update(signed);
      return verifier.verify(signature);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
