"""LocalStack's network server on loopback addresses only.

LocalStack 4.8.1 ignores the host of GATEWAY_LISTEN and listens on every interface
(localstack/runtime/server/twisted.py). It does not check credentials, and this executor runs functions as processes of
the user. Anyone who can reach the port could therefore run code as that user.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from localstack.aws.serving.twisted import TLSMultiplexerFactory
from localstack.runtime.server.twisted import TwistedRuntimeServer
from rolo.serving.twisted import TwistedGateway
from twisted.internet import reactor
from twisted.internet.ssl import DefaultOpenSSLContextFactory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localstack.config import HostAndPort
    from rolo.gateway import Gateway


class LoopbackError(Exception):
    """GATEWAY_LISTEN has an address that is not a loopback address; the message is one line."""


class LoopbackServer(TwistedRuntimeServer):
    """Binds the addresses of GATEWAY_LISTEN. An exception ends LocalStack before it serves a request."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._reactor: Any = reactor  # Twisted's types are incorrect

    def register(
        self, gateway: Gateway, listen: Sequence[HostAndPort], ssl_creds: tuple[str, str] | None = None
    ) -> None:
        """Listen for HTTP and HTTPS on the same port, as LocalStack does.

        Raises LoopbackError, or Twisted's CannotListenError if a port is in use.
        """
        for address in listen:
            if not _is_loopback(address.host):
                raise LoopbackError(
                    f"GATEWAY_LISTEN names {address.host}: this LocalStack runs functions as your user and does not "
                    "check credentials, so it listens on loopback addresses (127.0.0.1, [::1]) only"
                )
        factory: Any = TwistedGateway(gateway)
        if ssl_creds:
            certificate, key = ssl_creds
            context: Any = DefaultOpenSSLContextFactory(key, certificate)  # type: ignore[no-untyped-call]
            context.getContext().use_certificate_chain_file(certificate)
            factory = TLSMultiplexerFactory(context, False, factory)
        for address in listen:
            # Not a Twisted endpoint, which would not report a failure to bind.
            self._reactor.listenTCP(address.port, factory, interface=address.host)


def _is_loopback(host: str) -> bool:
    """False for any name, even localhost, because the resolver determines its address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
