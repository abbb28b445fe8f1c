"""Settings: one frozen value, read once from `zhakou.toml` and then from the environment (`ZHAKOU_…`).

Unknown keys are refused and every problem is reported in one go. Defaults are the safe ones. What weakens a
guarantee has `unsafe_` in its name and is announced at start.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from hub.errors import InvalidInput, Refusal
from hub.message import Message, msg

LEAST_UID = 1000
"""Below are root and the system's own accounts (login.defs: UID_MIN); no workspace runs as one of them."""

_ABOVE_ZERO = (
    *("workspace_memory", "workspace_processes", "workspace_cpu_percent", "workspace_file", "workspace_scratch"),
    *("workspace_unasked", "max_raw_bytes", "grant_hours", "max_sessions", "first_password_hours", "run_seconds"),
)

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a site can set. Paths are absolute; sizes in bytes; times in seconds."""

    state_dir: Path = PROJECT / "var"
    """Database, keys, raw zone, extracts, workspaces, frozen outputs, release store. Created with mode 0700."""
    database_url: str = field(default="", repr=False)
    """PostgreSQL's address `postgresql://user:password@host/database`; empty: SQLite in `state_dir`."""
    public_host: str = "127.0.0.1"
    """Address on which the proxy is reached. It speaks HTTP: put TLS in front before using another than loopback."""
    public_port: int = 8000
    """Port of the proxy, the one door."""
    hub_port: int = 8081
    """Port of JupyterHub, on loopback."""
    proxy_api_port: int = 8001
    """Port on which the hub tells the proxy its routes, on loopback."""
    portal_port: int = 8082
    """Port of the portal behind the proxy, on loopback."""
    language: str = "zh"
    """Language of a page or notebook whose reader has not chosen one: `zh` or `en`."""
    demo_district: bool = True
    """Fill an empty state with the demonstration district."""
    workspace_memory: int = 2 * 2**30
    """Memory of a workspace's kernels, bytes."""
    workspace_processes: int = 256
    """Processes and threads that a workspace's kernels may have."""
    workspace_cpu_percent: int = 100
    """CPU of a workspace's kernels, per cent of one core."""
    workspace_file: int = 512 * 2**20
    """Largest file that a workspace's kernels can write, bytes."""
    workspace_scratch: int = 256 * 2**20
    """Scratch space of a box, in memory, bytes."""
    run_seconds: int = 1800
    """Longest time that the code of a sealed run may take, seconds."""
    workspace_unasked: int = 600
    """How long a workspace goes on when its licence cannot be asked, with the hub or its database down, seconds."""
    workspace_uid_base: int = 61000
    """First of the uids that workspaces get when the hub runs as root."""
    max_raw_bytes: int = 2 * 2**30
    """Largest file that a department can hand in, bytes."""
    max_licence_days: int = 1826
    """Five years. Source: 公共数据资源授权运营实施规范(试行) Art. 14(2)."""
    min_reviewers: int = 2
    """Fewest distinct votes a licence may ask for. Source: DOMAIN.md §0 item 7."""
    grant_hours: int = 72
    """How long a download grant lives. Source: DOMAIN.md §6.6."""
    unsafe_database_tls: bool = False
    """Let a PostgreSQL server on another machine be reached without verifying who it is (sslmode=verify-full)."""
    oidc_issuer: str = ""
    """Address of an OpenID Connect provider that people sign in with; empty: with the directory's own passwords."""
    oidc_client_id: str = ""
    """Name under which the provider knows this site."""
    oidc_secret_file: str = ""
    """File with the client's secret, readable by the service alone."""
    oidc_callback_url: str = ""
    """Address to which the provider sends browsers back, ending in `/hub/oauth_callback`."""
    oidc_username_claim: str = "preferred_username"
    """Claim that holds the person's id in the directory; one that people cannot change. No other claim is used."""
    oidc_acr: str = ""
    """Values of `acr`, parted by blanks, of which one shows that the provider asked for a second factor."""
    oidc_amr: str = "mfa otp hwk"
    """Values of `amr`, parted by blanks, of which one shows the same."""
    max_sessions: int = 3
    """Browsers in which one person can be signed in at once; with one more, the oldest ends."""
    first_password_hours: int = 72
    """How long a first password opens enrolment."""
    unsafe_clock_file: str = ""
    """A file whose seconds are added to the clock. Only for demonstrations and tests."""

    @property
    def signs_in_here(self) -> bool:
        """Whether people sign in with the directory's own passwords and codes."""
        return not self.oidc_issuer

    @property
    def unsafe(self) -> tuple[str, ...]:
        """Names of the settings in force that weaken a guarantee."""
        return tuple(f.name for f in fields(self) if f.name.startswith("unsafe_") and getattr(self, f.name))


