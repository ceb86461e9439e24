"""A browser without a window, asked by its own protocol (CDP) over a socket: no package needed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "microsoft-edge")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-extensions", "--no-first-run"),
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--window-size=1200,1000", "--remote-debugging-port=0", "--disable-background-networking"),
)


def found() -> str | None:
    """Return where a browser is, if one is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page in a browser of its own."""

    def __init__(self, program: str, folder: Path) -> None:
        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port = folder / "DevToolsActivePort"
        wait(lambda: port.exists() and len(port.read_text().split()) == 2, "a browser")
        number, path = port.read_text().split()
        self.socket = socket.create_connection(("127.0.0.1", int(number)), 60)
        self.read = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{number}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while self.read.readline().strip():
            pass
        self.count = 0
        self.events: list[dict[str, Any]] = []
        self.session: str | None = None
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for room in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{room}.enable")

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """Ask for something, and return what it gives; events meanwhile are kept."""
        self.count += 1
        said = {"id": self.count, "method": method, "params": given}
        if self.session is not None:
            said["sessionId"] = self.session
        self._send(json.dumps(said).encode())
        while True:
            told = json.loads(self._receive())
            if told.get("id") == self.count:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
            if "method" in told:
                self.events.append(told)

    def js(self, source: str) -> Any:
        """Return the value of an expression, or of what it promises."""
        told = self.ask(
            "Runtime.evaluate", expression=source, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def key(self, name: str) -> None:
        """Press a key."""
        text = {"text": name} if len(name) == 1 else {}
        self.ask("Input.dispatchKeyEvent", type="keyDown", key=name, **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=name)

    def mouse(self, kind: str, x: float, y: float, *, held: bool = False) -> None:
        """Move, press or release the mouse."""
        button = {"button": "left", "buttons": 1, "clickCount": 1} if held else {}
        self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    def named(self, method: str) -> list[dict[str, Any]]:
        """Return what events of a name said."""
        return [one["params"] for one in self.events if one["method"] == method]

    def close(self) -> None:
        """End it."""
        self.session = None
        try:
            self.ask("Browser.close")
        except (OSError, ValueError, struct.error):
            self.process.terminate()
        self.read.close()
        self.socket.close()
        self.process.wait(30)

    def _send(self, content: bytes) -> None:
        mask = os.urandom(4)
        size = len(content)
        length = (
            bytes([0x80 | size])
            if size < 126
            else b"\xfe" + struct.pack(">H", size)
            if size < 65536
            else b"\xff" + struct.pack(">Q", size)
        )
        masked = bytes(one ^ mask[at % 4] for at, one in enumerate(content))
        self.socket.sendall(b"\x81" + length + mask + masked)

    def _receive(self) -> bytes:
        whole = b""
        while True:
            first, second = self.read.read(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack(">H", self.read.read(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", self.read.read(8))
            content = self.read.read(size)
            if first & 0x0F in (0, 1):
                whole += content
                if first & 0x80:
                    return whole


def wait(until: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, f"no {what} within {seconds} s"
        time.sleep(0.05)
