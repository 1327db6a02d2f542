"""Every setting in one place: name, type, default and help. A wrong value stops the start and says the cure.

Read from the environment with the prefix `COLDSHELF_`; a secret may also stand in a file named by `…_FILE`.
"""

import os
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from coldshelf.kit.errors import SettingsInvalid

MEBIBYTE = 1024 * 1024


class SmtpTls(StrEnum):
    """How the mail server is spoken to in TLS."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


def _parts(value: object) -> object:
    """Split a comma list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts)]
Port = Annotated[int, Field(ge=1, le=65535)]
Ports = Annotated[tuple[Port, ...], NoDecode, BeforeValidator(_parts)]


class Settings(BaseSettings):
    """Settings of one process."""

    model_config = SettingsConfigDict(env_prefix="COLDSHELF_", extra="forbid", frozen=True)

    data_dir: Path = Field(
        default=Path("coldshelf-data"),
        description="Folder of the embedded database and, unless `object_store_url` says otherwise, of the pictures.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL 15 or newer, `postgresql://user:password@host/database`. Empty: the embedded one. "
        "The user owns the database and may create roles.",
    )
    object_store_url: str | None = Field(
        default=None, description="Where pictures are kept, `file:///folder`. Empty: `objects` in `data_dir`."
    )
    host: str = Field(default="127.0.0.1", description="Address on which the API listens.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port on which the API listens.")
    public_url: str = Field(
        default="",
        pattern="^(https?://[^/?#@ ]+(/[^?# ]*)?)?$",
        description="Where people reach this installation, `https://coolers.example.org`: what links in messages begin "
        "with. Empty: `http://host:port`.",
    )
    api_processes: int = Field(default=1, ge=1, le=64, description="API processes of one `coldshelf api`.")
    pool_size: int = Field(default=20, ge=2, le=200, description="Database connections of one process.")
    worker_threads: int = Field(
        default=1, ge=1, le=64, description="Pictures that one worker process works on at the same time."
    )
    lease: timedelta = Field(
        default=timedelta(seconds=30),
        description="A job whose worker has not been heard of for so long is given to another worker.",
    )
    sweep_every: timedelta = Field(
        default=timedelta(seconds=30), description="How often a worker looks for steps whose job got lost."
    )
    max_body_bytes: int = Field(default=64 * MEBIBYTE, ge=1024, description="Largest request body in bytes.")
    max_files: int = Field(default=20, ge=1, le=100, description="Most files in one upload.")
    max_batch: int = Field(default=100, ge=1, le=1000, description="Most files in one batch.")
    resumable_kept: timedelta = Field(
        default=timedelta(hours=24),
        description="A resumable upload ends when nothing has come for so long; also how long its answer is kept.",
    )
    max_open_uploads: int = Field(
        default=100, ge=1, description="Resumable uploads of one credential that are under way at the same time."
    )
    max_megapixels: float = Field(default=50.0, gt=0, description="Largest picture in megapixels.")
    max_page: int = Field(default=50_000, ge=1, description="Most records in one page of a list.")
    max_export: int = Field(
        default=50_000,
        ge=1,
        le=1_000_000,
        description="Most records in one exported file; an Excel sheet has 1,048,576 rows.",
    )
    requests_per_minute: int = Field(
        default=6000, ge=1, description="Requests a minute for one credential; kept in each process, so approximate."
    )
    max_queue_age: timedelta = Field(
        default=timedelta(hours=6),
        description="Uploads are refused with 429 while the oldest waiting step is older than this.",
    )
    idempotency_wait: timedelta = Field(
        default=timedelta(seconds=10), description="How long a repeated request waits for the first one."
    )
    recogniser: str = Field(
        default="neural", description="Recogniser that workers use: neural, colour, or neural:FOLDER for own models."
    )
    reprocessing_lanes: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Pictures of one reprocessing run that are worked on at the same time, by all workers together.",
    )
    import_max_rows: int = Field(default=200_000, ge=1, description="Most rows in one imported file.")
    import_max_errors: int = Field(
        default=10_000, ge=1, description="Bad cells that the answer of an import lists; all are counted."
    )
    import_memory_bytes: int = Field(
        default=3 * 1024 * MEBIBYTE,
        ge=256 * MEBIBYTE,
        description="Address space in bytes of the child process that reads an imported workbook.",
    )
    import_background_bytes: int = Field(
        default=4 * MEBIBYTE,
        ge=0,
        description="Larger import files are left to a worker unless `background=0` is sent.",
    )
    import_folders: Words = Field(
        default=(),
        description="Watched folders, a comma list of `CLIENT=FOLDER`: a new file there is imported once and moved to "
        "`done` or `failed`. `objects:FOLDER` is one in the object store.",
    )
    import_watch_every: timedelta = Field(
        default=timedelta(seconds=10), description="How often a worker looks into the watched folders."
    )
    destinations_file: Path | None = Field(
        default=None,
        description="JSON file of the places to which publications may write, by name: `address`, `secret` and the "
        "codes of the `clients` that may use it. `exports` is a folder in `data_dir` and always there.",
    )
    schedule_every: timedelta = Field(
        default=timedelta(seconds=10), description="How often the scheduler looks for publications that are due."
    )
    allow_origins: Words = Field(
        default=(), description="Comma list of further origins from which cookie-signed writes are taken."
    )
    outgoing_allow: Words = Field(
        default=(),
        description="Comma list of addresses, networks (`10.1.0.0/16`), hosts and `*.suffixes` that outgoing calls may "
        "reach although they are not public.",
    )
    outgoing_ports: Ports = Field(
        default=(80, 443, 8080, 8443), description="Comma list of the ports that outgoing calls may use."
    )
    outgoing_http: bool = Field(default=False, description="Outgoing calls may go to plain http:// as well.")
    sandbox: bool = Field(
        default=False,
        description="Every message (callback, e-mail, SMS, Slack) is kept in the outbox instead of leaving.",
    )
    outgoing_timeout: timedelta = Field(
        default=timedelta(seconds=20), gt=timedelta(0), description="How long an outgoing call may take in all."
    )
    outgoing_connect_timeout: timedelta = Field(
        default=timedelta(seconds=5), gt=timedelta(0), description="How long an outgoing call may take to connect."
    )
    outgoing_proxy: SecretStr | None = Field(
        default=None,
        description="Proxy through which outgoing calls leave, `http://user:password@host:port`; only https:// then.",
    )
    outgoing_source_address: str | None = Field(
        default=None, description="Address of this machine from which outgoing calls leave."
    )
    outgoing_ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) trusted in outgoing calls besides those of the system."
    )
    sms_account_sid: str = Field(
        default="",
        pattern="^(AC[0-9A-Za-z]{32})?$",
        description="Account SID at Twilio, through which SMS are sent. Empty: none are sent.",
    )
    sms_auth_token: SecretStr | None = Field(
        default=None, description="Auth token of that account; its calls to `/api/v1/sms` are signed by it too."
    )
    sms_from: str = Field(
        default="",
        pattern="^([+][1-9][0-9]{1,14}|MG[0-9A-Za-z]{32}|[0-9]{3,8}|[0-9A-Za-z ]{1,11})?$",
        description="Sender of SMS: a number (`+4366012345`), short code or name, or a messaging service (`MG…`).",
    )
    sms_base_url: str = Field(
        default="https://api.twilio.com", pattern="^https?://[^/?#@ ]+$", description="Address of Twilio's API."
    )
    sms_most_segments: int = Field(
        default=3, ge=1, le=10, description="Longer SMS are cut. A segment is 153 plain characters, or 67 others."
    )
    sms_plain: bool = Field(
        default=True,
        description="Typographic quotes, dashes and blanks in SMS become plain ones, which take half the segments.",
    )
    smtp_host: str | None = Field(
        default=None, description="Mail server that takes messages by e-mail. Empty: no mail is sent."
    )
    smtp_port: Port | None = Field(
        default=None, description="Its port. Empty: 587, or 465 for implicit TLS, or 25 without TLS."
    )
    smtp_user: str = Field(default="", description="User that signs in to the mail server. Empty: nobody does.")
    smtp_password: SecretStr | None = Field(default=None, description="Password of that user.")
    smtp_tls: SmtpTls = Field(
        default=SmtpTls.STARTTLS,
        description="`starttls`: no mail goes to a server without it; `implicit`: TLS from the first byte; `none`: as "
        "plain text, password too.",
    )
    mail_from: str = Field(
        default="coldshelf@localhost",
        pattern="^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$",
        description="Address from which mails come; where they bounce to.",
    )
    secret: SecretStr | None = Field(
        default=None,
        description="Key that signs cookies, cursors and links. Empty: one is made and kept in the database.",
    )
    faults: str = Field(
        default="",
        description="Fault switch for trying out error handling: `upload`, `save` or both, comma-separated. "
        "Makes the upload answer `Something went wrong` or `Something went wrong while saving image`.",
    )
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level logged.")

    @property
    def public_base(self) -> str:
        """What absolute URLs of this installation begin with, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def objects_url(self) -> str:
        return self.object_store_url or (self.data_dir / "objects").absolute().as_uri()


def load_settings(**overrides: object) -> Settings:
    """Read the settings; raise SettingsInvalid naming each wrong variable and what it takes."""
    values = {**_secrets_from_files(), **overrides}
    try:
        return Settings(**values)  # type: ignore[arg-type]  # pydantic checks what the environment and callers give
    except ValidationError as error:
        raise SettingsInvalid("\n".join(_explain(part) for part in error.errors())) from error


def _secrets_from_files() -> dict[str, str]:
    found = {}
    for name in Settings.model_fields:
        path = os.environ.get(f"COLDSHELF_{name.upper()}_FILE")
        if path:
            try:
                found[name] = Path(path).read_text().strip()
            except OSError as error:
                raise SettingsInvalid(f"COLDSHELF_{name.upper()}_FILE: cannot read {path}: {error.strerror}") from error
    return found


def _explain(part: object) -> str:
    details = dict(part)  # type: ignore[call-overload]  # pydantic's ErrorDetails is a TypedDict
    name = str(details["loc"][0]) if details["loc"] else ""
    field = Settings.model_fields.get(name)
    takes = f" It is: {field.description}" if field else ""
    return f"COLDSHELF_{name.upper()}={details.get('input')!r}: {details['msg']}.{takes}"
