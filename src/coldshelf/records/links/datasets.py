"""Link: every link that was made, without its token. LinkAction: what was done by them, one row each, never changed."""

from coldshelf.access.principal import ADMINS
from coldshelf.records.columns import text, utc, whole
from coldshelf.records.dataset import Dataset, common_columns

LINKS = "Link"
WHY_WIDE = "Only client admins see links, and they see every outlet."
_ABOUT = (
    text("Purpose", "What it is for"),
    text("Dataset", "What it opens"),
    whole("RecordKey", "Id of the record there"),
    text("Recipient", "For whom it was made", personal=True),
)

LINK = Dataset(
    name=LINKS,
    relation="link",
    key=f"{LINKS}Id",
    meaning="Link for somebody without an account: what it opens, for whom, until when. Its token is not kept",
    client_wide=WHY_WIDE,
    every_outlet=True,
    default_direction="desc",
    plain_filters=(f"{LINKS}Id", "RecordKey", "UserId"),
    readers=ADMINS,
    columns=(
        whole(f"{LINKS}Id", "Id of the link", "id"),
        *_ABOUT,
        whole("UserId", "User for whom it was made; it ends when that user is shut out"),
        utc("ExpiresOn", "When it opens no more"),
        utc("RevokedOn", "When it was taken back"),
        utc("UsedOn", "When something was done by it"),
        text("UsedByAction", "What was done by it"),
        *common_columns(),
    ),
)
LINK_ACTION = Dataset(
    name="LinkAction",
    relation="link_action",
    key="LinkActionId",
    meaning="What was done by a link (CreatedByUser), when (CreatedOn), and what was said with it",
    client_wide=WHY_WIDE,
    every_outlet=True,
    default_direction="desc",
    plain_filters=("LinkActionId", f"{LINKS}Id", "RecordKey"),
    readers=ADMINS,
    columns=(
        whole("LinkActionId", "Id of the action", "id"),
        whole(f"{LINKS}Id", "Link"),
        *_ABOUT,
        text("Action", "What was done"),
        text("Detail", "What was said with it, such as a reason"),
        *common_columns(),
    ),
)
DATASETS = (LINK, LINK_ACTION)
