"""The official library for Python against `signet sign` and `signet verify`, in both directions.

    .venv/bin/python check.py ../../target/release/signet
"""

import os
import subprocess
import sys
from datetime import datetime, timezone

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # without the prefix, as the library takes it, too
BODIES = ["", "{}", '{"test": 2432232314}', '{"name":"n\u00e9"}', "x" * 100_000]


def signet(command, at, body, *more):
    arguments = [sys.argv[1], command, "--scheme", "standard", "--id", "msg_1", "--timestamp", at, *more]
    environment = {**os.environ, "SIGNET_SECRET": OLD}
    return subprocess.run(arguments, input=body.encode(), env=environment, capture_output=True, timeout=60)


def accepts(library, headers, body):
    try:
        library.verify(body, headers, json_parse=False)
    except WebhookVerificationError:
        return False
    return True


now = datetime.now(tz=timezone.utc)
at = str(int(now.timestamp()))
for body in BODIES:
    theirs = Webhook(OLD).sign("msg_1", now, body)
    assert signet("verify", at, body, "--signature", theirs).returncode == 0, body[:50]
    changed = signet("verify", at, body + " ", "--signature", theirs)
    assert changed.returncode == 1 and changed.stderr, body[:50]

    # While a key is replaced, both sign, and whoever has one of them verifies.
    ours = signet("sign", at, body, "--secret", OLD, "--secret", NEW).stdout.decode().strip()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": ours}
    for secret in [OLD, NEW]:
        assert accepts(Webhook(secret), headers, body), body[:50]
        assert not accepts(Webhook(secret), headers, body + " "), body[:50]
print(f"{len(BODIES)} bodies, both directions")