_PARSERS: Mapping[str, Callable[[object], object]] = {
    "str": lambda raw: raw if isinstance(raw, str) else _reject(),
    "int": lambda raw: int(raw) if isinstance(raw, int | str) and not isinstance(raw, bool) else _reject(),
    "bool": lambda raw: raw if isinstance(raw, bool) else {"true": True, "false": False}[str(raw).lower()],
    "Path": lambda raw: Path(raw).expanduser().resolve() if isinstance(raw, str) and raw else _reject(),
}


def _reject() -> object:
    raise ValueError


def load_settings(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in force.

    Args:
        file: A TOML file; default `$ZHAKOU_SETTINGS`, else `zhakou.toml` beside the project if it exists.
        environment: Default the process's.

    Raises:
        InvalidInput: One refusal for each unknown key, wrong type or impossible value. Values are not repeated.
    """
    env = os.environ if environment is None else environment
    named = file or (Path(env["ZHAKOU_SETTINGS"]) if env.get("ZHAKOU_SETTINGS") else None)
    path = named or PROJECT / "zhakou.toml"
    given: dict[str, object] = {}
    refusals: list[Refusal] = []
    if named is not None or path.exists():
        try:
            given.update(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
            refusals.append(_refusal("file", msg("The settings file cannot be read as TOML.")))
    known = {f.name: str(f.type) for f in fields(Settings)}
    prefixed = {key.removeprefix("ZHAKOU_").lower(): text for key, text in env.items() if key.startswith("ZHAKOU_")}
    # Where the settings and the bench's data lie is said in the environment too, but is no setting.
    given.update({name: text for name, text in prefixed.items() if name not in ("settings", "bench_data")})
    values: dict[str, object] = {}
    for name, raw in given.items():
        if name not in known:
            refusals.append(_refusal(name, msg("There is no setting named {name}.", name=name)))
            continue
        try:
            values[name] = _PARSERS[known[name]](raw)
        except (ValueError, KeyError, TypeError):
            refusals.append(
                _refusal(name, msg("Setting {name}: the value is not a {type}.", name=name, type=known[name]))
            )
    settings = Settings(**values)  # type: ignore[arg-type]  # names and types were just checked against the fields
    refusals.extend(_impossible(settings))
    if refusals:
        raise InvalidInput(*refusals)
    return settings


def _impossible(settings: Settings) -> list[Refusal]:
    found: list[Refusal] = []
    ports = (settings.public_port, settings.hub_port, settings.proxy_api_port, settings.portal_port)
    if len(set(ports)) != len(ports) or not all(1 <= port <= 65535 for port in ports):
        found.append(_refusal("public_port", msg("The four ports must differ and lie between 1 and 65535.")))
    if settings.language not in ("zh", "en"):
        found.append(_refusal("language", msg("The language is zh or en.")))
    if settings.min_reviewers < 2:
        found.append(_refusal("min_reviewers", msg("Fewer than two reviewers cannot be set.")))
    if not 1 <= settings.max_licence_days <= 1826:
        found.append(_refusal("max_licence_days", msg("A licence may run five years at the most.")))
    if settings.oidc_issuer:
        needed = ("oidc_client_id", "oidc_secret_file", "oidc_callback_url", "oidc_username_claim")
        for name in needed:
            if not getattr(settings, name):
                found.append(_refusal(name, msg("Setting {name} is needed with oidc_issuer.", name=name)))
        if not settings.oidc_acr.split() and not settings.oidc_amr.split():
            found.append(_refusal("oidc_acr", msg("Name what shows a second factor: oidc_acr, oidc_amr or both.")))
    for name in _ABOVE_ZERO:
        if getattr(settings, name) <= 0:
            found.append(_refusal(name, msg("Setting {name} must be above zero.", name=name)))
    if settings.workspace_uid_base < LEAST_UID:
        found.append(
            _refusal("workspace_uid_base", msg("Workspaces cannot run as uids below {least}.", least=LEAST_UID))
        )
    return found


def _refusal(name: str, text: Message) -> Refusal:
    return Refusal(
        rule="settings.invalid",
        subject=name,
        text=text,
        next_step=msg("Mend it in zhakou.toml or in the environment (ZHAKOU_…), then start again."),
    )
