"""Requests and answers between `wasi:http` and the consumer.

The SDK's own `spin_sdk.http` is shorter to use, but keeps one value of a header that was sent twice, and a
signature that was sent twice must be seen.
"""

import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import componentize_py_async_support
from componentize_py_types import Ok
from spin_sdk import wit
from spin_sdk.wit.imports.wasi_http_types_0_3_0 import Fields, Method_Other, Request, Response

BODY_LIMIT = 1024 * 1024 + 4096  # An event of 1 MiB, and what its producer adds to it.


@dataclass
class Answer:
    status: int
    body: str
    headers: dict[str, str]

    @classmethod
    def text(cls, status: int, body: str) -> "Answer":
        return cls(status, body, {"content-type": "text/plain; charset=utf-8"})


@dataclass
class Problem(Exception):
    """Why a request was not done, as RFC 9457 writes it."""

    status: int
    kind: str
    title: str
    detail: str
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self) -> Answer:
        body = {"type": f"urn:signet:problem:{self.kind}", "title": self.title,
                "status": self.status, "detail": self.detail}
        return Answer(self.status, json.dumps(body), {"content-type": "application/problem+json"} | self.headers)


class Incoming:
    """A request whose body has not been read."""

    def __init__(self, request: Request):
        method = request.get_method()
        other = isinstance(method, Method_Other)
        self.method: str = method.value if other else type(method).__name__.removeprefix("Method_").upper()
        self.target: str = request.get_path_with_query() or "/"
        self._headers = [(name.lower(), value) for name, value in request.get_headers().copy_all()]
        self._request = request

    def values(self, name: str) -> list[bytes]:
        """All values that a header was sent with."""
        return [value for have, value in self._headers if have == name]

    async def body(self) -> bytes:
        done = wit.result_unit_wasi_http_types_0_3_0_error_code_future(lambda: Ok(None))[1]
        stream, _trailers = Request.consume_body(self._request, done)
        body = bytearray()
        with stream:
            while not stream.writer_dropped:
                body += await stream.read(64 * 1024)
                if len(body) > BODY_LIMIT:
                    detail = f"the body is larger than {BODY_LIMIT} bytes: send less"
                    raise Problem(413, "body-too-large", "the body is too large", detail)
        return bytes(body)


async def answer(request: Request, serve: Callable[[Incoming], Awaitable[Answer]]) -> Response:
    """What `serve` answers, or the problem that it raised; of any other mistake the log alone is told."""
    try:
        answered = await serve(Incoming(request))
    except Problem as problem:
        answered = problem.answer()
    except Exception:
        traceback.print_exc()
        answered = Problem(500, "internal", "the consumer failed", "see its log").answer()
    sys.stdout.flush()
    body = answered.body.encode()
    headers = answered.headers | {"content-length": str(len(body))}
    writer, reader = wit.byte_stream()
    no_trailers = wit.result_option_wasi_http_types_0_3_0_fields_wasi_http_types_0_3_0_error_code_future(lambda: Ok(None))[1]
    fields = Fields.from_list([(name, value.encode()) for name, value in headers.items()])
    response, _sent = Response.new(fields, reader, no_trailers)
    response.set_status_code(answered.status)
    componentize_py_async_support.spawn(send(body, writer))
    return response


async def send(body: bytes, writer) -> None:
    with writer:
        await writer.write_all(body)
