"""`python -m webrtc`: the edge. Serves pages and calls until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import ssl
import sys

from aiohttp import web

from broker import config, logs
from broker.bus import Bus
from broker.config import Settings
from broker.errors import ConfigError, VisavisError
from broker.orphan import end_with_parent
from webrtc import app
from webrtc.calls import Calls
from webrtc.denoise import Denoiser
from webrtc.opus_decoder import OpusDecoder
from webrtc.personas import PersonaCards
from webrtc.security import check_bind

logger = logging.getLogger(__name__)


async def serve(settings: Settings, name: str) -> None:
    """Serve until SIGTERM or SIGINT. Raises ConfigError when it may not, or cannot, listen."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    _warm_up()
    bus = Bus("webrtc", name, settings)
    cards = PersonaCards(
        settings.path("personas"), settings.path("avatars"), settings.sessions.persona, settings.recording
    )
    calls = Calls(settings, bus, cards)
    bus.attach(loop, calls.on_message, calls.on_lost, calls.on_connected)
    runner = web.AppRunner(app.create(calls), access_log=None, shutdown_timeout=1.0)
    beat = asyncio.ensure_future(calls.run())
    try:
        await runner.setup()
        calls.front = await _listen(runner, settings, name)
        gc.freeze()  # what start-up made stays; collecting it again and again would stall calls
        await stop.wait()
    finally:
        beat.cancel()
        await calls.close()
        await runner.cleanup()
        bus.close()


def _warm_up() -> None:
    """Load what the first microphone would otherwise wait 50 ms for. Raises MissingError saying what is lacking."""
    OpusDecoder().conceal(320)
    Denoiser().clean(bytes(640))


async def _listen(runner: web.AppRunner, settings: Settings, name: str) -> str:
    """Where browsers reach this edge now, as `scheme:port`. Edge n has the nth port after the front one."""
    server = settings.server
    number = name.rpartition("-")[2]
    port = server.port + (int(number) if server.port and number.isdecimal() else 0)
    context: ssl.SSLContext | None = None
    if server.tls_cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(server.tls_cert, server.tls_key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"server.tls_cert and server.tls_key cannot be used: {error}.") from error
    try:
        await web.TCPSite(runner, server.host, port, ssl_context=context).start()
    except OSError as error:
        raise ConfigError(
            f"{server.host}:{port} cannot be bound: {error.strerror}. Change server.host or server.port."
        ) from error
    logger.info("listening", extra={"addresses": [str(address) for address in runner.addresses]})
    return f"{'https' if context else 'http'}:{runner.addresses[0][1]}"


def main() -> int:
    """2: the settings do not allow it to start, and the sentence on standard error says why."""
    parser = argparse.ArgumentParser(prog="python -m webrtc", description=__doc__)
    parser.add_argument("--name", default="webrtc-0", help="its name on the bus")
    name = parser.parse_args().name
    end_with_parent()
    try:
        settings = config.load()
        check_bind(settings.server)
        logs.start(name, settings.log.level)
        asyncio.run(serve(settings, name))
    except VisavisError as error:
        print(f"webrtc: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
