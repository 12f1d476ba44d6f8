// The webhook consumer in JavaScript: it takes a signing key in a handshake, and verifies payloads with it.
//
// Routes, answers and stored values are those of the consumer in Rust. What a tag is worth is decided by the
// linked `hmac` component alone. Keys and tokens are never printed.

import { verify } from 'fermyon:hmac/verify@0.1.0';
import { Store } from 'fermyon:spin/key-value@2.0.0';
import * as variables from 'fermyon:spin/variables@2.0.0';

const KEY = 'signing-key-data';
const STANDARD = 'standard-webhooks';
const BODY_LIMIT = 1024 * 1024 + 4096; // An event of 1 MiB, and what its producer adds to it.
const TOLERANCE = 300; // How far a timestamp may be from now, in seconds, either way.
const ENTRY_LIMIT = 16; // Each entry of webhook-signature that is looked at costs a tag over the whole body.

const bytes = (text) => new TextEncoder().encode(text);

/** Why a request was not done, as RFC 9457 writes it. */
class Problem {
  constructor(status, kind, title, detail, headers = {}) {
    Object.assign(this, { status, kind, title, detail, headers });
  }

  answer() {
    const { status, kind, title, detail, headers } = this;
    const body = JSON.stringify({ type: `urn:signet:problem:${kind}`, title, status, detail });
    return answer(status, 'application/problem+json', body, headers);
  }
}

/** Why a payload is not what the producer signed; for the log only. */
class Refused {
  constructor(why) {
    this.why = why;
  }
}

function answer(status, type, body, headers = {}) {
  return new Response(body, { status, headers: { 'content-type': type, ...headers } });
}

const text = (status, body) => answer(status, 'text/plain; charset=utf-8', body);

addEventListener('fetch', (event) => event.respondWith(respond(event.request)));

async function respond(request) {
  try {
    return await serve(request);
  } catch (error) {
    if (error instanceof Problem) return error.answer();
    // An interface of the host throws its error as `payload`; of any other mistake the log alone is told.
    if (error?.payload?.tag === undefined) console.error(error);
    const detail = error?.payload?.tag ? `the host refused: ${error.payload.tag}` : 'see its log';
    return new Problem(500, 'internal', 'the consumer failed', detail).answer();
  }
}

async function serve(request) {
  const { pathname, search } = new URL(request.url);
  if (pathname !== '/target') {
    throw new Problem(404, 'not-found', 'not found', 'nothing has this path: see /target');
  }
  if (request.method !== 'POST') {
    const detail = 'this path takes POST';
    throw new Problem(405, 'method-not-allowed', 'method not allowed', detail, { allow: 'POST' });
  }
  const handshake = search.slice(1).split('&').includes('handshake=true');
  return handshake ? shakeHands(request) : receive(request);
}

async function read(request) {
  const body = new Uint8Array(await request.arrayBuffer());
  if (body.length > BODY_LIMIT) {
    const detail = `the body is larger than ${BODY_LIMIT} bytes: send less`;
    throw new Problem(413, 'body-too-large', 'the body is too large', detail);
  }
  return body;
}

async function shakeHands(request) {
  const body = await read(request);
  console.log('Received key data upon registering for webhooks with PRODUCER.');
  const store = Store.open('default');
  let key;
  try {
    admit(request.headers, body, store.get(KEY), enrolmentToken());
    key = readKey(body);
  } catch (error) {
    if (error instanceof Problem) console.log(`Refused key data: ${error.detail}`);
    throw error;
  }
  // In this order: should the second step fail, too much is required and not too little.
  store.set(KEY, bytes(key));
  store.delete(STANDARD);
  console.log('Stored key data in key value store');
  return text(200, 'Stored key data');
}

/** Throws unless the request shows the operator's token, or is signed with the current key. */
function admit(headers, body, current, configured) {
  const tag = headers.get('x-signature');
  const token = headers.get('x-enrolment-token');
  if (current && tag !== null && verify(body, current, bytes(tag))) return;
  if (configured === '' && (token !== null || !current)) {
    const detail = 'no token can enrol a producer: set the variable enrolment_token';
    throw new Problem(403, 'enrolment-closed', 'enrolment is closed', detail);
  }
  if (configured !== '' && token !== null && same(bytes(token), bytes(configured))) return;
  const detail =
    "a handshake needs the token of this consumer's operator in X-Enrolment-Token, or " +
    'the tag of its body under the current key in X-Signature';
  const headersOfAnswer = { 'www-authenticate': 'EnrolmentToken' };
  throw new Problem(401, 'handshake-refused', 'the handshake is refused', detail, headersOfAnswer);
}

/** Compares without telling by its time where two texts differ. */
function same(left, right) {
  if (left.length !== right.length) return false;
  return left.reduce((differences, byte, at) => differences | (byte ^ right[at]), 0) === 0;
}

