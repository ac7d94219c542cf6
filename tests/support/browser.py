"""A built site in headless Chromium: what pages look like to it, and pictures of them.

The site is served from this process. One page of ours, the driver, opens the pages of the site one
after the other in a frame of a given width, presses the switch of the theme, and posts what it
sees. Chromium finds no other host than this one, so that a page that asks for anything from
elsewhere reports an error.
"""

import http.server
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
HEIGHT = 900

# Opens one page after the other, and says what is wrong with each.
DRIVER = Path(__file__).with_name("browser_driver.html").read_text(encoding="utf-8")


class _Site(http.server.SimpleHTTPRequestHandler):
    """The files of the site, the driver, and the two addresses through which it talks to us."""

    def do_GET(self):
        if self.path.startswith("/-driver"):
            self._send(DRIVER.replace("HEIGHT", str(HEIGHT)).encode(), "text/html")
        elif self.path == "/-views":
            self._send(json.dumps(self.server.views).encode(), "application/json")
        else:
            super().do_GET()

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.reports = json.loads(self.rfile.read(length))
        self._send(b"", "text/plain")
        self.server.reported.set()

    def _send(self, content, kind):
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code="-", size="-"):
        if str(code).startswith(("4", "5")):
            self.server.missing.append(self.path)

    def log_message(self, *args):
        pass


@contextmanager
def _served(site, views):
    handler = partial(_Site, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.views, server.missing, server.reported = views, [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def _command(profile, *arguments):
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [
        CHROMIUM,
        "--headless=new",
        *sandbox,
        f"--user-data-dir={profile}",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-first-run",
        "--no-default-browser-check",
        "--enable-logging=stderr",
        *arguments,
    ]


def look_at(site, views, timeout=240):
    """What Chromium sees of each view, a dict of ``page``, ``width`` and ``themes``.

    A page is loaded in the first of its themes, and brought to the others by its own switch.
    Returns the reports, one for each theme of each view, the messages on the console, and the
    addresses that the server could not answer.
    """
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        _served(site, views) as server,
    ):
        address = f"http://127.0.0.1:{server.server_port}/-driver"
        log = Path(profile) / "log.txt"
        with log.open("w") as stderr:
            browser = subprocess.Popen(
                _command(profile, "--remote-debugging-port=0", "--window-size=1500,1000", address),
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
            try:
                if not server.reported.wait(timeout):
                    raise TimeoutError(
                        f"Chromium did not report within {timeout} s:\n{log.read_text()[-2000:]}"
                    )
            finally:
                browser.terminate()
                browser.wait(30)
        console = re.findall(r"CONSOLE.*?\] (.*)", log.read_text(errors="replace"))
        missing = [path for path in server.missing if path != "/favicon.ico"]
        return server.reports, console, missing


def picture_of(site, view, file, height=HEIGHT):
    """Write what the view looks like to a PNG file."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        _served(site, [view]) as server,
    ):
        address = f"http://127.0.0.1:{server.server_port}/-driver?{urlencode({'stay': 1})}"
        subprocess.run(
            _command(
                profile,
                f"--screenshot={file}",
                f"--window-size={view['width']},{height}",
                "--virtual-time-budget=8000",
                address,
            ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=True,
        )
