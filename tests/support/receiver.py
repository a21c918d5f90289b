"""A receiver of webhooks on the loopback, which answers as it is told to."""

import json
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Post:
    """What was posted."""

    path: str
    headers: dict[str, str]
    body: dict


@dataclass
class Receiver:
    """What it is told to answer, by path, and what it was posted. An answer is a status; `hang`: none in time;
    `trickle`: one that never ends; `reset`: the connection breaks; any other text: it is sent. By default it is 200."""

    port: int = 0
    answers: dict[str, list[int | str]] = field(default_factory=lambda: defaultdict(list))
    posts: list[Post] = field(default_factory=list)
    # how many requests have come, answered or not
    arrivals: int = 0
    delay_seconds: float = 0
    # until it is set, an answer that hangs does
    is_over: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "", scheme: str = "json", user: str = "") -> str:
        """Its address for apprise."""
        return f"{scheme}://{user}127.0.0.1:{self.port}/{path}"

    def taken(self, path: str | None = None) -> list[Post]:
        """The posts, in order."""
        return [post for post in self.posts if path in (None, post.path)]

    def titles(self, path: str | None = None) -> list[str]:
        """The titles that were posted, in order."""
        return [post.body["title"] for post in self.taken(path)]

    def wait_for_arrival(self, seconds: float = 30) -> None:
        """Until a request is here, and perhaps not yet answered."""
        for _ in range(round(seconds * 100)):
            if self.arrivals:
                return
            time.sleep(0.01)
        raise AssertionError(f"nothing was posted within {seconds} seconds")

    def forget(self) -> None:
        """Begin anew."""
        self.posts.clear()
        self.answers.clear()
        self.arrivals = 0


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that runs."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - the library's name
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.partition("?")[0].strip("/")
            answers = receiver.answers[path]
            answer = answers.pop(0) if answers else 200
            receiver.arrivals += 1
            if answer == "hang":
                receiver.is_over.wait(30)
                return
            if answer == "trickle":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not receiver.is_over.wait(0.1):
                    self.wfile.write(b"X-More: to come\r\n")
                return
            if answer == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return
            time.sleep(receiver.delay_seconds)
            # 202 is what Datadog says
            receiver.posts += [Post(path, dict(self.headers), json.loads(body))] if answer in (200, 202) else []
            text = b'{"status": "ok"}' if isinstance(answer, int) else answer.encode()
            self.send_response(answer if isinstance(answer, int) else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """The connections that break here are meant to."""

    server = Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.is_over.set()
        server.shutdown()
        server.server_close()
