"""The HTML of mails and of the page that ends a subscription: tables and inline styles, as mail programs want them.

Every value is escaped here; nothing else writes HTML.
"""

import re
from html import escape

PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light"><title>{title}</title></head>
<body style="margin:0;padding:0;background:#eef2f5;-webkit-text-size-adjust:100%">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#eef2f5"><tr>
<td align="center" style="padding:16px 8px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px;background:#ffffff;\
border-radius:12px;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#17222c">
<tr><td style="padding:20px 20px 4px;font-size:13px;line-height:18px;color:#5b6b79">{above}</td></tr>
<tr><td style="padding:0 20px 12px"><h1 style="margin:0;font-size:21px;line-height:28px;font-weight:600;\
overflow-wrap:anywhere">{title}</h1></td></tr>
{rows}
<tr><td style="padding:16px 20px 20px;border-top:1px solid #e3e8ec;font-size:12px;line-height:18px;color:#5b6b79;\
overflow-wrap:anywhere">{foot}</td></tr>
</table></td></tr></table></body></html>
"""
PARAGRAPH = (
    """<tr><td style="padding:0 20px 12px;font-size:16px;line-height:24px;overflow-wrap:anywhere">{}</td></tr>"""
)
FACTS = """<tr><td style="padding:0 20px 12px"><table role="presentation" width="100%" cellpadding="0" cellspacing="0">\
{}</table></td></tr>"""
FACT = """<tr><td valign="top" width="38%" style="padding:6px 12px 6px 0;border-top:1px solid #e3e8ec;font-size:14px;\
line-height:20px;color:#5b6b79">{}</td><td valign="top" style="padding:6px 0;border-top:1px solid #e3e8ec;\
font-size:15px;line-height:20px;overflow-wrap:anywhere">{}</td></tr>"""
PICTURE = """<tr><td style="padding:0 20px 16px"><img src="{}" alt="The cooler, with what was found in it" width="560" \
style="display:block;width:100%;max-width:560px;height:auto;border:0;border-radius:8px"></td></tr>"""
BUTTON = """<tr><td style="padding:4px 20px 20px"><a href="{}" style="display:block;padding:14px 20px;\
background:#0b6e4f;border-radius:8px;color:#ffffff;font-size:16px;line-height:20px;font-weight:600;text-align:center;\
text-decoration:none">{}</a></td></tr>"""
FORM = """<tr><td style="padding:4px 20px 20px"><form method="post"><input type="hidden" name="List-Unsubscribe" \
value="One-Click"><button style="width:100%;padding:14px 20px;background:#0b6e4f;border:0;border-radius:8px;\
color:#ffffff;font-size:16px;line-height:20px;font-weight:600">{}</button></form></td></tr>"""
URL = re.compile(r"https?://[^\s<>\"']+")
BLANK_LINE = re.compile(r"\n\s*\n")
LONGEST_LABEL = 30


def page(*, title: str, above: str, rows: list[str], foot: str, language: str = "en") -> str:
    """Put a page together; `rows` and `foot` are HTML, the rest is text."""
    return PAGE.format(
        title=escape(title), above=escape(above), rows="\n".join(rows), foot=foot, language=escape(language)
    )


def paragraphs(text: str) -> list[str]:
    """Turn text into rows: lines `Outlet: Corner shop` are facts, all others paragraphs."""
    rows = []
    for block in BLANK_LINE.split(text):
        facts: list[str] = []
        lines: list[str] = []
        for line in block.strip().splitlines():
            label, colon, value = line.partition(": ")
            is_fact = colon and len(label) <= LONGEST_LABEL and not label.startswith("- ")
            if is_fact:
                facts.append(FACT.format(escape(label), linked(value)))
            else:
                lines.append(linked(line))
        if lines:
            rows.append(PARAGRAPH.format("<br>".join(lines)))
        if facts:
            rows.append(FACTS.format("".join(facts)))
    return rows


def picture(source: str) -> str:
    return PICTURE.format(escape(source))


def button(link: str, words: str) -> str:
    return BUTTON.format(escape(link), escape(words))


def form(words: str) -> str:
    """Show a button that posts to the page's own address."""
    return FORM.format(escape(words))


def linked(text: str) -> str:
    """Escape text; addresses in it can be followed."""
    parts, end = [], 0
    for found in URL.finditer(text):
        parts += [escape(text[end : found.start()]), f'<a href="{escape(found[0])}">{escape(found[0])}</a>']
        end = found.end()
    return "".join([*parts, escape(text[end:])])
