"""The webhook consumer in Python: it takes a signing key in a handshake, and verifies payloads with it.

Routes, answers and stored values are those of the consumer in Rust. What a tag is worth is decided by the
linked `hmac` component alone. Keys and tokens are never printed.
"""

import base64
import binascii
import json
import re
import time
from hmac import compare_digest

from componentize_py_types import Err
from spin_sdk import key_value, variables
from spin_sdk.wit import exports
from wit_world.imports import verify

import exchange
from exchange import Answer, Incoming, Problem

KEY, STANDARD = "signing-key-data", "standard-webhooks"
SIGNATURE_HEADERS = ("x-signature", "webhook-id", "webhook-timestamp", "webhook-signature")
TOLERANCE = 300  # How far a timestamp may be from now, in seconds, either way.
ENTRY_LIMIT = 16  # Each entry of webhook-signature that is looked at costs a tag over the whole body.


class HttpHandler(exports.HttpHandler):
    """The component's export. One instance serves many requests, so it keeps nothing."""

    async def handle(self, request):
        return await exchange.answer(request, serve)


class Refused(Exception):
    """Why a payload is not what the producer signed; for the log only."""


async def serve(request: Incoming) -> Answer:
    path, _, query = request.target.partition("?")
    if path != "/target":
        raise Problem(404, "not-found", "not found", "nothing has this path: see /target")
    if request.method != "POST":
        detail = "this path takes POST"
        raise Problem(405, "method-not-allowed", "method not allowed", detail, {"allow": "POST"})
    try:
        if "handshake=true" in query.split("&"):
            return await shake_hands(request)
        return await receive(request)
    except Err as error:
        raise Problem(500, "internal", "the consumer failed", f"the host refused: {error.value}")


async def shake_hands(request: Incoming) -> Answer:
    body = await request.body()
    print("Received key data upon registering for webhooks with PRODUCER.")
    with await key_value.open_default() as store:
        current = await store.get(KEY)
        try:
            admit(request, body, current, await enrolment_token())
            key = read_key(body)
        except Problem as problem:
            print(f"Refused key data: {problem.detail}")
            raise
        # In this order: should the second step fail, too much is required and not too little.
        await store.set(KEY, key)
        await store.delete(STANDARD)
    print("Stored key data in key value store")
    return Answer.text(200, "Stored key data")


def admit(request: Incoming, body: bytes, current: bytes | None, configured: bytes) -> None:
    """Raises unless the request shows the operator's token, or is signed with the current key."""
    tags, tokens = request.values("x-signature"), request.values("x-enrolment-token")
    if current is not None and len(tags) == 1 and verify.verify(body, current, tags[0]):
        return
    if not configured and (tokens or current is None):
        detail = "no token can enrol a producer: set the variable enrolment_token"
        raise Problem(403, "enrolment-closed", "enrolment is closed", detail)
    if configured and len(tokens) == 1 and compare_digest(tokens[0], configured):
        return
    detail = ("a handshake needs the token of this consumer's operator in X-Enrolment-Token, or "
              "the tag of its body under the current key in X-Signature")
    raise Problem(401, "handshake-refused", "the handshake is refused", detail,
                  {"www-authenticate": "EnrolmentToken"})


def read_key(body: bytes) -> bytes:
    """The key in a handshake's body, which has nothing else in it: so no signed payload is a handshake."""
    # One member, found by hand: JSON's reader keeps the last of two, and an instance that it took too
    # deep would be lost with the other requests on it.
    member = re.fullmatch(rb'\s*\{\s*"keyData"\s*:\s*("(?:[^"\\]|\\.)*")\s*\}\s*', body)
    try:
        key = json.loads(member[1].decode()) if member else None
    except ValueError:
        key = None
    if key is None:
        mistake = 'body is not {"keyData": "..."}'
    elif re.fullmatch(r"[!-~]{16,256}", key):
        return key.encode()
    else:
        mistake = "keyData is not 16 to 256 visible ASCII characters"
    raise Problem(400, "invalid-request", "the request is not valid", mistake)


