"""How this program speaks to servers: whether it may, with how much patience, and what went wrong in words.

Proxies (``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``, and what Windows and macOS are set to)
and the system's certificates are the HTTP library's own business. It is imported only once it is needed.
"""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from vidlabel import __version__
from vidlabel.core.errors import DownloadError

if TYPE_CHECKING:
    import httpx2

OFFLINE_SETTINGS = ("VIDLABEL_OFFLINE", "HF_HUB_OFFLINE")
_YES = frozenset({"1", "true", "yes", "on"})
_NO_TLS = "its certificate is not trusted. A company's proxy may stand between: SSL_CERT_FILE names its own."


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for a server, in seconds, and how often to try again.

    Attributes:
        connect_s: until a connection stands.
        silent_s: until the next bytes come.
        tries: in a row that brought nothing, until it is given up.
        first_wait_s: before the second try; each further wait is twice as long.
        longest_wait_s: and no longer than this.
    """

    connect_s: float = 10.0
    silent_s: float = 30.0
    tries: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 20.0

    def wait_s(self, failures: int, wish_s: float | None = None) -> float:
        """How long to wait after so many failures in a row; ``wish_s`` is the server's own wish."""
        own = self.first_wait_s * 2.0 ** (max(1, failures) - 1)
        return float(min(self.longest_wait_s, max(own, wish_s or 0.0)))


def offline_setting() -> str | None:
    """The setting that forbids to use the network, as ``NAME=value``; None where it may be used."""
    for name in OFFLINE_SETTINGS:
        value = os.environ.get(name, "")
        if value.strip().lower() in _YES:
            return f"{name}={value.strip()}"
    return None


def refuse_offline(what: str) -> None:
    """To be asked before anything goes over the network.

    Raises:
        DownloadError: of kind ``offline``.
    """
    setting = offline_setting()
    if setting is not None:
        raise DownloadError(
            what,
            f"{setting} is set, so nothing is fetched. Unset it, or bring a model file over by other means and "
            "use `vidlabel models import FILE`.",
            kind="offline",
        )


def open_client(what: str, patience: Patience) -> httpx2.Client:
    """A client that follows redirects and wants files as they are, not compressed.

    Raises:
        DownloadError: the proxy named in the environment cannot be used.
    """
    import httpx2

    timeout = httpx2.Timeout(patience.silent_s, connect=patience.connect_s)
    headers = {"User-Agent": f"vidlabel/{__version__}", "Accept-Encoding": "identity"}
    try:
        return httpx2.Client(verify=_certificates(), timeout=timeout, headers=headers, follow_redirects=True)
    except (ValueError, ImportError, httpx2.InvalidURL) as error:
        raise DownloadError(
            what, f"the proxy set in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used: {error}."
        ) from error


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: the system's certificates are many, and a fifth of a second to read."""
    import httpx2

    return httpx2.create_ssl_context()


def explain(what: str, url: str, error: Exception) -> DownloadError:
    """A fault of the connection, as httpx2 tells it, in words."""
    import httpx2

    server = httpx2.URL(url).host or url
    cause = _deepest(error)
    if isinstance(error, httpx2.ProxyError):
        reason = f"the proxy does not let it through ({error}). Check HTTPS_PROXY and NO_PROXY."
    elif isinstance(cause, ssl.SSLError):
        reason = f"{server} cannot be spoken to safely: {_NO_TLS}"
    elif isinstance(cause, socket.gaierror):
        reason = f"{server} is not found. Is this computer connected to the internet? Behind a proxy set HTTPS_PROXY."
    elif isinstance(error, httpx2.TimeoutException):
        reason = f"{server} does not answer. Check the connection, or behind a proxy set HTTPS_PROXY, and try again."
    elif isinstance(error, httpx2.ConnectError):
        reason = f"{server} cannot be reached ({_short(cause)}). Check the connection, and HTTPS_PROXY behind a proxy."
    elif isinstance(error, httpx2.TooManyRedirects):
        reason = f"{server} sends in circles. A login page of the network may be in the way."
    elif isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        reason = f"{url} is no address of a web server ({error})."
    else:
        reason = f"the connection to {server} broke off ({_short(error)}). Try again: it goes on from there."
    return DownloadError(what, reason)


def explain_status(what: str, url: str, status: int) -> DownloadError:
    """An HTTP answer that is not the file, in words."""
    import httpx2

    server = httpx2.URL(url).host or url
    if status in (401, 403):
        reason = (
            f"{server} does not give it to us (HTTP {status}). A firewall may be in the way; a model that asks "
            "for an account needs HF_TOKEN."
        )
    elif status in (404, 410):
        reason = f"there is no {url} (HTTP {status}). Update vidlabel, or check VIDLABEL_WEIGHTS_MIRROR."
    elif status == 407:
        reason = (
            "the proxy asks for a name and password (HTTP 407): HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT."
        )
    elif status == 429 or status >= 500:
        reason = (
            f"{server} is busy or out of order (HTTP {status}). Try again later: what was fetched is kept."
        )
    else:
        reason = (
            f"{server} answers with HTTP {status} instead of the file. Try again later, or another network."
        )
    return DownloadError(what, reason)


def _deepest(error: BaseException) -> BaseException:
    """What lies under the libraries' own errors."""
    seen = error
    while (under := seen.__cause__ or seen.__context__) is not None:
        seen = under
    return seen


def _short(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
