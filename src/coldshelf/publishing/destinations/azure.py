"""Azure Blob Storage: block blobs, which appear whole when their list of blocks is committed."""

from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from obstore.store import AzureStore

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.publishing.address import check_secret, parse_address
from coldshelf.publishing.destination import Capabilities, Secret
from coldshelf.publishing.object_store import (
    RETRIES,
    ObjectDestination,
    check_endpoint,
    client_options,
    settings_checked,
)

if TYPE_CHECKING:  # the library has its shapes of settings for type checkers alone
    from obstore.store import AzureConfig


class AzureDestination(ObjectDestination):
    """The address is `azure://ACCOUNT/CONTAINER/prefix`; `?endpoint=` names another host, such as Azurite.

    The secret has one of: `account_key`; `sas`; `client_id`, `client_secret` and `tenant_id` of an application. Without
    it the machine's own identity signs in: managed identity (`client_id` chooses one), or workload identity as
    `AZURE_FEDERATED_TOKEN_FILE` names it (`client_id` and `tenant_id` choose one). `ca` trusts an authority of one's
    own.
    """

    capabilities: ClassVar[Capabilities] = Capabilities(schemes=("azure", "az"), appears="rename")

    @classmethod
    def at(cls, address: str, secret: Secret) -> "AzureDestination":
        found = parse_address(address, ("endpoint",))
        check_secret(found, secret, ("account_key", "sas", "client_id", "client_secret", "tenant_id", "ca"))
        container, _, prefix = found.path.strip("/").partition("/")
        if not found.host or not container:
            raise SettingsInvalid(
                f"Destination {found.shown}: no container", cure="Write azure://ACCOUNT/CONTAINER/prefix"
            )
        endpoint = check_endpoint(found, secret)
        with settings_checked(found, secret):
            store = AzureStore(
                container,
                prefix=prefix or None,
                config=_place(found.host, endpoint) | _sign_in(secret),
                client_options=client_options(endpoint, secret),
                retry_config=RETRIES,
            )
        return cls(store, found.shown, secret)


def _place(account: str, endpoint: str) -> "AzureConfig":
    if not endpoint:
        return {"account_name": account}
    # A host of one's own has the account in the path, as Azurite does, unless the endpoint says otherwise.
    return {"account_name": account, "endpoint": endpoint if urlsplit(endpoint).path else f"{endpoint}/{account}"}


def _sign_in(secret: Secret) -> "AzureConfig":
    """Name the way of signing in wherever a secret is given, so that nothing of the machine's own is tried instead."""
    if "account_key" in secret:
        return {"account_key": secret["account_key"], "credential_type": "access_key"}
    if "sas" in secret:
        return {"sas_key": secret["sas"].removeprefix("?"), "credential_type": "sas_token"}
    config: AzureConfig = {"credential_type": "client_secret"} if "client_secret" in secret else {}
    if "client_id" in secret:
        config["client_id"] = secret["client_id"]
    if "client_secret" in secret:
        config["client_secret"] = secret["client_secret"]
    if "tenant_id" in secret:
        config["tenant_id"] = secret["tenant_id"]
    return config