/** The key in a handshake's body, which has nothing else in it: so no signed payload is a handshake. */
function readKey(body) {
  const invalid = (mistake) =>
    new Problem(400, 'invalid-request', 'the request is not valid', mistake);
  // By hand, because JSON.parse keeps the last of two members of one name and tells of no other.
  const string = /^\s*\{\s*"keyData"\s*:\s*("(?:[^"\\]|\\.)*")\s*\}\s*$/;
  let key;
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true }).decode(body);
    key = JSON.parse(decoded.match(string)[1]);
  } catch {
    throw invalid('body is not {"keyData": "..."}');
  }
  if (/^[!-~]{16,256}$/.test(key)) return key;
  throw invalid('keyData is not 16 to 256 visible ASCII characters');
}

/** The operator's token; the empty text if the manifest gives none. */
function enrolmentToken() {
  try {
    return variables.get('enrolment_token');
  } catch (error) {
    if (error?.payload?.tag === 'undefined') return '';
    throw error;
  }
}

async function receive(request) {
  const tag = request.headers.get('x-signature');
  const signature = request.headers.get('webhook-signature');
  if (tag === null && signature === null) {
    const detail = 'the request has neither X-Signature nor webhook-signature: sign it';
    throw new Problem(400, 'signature-missing', 'signature is missing', detail);
  }
  const body = await read(request);
  if (tag === null) console.log(`Received webhook-signature of ${signature.length} bytes`);
  else if (/^[0-9A-Fa-f]{64}$/.test(tag)) console.log(`Received tag ${tag}`);
  else console.log(`Received tag of ${tag.length} bytes`);
  const store = Store.open('default');
  const key = store.get(KEY);
  if (!key) {
    const detail = 'no handshake has brought a signing key: register this consumer first';
    throw new Problem(409, 'no-signing-key', 'no signing key', detail);
  }
  console.log('Loaded key data from key-value store');
  console.log('Verifying integrity of payload received from PRODUCER...');
  const required = store.exists(STANDARD);
  let standard;
  try {
    standard = judge(request.headers, body, key, required);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.log('Payload verification result: False');
    console.log(`Refused payload: ${error.why}`);
    console.log('Responding with HTTP 400');
    const title = 'the payload is not what the producer signed';
    throw new Problem(400, 'signature-wrong', title, 'signature verification failed');
  }
  console.log('Payload verification result: True');
  // From now on: or whoever captured a request could strip the three headers and replay it.
  if (standard && !required) store.set(STANDARD, bytes('1'));
  console.log('Responding with HTTP 200');
  return text(200, 'Received payload and verified integrity');
}

/** Throws unless each signature holds; returns whether those of Standard Webhooks are among them. */
function judge(headers, body, key, required) {
  const names = ['x-signature', 'webhook-id', 'webhook-timestamp', 'webhook-signature'];
  const [tag, ...triple] = names.map((name) => headers.get(name));
  // `fetch` joins the values of a header that was sent twice in this way; no single one has it.
  if ([tag, ...triple].some((value) => value?.includes(', '))) {
    throw new Refused('a signature header was sent more than once');
  }
  const standard = !triple.includes(null);
  if (standard) {
    judgeStandard(...triple, body, key);
  } else if (triple.some((value) => value !== null)) {
    throw new Refused('some of webhook-id, webhook-timestamp and webhook-signature are missing');
  } else if (required) {
    throw new Refused(
      'webhook-id, webhook-timestamp and webhook-signature are missing, and this producer ' +
        'has sent them before',
    );
  }
  const holds = tag === null ? standard : verify(body, key, bytes(tag));
  if (!holds) throw new Refused('X-Signature is not the tag');
  return standard;
}

function judgeStandard(id, timestamp, signature, body, key) {
  // A dot in an id would let the signed bytes be cut elsewhere, a quote or a bracket let a body's tag
  // pass for theirs.
  if (!/^[!-~]{1,256}$/.test(id) || /[.{["]/.test(id)) throw new Refused('webhook-id is not an id');
  if (!/^[0-9]{1,12}$/.test(timestamp)) {
    throw new Refused('webhook-timestamp is not a number of seconds');
  }
  if (Math.abs(Number(timestamp) - Math.floor(Date.now() / 1000)) > TOLERANCE) {
    throw new Refused('webhook-timestamp is more than 300 seconds from now');
  }
  const head = bytes(`${id}.${timestamp}.`);
  const content = new Uint8Array(head.length + body.length);
  content.set(head);
  content.set(body, head.length);
  const tags = signature.split(' ').map(readEntry).filter((tag) => tag !== null);
  if (!tags.slice(0, ENTRY_LIMIT).some((tag) => verify(content, key, bytes(tag)))) {
    throw new Refused('no v1 entry of webhook-signature is the tag');
  }
}

/** The tag of a `v1` entry in hexadecimal digits, which is how `hmac` reads them. */
function readEntry(entry) {
  if (!/^v1,[A-Za-z0-9+/]{43}=$/.test(entry)) return null;
  const tag = atob(entry.slice(3));
  // There is one text for some bytes, and only one.
  if (btoa(tag) !== entry.slice(3)) return null;
  return [...tag].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('').toUpperCase();
}
