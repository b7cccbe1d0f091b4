"""The settings of one installation: etc/visavis.toml, checked, with overrides from the environment.

`VISAVIS_CONFIG` names another file; `VISAVIS_<SECTION>_<KEY>` overrides one value (`VISAVIS_SERVER_PORT=9090`).
Secrets belong there: `VISAVIS_SERVER_OPERATOR_TOKEN`.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import tempfile
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from broker.errors import ConfigError
from broker.loopback import is_loopback
from broker.messages import WORKER_KINDS
from broker.push_address import RTMP, WHIP, flaw, kind_of
from broker.tables import fill, read_toml

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder: relative paths in the settings start here."""

ICE_URL = re.compile(r"(stuns?:[^?/@\s]+|turns?:[^?/@\s]+(\?transport=(udp|tcp))?)")
"""RFC 7064 and 7065."""

IPC_PATH_LIMIT = 107
"""Bytes in the path of a Unix socket (sun_path, unix(7))."""


@dataclass(frozen=True, kw_only=True)
class Server:
    host: str = "127.0.0.1"
    port: int = 8080
    hosts: tuple[str, ...] = ()
    """Names under which browsers may reach it, besides loopback's and `host` itself."""
    tls_cert: str = ""
    tls_key: str = ""
    operator_token: str = field(default="", repr=False)
    ice_servers: tuple[dict[str, Any], ...] = ()
    turn_urls: tuple[str, ...] = ()
    """A TURN server that shares `turn_secret` with the edge; browsers get credentials that expire."""
    turn_secret: str = field(default="", repr=False)
    turn_ttl_s: int = 3600
    fronts: tuple[str, ...] = ()
    """Where browsers reach edge 0, 1, … when something stands before them; empty: the host they used, own ports."""
    proxies: tuple[str, ...] = ()
    """Addresses and networks of what stands before them: its X-Forwarded-For says who asks, for limits per address."""


@dataclass(frozen=True, kw_only=True)
class BusSettings:
    transport: Literal["ipc", "tcp"] = "ipc"
    run_folder: str = ""
    """Where the sockets are; empty: a folder of this user under the system's temporary folder."""
    host: str = "127.0.0.1"
    """With tcp, where the broker is."""
    own_host: str = ""
    """With tcp, under which name this process is reached; empty: the broker's host."""
    port: int = 5570
    """With tcp, the broker's control, data, event and replay ports are this and the next three."""
    trusted_network: bool = False
    """With tcp beyond loopback: only this installation's machines are in that network."""
    high_water_mark: int = 4096
    outbox: int = 4096


@dataclass(frozen=True, kw_only=True)
class Workers:
    instances: int = 2
    vad: int = 0
    asr: int = 0
    llm: int = 0
    tts: int = 0
    programme: int = 0
    lipsync: int = 0
    webrtc: int = 1
    """Edge processes. Edge n listens on server.port + n."""

    def count(self, kind: str) -> int:
        """How many processes of `kind` are started."""
        return int(getattr(self, kind)) or self.instances


@dataclass(frozen=True, kw_only=True)
class Stages:
    """But for the profile an engine's name, `auto` for the best that is here, or a third party's
    `"package.module:Class"`."""

    profile: Literal["auto", "cpu", "gpu"] = "auto"
    """Of engines that can use a GPU: do where there is one, never do, or nothing starts without one."""
    vad: str = "auto"
    """Tells speech from everything else."""
    end_of_turn: str = "auto"
    """Tells a finished thought from a pause, by its sound."""
    face: str = "auto"
    """Draws the pictures."""


@dataclass(frozen=True, kw_only=True)
class Media:
    fps: int = 25
    size: int = 512
    video_kbps: int = 900
    audio_kbps: int = 40


@dataclass(frozen=True, kw_only=True)
class Sessions:
    capacity: int = 8
    away_s: float = 60.0
    persona: str = "host"


@dataclass(frozen=True, kw_only=True)
class Audience:
    watch: bool = True
    """Whoever has a session's link may look on."""
    list: bool = False
    """/live lists the sessions."""
    token: str = field(default="", repr=False)
    """A secret viewers and WHEP players bear besides; empty: the link is enough."""
    origins: tuple[str, ...] = ()
    """Pages elsewhere that may play a session by WHEP: "https://school.example", or "*" for all."""
    capacity: int = 128
    """Viewers per edge process."""
    busy: float = 0.7
    """Share of a core from which on an edge sends new viewers to a less busy one."""
    questions: Literal["off", "moderated", "open"] = "off"
    """Whether viewers may ask by text; a session's host can change it for that session."""
    refused_words: tuple[str, ...] = ()
    """Questions with one of these in them are refused."""
    whip_url: str = ""
    """Every session is pushed there by WHIP; {session} and {persona} in it are replaced."""
    whip_token: str = field(default="", repr=False)
    janus_url: str = ""
    """Every session is pushed into the Janus whose WebSocket is there."""
    janus_key: str = field(default="", repr=False)
    """The `admin_key` of its streaming plugin."""
    janus_page_url: str = ""
    """Where browsers reach that WebSocket; empty: where the edge does."""
    via: Literal["edge", "janus"] = "edge"
    """Where viewer pages play from, unless their address says another."""
    rtmp_url: str = field(default="", repr=False)
    """Every session is pushed there by RTMP; {session} and {persona} in it are replaced. It has the key in it."""
    hls_sound: Literal["aac", "opus"] = "aac"


