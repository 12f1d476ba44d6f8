// The official library for JavaScript against `signet sign` and `signet verify`, in both directions.
//
//     node check.js ../../target/release/signet

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { Webhook } from "standardwebhooks";

const OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW = "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"; // without the prefix, as the library takes it, too
const BODIES = ["", "{}", '{"test": 2432232314}', '{"name":"n\u00e9"}', "x".repeat(100_000)];

const now = new Date();
const at = String(Math.floor(now.getTime() / 1000));

function signet(command, body, ...more) {
  const what = [command, "--scheme", "standard", "--id", "msg_1", "--timestamp", at, ...more];
  const env = { ...process.env, SIGNET_SECRET: OLD };
  return spawnSync(process.argv[2], what, { input: body, env, timeout: 60_000, encoding: "utf8" });
}

function accepts(secret, headers, body) {
  try {
    new Webhook(secret).verify(body, headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}

for (const body of BODIES) {
  const theirs = new Webhook(OLD).sign("msg_1", now, body);
  assert.equal(signet("verify", body, "--signature", theirs).status, 0, body.slice(0, 50));
  const changed = signet("verify", `${body} `, "--signature", theirs);
  assert.ok(changed.status === 1 && changed.stderr, body.slice(0, 50));

  // While a key is replaced, both sign, and whoever has one of them verifies.
  const ours = signet("sign", body, "--secret", OLD, "--secret", NEW).stdout.trim();
  const headers = { "webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": ours };
  for (const secret of [OLD, NEW]) {
    assert.ok(accepts(secret, headers, body), body.slice(0, 50));
    assert.ok(!accepts(secret, headers, `${body} `), body.slice(0, 50));
  }
}
console.log(`${BODIES.length} bodies, both directions`);
