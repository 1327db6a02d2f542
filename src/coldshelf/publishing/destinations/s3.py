"""S3, or a store that speaks like it: objects appear whole when their upload is completed."""

from typing import TYPE_CHECKING, ClassVar

from obstore.store import S3Store

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.publishing.address import Address, check_secret, parse_address
from coldshelf.publishing.destination import Capabilities, Secret
from coldshelf.publishing.object_store import (
    RETRIES,
    ObjectDestination,
    check_endpoint,
    client_options,
    settings_checked,
)

if TYPE_CHECKING:  # the library has its shapes of settings for type checkers alone
    from obstore.store import S3Config


class S3Destination(ObjectDestination):
    """The address is `s3://BUCKET/prefix?region=…`; `&endpoint=` names a store other than Amazon's.

    The secret has `access_key_id` and `secret_access_key`, and `session_token` where they are temporary. Without it the
    machine's own identity signs in (environment, web identity, container or instance role). `ca` trusts an authority of
    one's own.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(schemes=("s3",), appears="rename")

    @classmethod
    def at(cls, address: str, secret: Secret) -> "S3Destination":
        found = parse_address(address, ("region", "endpoint"))
        check_secret(found, secret, ("access_key_id", "secret_access_key", "session_token", "ca"))
        if not found.host:
            raise SettingsInvalid(
                f"Destination {found.shown}: no bucket", cure="Write s3://BUCKET/prefix?region=REGION"
            )
        endpoint = check_endpoint(found, secret)
        with settings_checked(found, secret):
            store = S3Store(
                found.host,
                prefix=found.path.strip("/") or None,
                config=_config(found, secret, endpoint),
                client_options=client_options(endpoint, secret),
                retry_config=RETRIES,
            )
        return cls(store, found.shown, secret)


def _config(address: Address, secret: Secret, endpoint: str) -> "S3Config":
    # Copies fail where the name is taken only as an upload that copies: S3 has no condition on plain ones.
    config: S3Config = {"copy_if_not_exists": "multipart"}
    if endpoint:
        config["endpoint"] = endpoint
    if "region" in address.options:
        config["region"] = address.options["region"]
    if "access_key_id" in secret:
        config["access_key_id"] = secret["access_key_id"]
    if "secret_access_key" in secret:
        config["secret_access_key"] = secret["secret_access_key"]
    if "session_token" in secret:
        config["session_token"] = secret["session_token"]
    return config