@dataclass(frozen=True, kw_only=True)
class FilmSettings:
    waiting: int = 16
    """Films that may wait to be made."""
    upload_mb: int = 64
    disk_mb: int = 4_000
    """All films and uploads together."""
    keep_h: float = 168.0


@dataclass(frozen=True, kw_only=True)
class RecordingSettings:
    sessions: Literal["every", "asked", "never"] = "asked"
    """Which conversations are recorded; a persona may say something else, unless it is never."""
    callers: bool = True
    """The call page has a button for it."""
    formats: tuple[str, ...] = ("mp4",)
    sound: Literal["opus", "aac"] = "opus"
    """In MP4; WebM has Opus."""
    quota_gb: float = 10.0
    """All recordings together."""
    min_free_mb: int = 1_000
    keep_days: float = 30.0
    """Older ones are removed; 0 keeps them for ever."""


@dataclass(frozen=True, kw_only=True)
class Paths:
    personas: str = "etc/personas"
    avatars: str = "static/avatars"
    backdrops: str = "static/backdrops"
    weights: str = ".cache/weights"
    cache: str = ".cache"
    store: str = "var/visavis.sqlite"
    films: str = "var/films"
    hls: str = ""
    """Segments of HTTP live streaming; empty: in the run folder."""
    recordings: str = "var/recordings"
    uploads: str = "var/uploads"


