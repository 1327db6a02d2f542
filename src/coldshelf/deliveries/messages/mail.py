"""A message as a mail: plain text, HTML and the picture in one MIME message that no value can break out of."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import cast

from coldshelf.deliveries.messages import page
from coldshelf.deliveries.messages.message import Message
from coldshelf.deliveries.messages.placeholders import one_line

PICTURE = "picture@coldshelf"


def html_of(message: Message, *, unsubscribe: str = "", picture: str = f"cid:{PICTURE}") -> str:
    """Write the HTML part; every value is escaped."""
    rows = page.paragraphs(message.text)
    if message.picture:
        rows.insert(1, page.picture(picture))
    rows += [page.button(link, title) for title, link in message.links.items()]
    foot = f"You get this because of the subscription “{escape(message.subscription)}” of {escape(message.client)}."
    if unsubscribe:
        foot += f'<br><a href="{escape(unsubscribe)}" style="color:#5b6b79">Unsubscribe</a>'
    return page.page(title=message.subject, above=message.sender, rows=rows, foot=foot, language=message.language)


def text_of(message: Message, *, unsubscribe: str = "") -> str:
    """Write the plain part."""
    foot = f"-- \nYou get this because of the subscription “{message.subscription}” of {message.client}."
    links = "\n".join(f"{title}: {link}" for title, link in message.links.items())
    parts = [message.text, links, foot, f"Unsubscribe: {unsubscribe}" if unsubscribe else ""]
    return "\n\n".join(part for part in parts if part) + "\n"


def mime_of(message: Message, *, sender: str, message_id: str, sent_on: datetime, unsubscribe: str = "") -> bytes:
    """Write the whole mail, 7-bit, CRLF; one-click unsubscription by RFC 8058 where it has an address."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_plain(message.sender), addr_spec=sender)
    mail["To"] = Address(addr_spec=message.address)
    mail["Subject"] = _plain(message.subject)
    mail["Date"] = sent_on
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    if unsubscribe:
        mail["List-Unsubscribe"] = f"<{unsubscribe}>"
    if unsubscribe.startswith("https://"):
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(text_of(message, unsubscribe=unsubscribe), cte="quoted-printable")
    mail.add_alternative(html_of(message, unsubscribe=unsubscribe), subtype="html", cte="quoted-printable")
    if message.picture:
        html = cast("list[EmailMessage]", mail.get_payload())[1]
        html.add_related(
            message.picture, "image", "jpeg", cid=f"<{PICTURE}>", disposition="inline", filename="cooler.jpg"
        )
    return mail.as_bytes()


def _plain(text: str) -> str:
    """Make text fit for a header: the library decodes `=?…?=` in it, line breaks inside too, and would write them."""
    return one_line(text).replace("=?", "= ?")
