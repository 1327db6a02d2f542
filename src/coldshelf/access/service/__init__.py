"""Use cases of the room: administration of clients, users and tokens; sign-in."""

from coldshelf.access.service.administration import (
    add_client,
    add_device_token,
    add_token,
    add_user,
    change_password,
    client_by_code,
    client_time_zone,
    list_tokens,
    load_client,
    revoke_device_tokens,
    revoke_token,
    set_password,
    set_user_active,
    user_by_name,
    username_taken,
)
from coldshelf.access.service.sign_in import (
    COOKIE_LIFE,
    make_cookie,
    sign_in_cookie,
    sign_in_password,
    sign_in_token,
)

__all__ = [
    "COOKIE_LIFE",
    "add_client",
    "add_device_token",
    "add_token",
    "add_user",
    "change_password",
    "client_by_code",
    "client_time_zone",
    "list_tokens",
    "load_client",
    "make_cookie",
    "revoke_device_tokens",
    "revoke_token",
    "set_password",
    "set_user_active",
    "sign_in_cookie",
    "sign_in_password",
    "sign_in_token",
    "user_by_name",
    "username_taken",
]
