"""
Sends a receiver of webhooks a genuine message and forged ones, and fails unless it accepts the one and refuses the others.

    forge.py URL SECRET FILE

FILE has an answer of GET /events with one event.
"""

import base64
import hashlib
import hmac
import json
import sys
import time
import urllib.error
import urllib.request

url, secret, file = sys.argv[1:]
with open(file) as f:
    (event,) = json.load(f)["data"]
body = json.dumps({"type": event["type"], "timestamp": event["created_at"], "data": event}).encode()
key = base64.b64decode(secret.removeprefix("whsec_"))
now = int(time.time())


def signature(id: str, at: int, key: bytes = key) -> str:
    signed = b"%s.%d.%s" % (id.encode(), at, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def status(id: str, at: int, signature: str, body: bytes = body) -> int:
    headers = {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": signature}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code


forged = "evt_forged"
got = {
    "genuine": status("evt_genuine", now, signature("evt_genuine", now)),
    "another key": status(forged, now, signature(forged, now, b"another key")),
    "another id": status(forged, now, signature("evt_genuine", now)),
    "another time": status(forged, now, signature(forged, now - 1)),
    "another body": status(forged, now, signature(forged, now), body.replace(b"created", b"deleted")),
    "too old": status(forged, now - 360, signature(forged, now - 360)),
    "of the future": status(forged, now + 360, signature(forged, now + 360)),
}
print(got)
wanted = {name: 204 if name == "genuine" else 400 for name in got}
sys.exit(got != wanted)
