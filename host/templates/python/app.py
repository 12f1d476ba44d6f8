"""{{name}}: a component that handles HTTP. In comes a request; out goes a response.

With the imports in wit/world.wit and the dependency in spin.toml, the component that verifies is
    from wit_world.imports import verify
and `verify.verify(data, key, tag)` takes three `bytes`.
"""

import sys

from spin_sdk import http
from spin_sdk.http import Request, Response


class HttpHandler(http.Handler):
    async def handle_request(self, request: Request) -> Response:
        path = request.uri.partition("?")[0]
        print(f"{request.method} {path}")
        sys.stdout.flush()
        return Response(200, {"content-type": "text/plain"}, f"Hello from {{name}}, {path}\n".encode())