@dataclass(frozen=True, kw_only=True)
class Log:
    level: Literal["debug", "info", "warning", "error"] = "info"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All of it. Sections are named as in the file."""

    server: Server = field(default_factory=Server)
    bus: BusSettings = field(default_factory=BusSettings)
    workers: Workers = field(default_factory=Workers)
    stages: Stages = field(default_factory=Stages)
    media: Media = field(default_factory=Media)
    sessions: Sessions = field(default_factory=Sessions)
    audience: Audience = field(default_factory=Audience)
    films: FilmSettings = field(default_factory=FilmSettings)
    recording: RecordingSettings = field(default_factory=RecordingSettings)
    paths: Paths = field(default_factory=Paths)
    log: Log = field(default_factory=Log)
    engines: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Options of an engine by its name, passed to it as they are."""

    def path(self, name: str) -> Path:
        """One of `paths`, absolute."""
        return (ROOT / getattr(self.paths, name)).resolve()

    def hls_folder(self) -> Path:
        """A folder a session is in it, while somebody plays it as HTTP live streaming."""
        return self.path("hls") if self.paths.hls else self.run_folder() / "hls"

    def run_folder(self) -> Path:
        """The folder of sockets, process ids and logs; made and made private by `bin/up`."""
        if self.bus.run_folder:
            return (ROOT / self.bus.run_folder).resolve()
        return Path(tempfile.gettempdir()) / f"visavis-{os.getuid()}"


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force. Raises ConfigError naming the file, the key and the known ones."""
    env = os.environ if environ is None else environ
    source = path or Path(env.get("VISAVIS_CONFIG") or ROOT / "etc" / "visavis.toml")
    settings = fill(Settings, _overridden(read_toml(source), env), source.name)
    _check(settings)
    return settings


def _overridden(table: dict[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    hints = typing.get_type_hints(Settings)
    result = {key: dict(value) if isinstance(value, dict) else value for key, value in table.items()}
    for section, cls in hints.items():
        if not dataclasses.is_dataclass(cls) or not isinstance(result.get(section, {}), dict):
            continue
        kinds = typing.get_type_hints(cls)
        for key, kind in kinds.items():
            name = f"VISAVIS_{section}_{key}".upper()
            if name in env:
                result.setdefault(section, {})[key] = _parsed(kind, env[name], name)
    return result


def _parsed(kind: Any, text: str, name: str) -> Any:
    try:
        if kind is int:
            return int(text)
        if kind is float:
            return float(text)
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
    except KeyError:
        raise ConfigError(f"{name}={text!r} must be true or false.") from None
    except ValueError:
        raise ConfigError(f"{name}={text!r} must be a number.") from None
    if typing.get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _check(settings: Settings) -> None:
    def within(name: str, value: float, low: float, high: float) -> None:
        if not low <= value <= high:
            raise ConfigError(f"{name} is {value}; it must be between {low} and {high}.")

    within("server.port", settings.server.port, 0, 65535)
    within("media.fps", settings.media.fps, 5, 50)
    within("media.size", settings.media.size, 128, 1024)
    if settings.media.size % 16:
        raise ConfigError(f"media.size is {settings.media.size}; it must be a multiple of 16, as H.264 wants.")
    within("media.video_kbps", settings.media.video_kbps, 100, 8000)
    within("media.audio_kbps", settings.media.audio_kbps, 12, 128)
    within("bus.port", settings.bus.port, 1, 65532)
    within("bus.high_water_mark", settings.bus.high_water_mark, 1, 1_000_000)
    within("bus.outbox", settings.bus.outbox, 4, 1_000_000)
    _check_network(settings.bus)
    within("sessions.capacity", settings.sessions.capacity, 1, 1000)
    within("sessions.away_s", settings.sessions.away_s, 0, 7 * 86_400)
    within("films.waiting", settings.films.waiting, 0, 1000)
    within("films.upload_mb", settings.films.upload_mb, 1, 2000)
    within("films.disk_mb", settings.films.disk_mb, 1, 10_000_000)
    within("films.keep_h", settings.films.keep_h, 0, 876_000)
    _check_recording(settings.recording)
    within("recording.quota_gb", settings.recording.quota_gb, 0, 1_000_000)
    within("recording.min_free_mb", settings.recording.min_free_mb, 0, 100_000_000)
    within("recording.keep_days", settings.recording.keep_days, 0, 36_500)
    within("audience.capacity", settings.audience.capacity, 0, 10_000)
    for key, kind, example in (("rtmp_url", RTMP, "rtmps://host/app/key"), ("whip_url", WHIP, "https://host/whip")):
        url = getattr(settings.audience, key)
        if url and kind_of(url) != kind:
            raise ConfigError(f"audience.{key} cannot be used. It is an address such as {example}.")
        if url and (wrong := flaw(url)):
            raise ConfigError(f"audience.{key} cannot be used. {wrong}")
    within("audience.busy", settings.audience.busy, 0.05, 1.0)
    for key in ("janus_url", "janus_page_url"):
        if (url := getattr(settings.audience, key)) and not url.startswith(("ws://", "wss://")):
            raise ConfigError(f"audience.{key} is {url!r}; Janus' WebSocket begins with wss:// or ws://.")
    if settings.audience.via == "janus" and not settings.audience.janus_url:
        raise ConfigError('audience.via = "janus" needs audience.janus_url, such as "ws://127.0.0.1:8188".')
    within("server.turn_ttl_s", settings.server.turn_ttl_s, 60, 7 * 86_400)
    if settings.server.turn_urls and len(settings.server.turn_secret) < 16:
        raise ConfigError(
            "server.turn_urls needs the secret it shares with the TURN server: set VISAVIS_SERVER_TURN_SECRET "
            "(16 characters or more)."
        )
    for entry in settings.server.ice_servers:
        urls = entry.get("urls", "")
        _check_ice("server.ice_servers", urls if urls and isinstance(urls, list) else [urls])
    _check_ice("server.turn_urls", settings.server.turn_urls)
    for proxy in settings.server.proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            raise ConfigError(
                f"server.proxies has {proxy!r}: each is an address or a network, such as 127.0.0.1 or 10.0.0.0/8."
            ) from None
    within("workers.webrtc", settings.workers.webrtc, 1, 64)
    for kind in WORKER_KINDS:
        within(f"workers.{kind}", settings.workers.count(kind), 1, 64)
    if bool(settings.server.tls_cert) != bool(settings.server.tls_key):
        raise ConfigError("server.tls_cert and server.tls_key go together: set both, or neither.")
    longest = f"{settings.run_folder()}/programme-10.ffffffff.control"
    if settings.bus.transport == "ipc" and len(longest.encode()) > IPC_PATH_LIMIT:
        raise ConfigError(
            f"bus.run_folder {str(settings.run_folder())!r} is too long for Unix sockets ({IPC_PATH_LIMIT} bytes): "
            "name a shorter one."
        )


def _check_network(bus: BusSettings) -> None:
    """Nothing on the bus is encrypted, nor asks who speaks: an operator's command is a message like others."""
    if bus.transport == "ipc" or bus.trusted_network:
        return
    for key, host in (("bus.host", bus.host), ("bus.own_host", bus.own_host or bus.host)):
        if not is_loopback(host):
            raise ConfigError(
                f"{key} = {host!r} can be reached from other machines, and whoever reaches the bus commands every "
                "conversation. Set bus.trusted_network = true if only your own machines are in that network (one of "
                f"containers, a VPN), or set {key} back to 127.0.0.1."
            )


def _check_ice(key: str, urls: Sequence[Any]) -> None:
    """A browser refuses the whole call for one address that it cannot read."""
    for url in urls:
        if not isinstance(url, str) or not ICE_URL.fullmatch(url):
            raise ConfigError(
                f"{key} has {repr(url) if isinstance(url, str) else type(url).__name__}: each server is "
                '"stun:host:port" or "turn:host:port?transport=udp" (or tcp), in ice_servers as { urls = "…" }.'
            )


def _check_recording(recording: RecordingSettings) -> None:
    known = ("mp4", "webm")
    wrong = [name for name in recording.formats if name not in known]
    if wrong or not recording.formats or len(set(recording.formats)) < len(recording.formats):
        raise ConfigError(
            f"recording.formats is {list(recording.formats)}; it must name mp4, webm or both, each once: ['mp4']."
        )