async def enrolment_token() -> bytes:
    """The operator's token; empty if the manifest gives none."""
    try:
        return (await variables.get("enrolment_token")).encode()
    except Err as error:
        if type(error.value).__name__ == "Error_Undefined":
            return b""
        raise


async def receive(request: Incoming) -> Answer:
    tags, signatures = request.values("x-signature"), request.values("webhook-signature")
    if not tags and not signatures:
        detail = "the request has neither X-Signature nor webhook-signature: sign it"
        raise Problem(400, "signature-missing", "signature is missing", detail)
    body = await request.body()
    if tags and re.fullmatch(rb"[0-9A-Fa-f]{64}", tags[0]):
        print(f"Received tag {tags[0].decode()}")
    else:
        name, value = ("tag", tags[0]) if tags else ("webhook-signature", signatures[0])
        print(f"Received {name} of {len(value)} bytes")
    with await key_value.open_default() as store:
        key = await store.get(KEY)
        if key is None:
            detail = "no handshake has brought a signing key: register this consumer first"
            raise Problem(409, "no-signing-key", "no signing key", detail)
        print("Loaded key data from key-value store")
        print("Verifying integrity of payload received from PRODUCER...")
        required = await store.exists(STANDARD)
        try:
            standard = judge(request, body, key, required)
        except Refused as why:
            print(f"Payload verification result: False\nRefused payload: {why}\nResponding with HTTP 400")
            title = "the payload is not what the producer signed"
            raise Problem(400, "signature-wrong", title, "signature verification failed")
        print("Payload verification result: True")
        if standard and not required:
            # From now on: or whoever captured a request could strip the three headers and replay it.
            await store.set(STANDARD, b"1")
    print("Responding with HTTP 200")
    return Answer.text(200, "Received payload and verified integrity")


def judge(request: Incoming, body: bytes, key: bytes, required: bool) -> bool:
    """Raises unless each signature holds; otherwise, whether those of Standard Webhooks are among them."""
    values = [request.values(name) for name in SIGNATURE_HEADERS]
    if any(len(each) > 1 for each in values):
        raise Refused("a signature header was sent more than once")
    tag, *triple = [each[0] if each else None for each in values]
    standard = None not in triple
    if standard:
        judge_standard(*triple, body, key)
    elif any(value is not None for value in triple):
        raise Refused("some of webhook-id, webhook-timestamp and webhook-signature are missing")
    elif required:
        raise Refused("webhook-id, webhook-timestamp and webhook-signature are missing, and this producer "
                      "has sent them before")
    if tag is None and not standard or tag is not None and not verify.verify(body, key, tag):
        raise Refused("X-Signature is not the tag")
    return standard


def judge_standard(id: bytes, timestamp: bytes, signature: bytes, body: bytes, key: bytes) -> None:
    # A dot in an id would let the signed bytes be cut elsewhere, a quote or a bracket let a body's tag
    # pass for theirs.
    if not re.fullmatch(rb"[!-~]{1,256}", id) or re.search(rb'[.{\["]', id):
        raise Refused("webhook-id is not an id")
    if not re.fullmatch(rb"[0-9]{1,12}", timestamp):
        raise Refused("webhook-timestamp is not a number of seconds")
    if abs(int(timestamp) - int(time.time())) > TOLERANCE:
        raise Refused("webhook-timestamp is more than 300 seconds from now")
    content = b".".join((id, timestamp, body))
    tags = [tag for entry in signature.split(b" ") if (tag := read_entry(entry))][:ENTRY_LIMIT]
    if not any(verify.verify(content, key, tag) for tag in tags):
        raise Refused("no v1 entry of webhook-signature is the tag")


def read_entry(entry: bytes) -> bytes | None:
    """The tag of a `v1` entry in hexadecimal digits, which is how `hmac` reads them."""
    text = entry.removeprefix(b"v1,")
    try:
        tag = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    # There is one text for some bytes, and only one.
    strict = text != entry and len(tag) == 32 and base64.b64encode(tag) == text
    return tag.hex().upper().encode() if strict else None
