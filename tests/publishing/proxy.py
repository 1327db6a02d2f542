"""A TCP proxy that breaks all of its connections at a chosen byte, once; then it passes everything on again."""

import socket
import struct
import threading
from collections.abc import Iterable
from contextlib import suppress

LINGER_NOT = struct.pack("ii", 1, 0)
"""Closed so, a socket says `connection reset`, as a router does."""


class CuttingProxy:
    """Passes on what arrives at `host` to the same ports of 127.0.0.1, or from one port to another."""

    def __init__(self, ports: Iterable[tuple[int, int]], *, host: str = "127.0.0.1") -> None:
        self.passed = 0
        self.cuts = 0
        self._left: int | None = None
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listeners = [(self._listen(host, port), target) for port, target in ports]
        for listener, target in self._listeners:
            threading.Thread(target=self._accept, args=(listener, target), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listeners[0][0].getsockname()[1])

    def cut_after(self, passed: int | None) -> None:
        """Break everything after so many more bytes, in whichever direction they go."""
        with self._lock:
            self._left = passed

    def close(self) -> None:
        for listener, _ in self._listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._break()

    def _listen(self, host: str, port: int) -> socket.socket:
        return socket.create_server((host, port), backlog=50)

    def _accept(self, listener: socket.socket, target: int) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", target))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while arrived := source.recv(65536):
                allowed, broken = self._counted(arrived)
                sink.sendall(allowed)
                if broken:
                    self._break()
                    return
            sink.shutdown(socket.SHUT_WR)

    def _counted(self, arrived: bytes) -> tuple[bytes, bool]:
        with self._lock:
            self.passed += len(arrived)
            if self._left is None:
                return arrived, False
            self._left -= len(arrived)
            if self._left > 0:
                return arrived, False
            allowed = arrived[: len(arrived) + self._left]
            self._left = None
            self.cuts += 1
            return allowed, True

    def _break(self) -> None:
        with self._lock:
            broken, self._open = self._open, set()
        for end in broken:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
                end.shutdown(socket.SHUT_RDWR)
            end.close()
