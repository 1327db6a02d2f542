"""The frame around the pages of links: one style sheet, nothing from elsewhere, and the headers that keep them safe."""

import base64
from hashlib import sha256

from coldshelf.access.links import Page
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.web.html import EMPTY, Html, fill, join

STYLE = """
:root{color-scheme:light dark;--ink:#16202a;--soft:#5b6875;--paper:#f3f5f7;--card:#fff;--line:#dde3e8;--deed:#0b5cad;
--good:#1a7f4b;--bad:#b3261e;--wait:#8a5a00;--good-bg:#e3f4ea;--bad-bg:#fbe7e5;--wait-bg:#fdf0d5;--plain-bg:#e8edf2}
@media(prefers-color-scheme:dark){:root{--ink:#e9eef2;--soft:#9fadba;--paper:#11171c;--card:#1b232a;--line:#2e3943;
--deed:#6cb2ff;--good:#6fd39b;--bad:#ff9a92;--wait:#f2c063;--good-bg:#16382a;--bad-bg:#43201e;--wait-bg:#3d2f12;
--plain-bg:#26313a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:1rem/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
-webkit-text-size-adjust:100%;-webkit-tap-highlight-color:transparent;overflow-wrap:anywhere}
main{max-width:40rem;margin:0 auto;padding:1rem max(1rem,env(safe-area-inset-left)) 2.5rem}
h1{font-size:1.4rem;line-height:1.2;margin:.25rem 0 .15rem}
h2{font-size:1rem;margin:0 0 .5rem}
p{margin:.35rem 0}
a{color:var(--deed)}
.soft{color:var(--soft);font-size:.92rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1rem;margin:.9rem 0}
.state{display:inline-block;border-radius:10px;padding:.25rem .7rem;font-weight:600;font-size:.9rem;margin:.5rem 0 0;
background:var(--plain-bg)}
.good{background:var(--good-bg);color:var(--good)}
.bad{background:var(--bad-bg);color:var(--bad)}
.wait{background:var(--wait-bg);color:var(--wait)}
.said{border-radius:14px;padding:.8rem 1rem;margin:.9rem 0;font-weight:600}
.said p{font-weight:400}
figure{margin:.9rem 0;text-align:center}
figure img{display:block;margin:0 auto;max-width:100%;max-height:78vh;width:auto;height:auto;border-radius:14px;
border:1px solid var(--line);background:var(--card)}
figcaption{margin-top:.4rem}
.empty{padding:3rem 1rem;border:1px dashed var(--line);border-radius:14px;color:var(--soft)}
.counts{display:grid;grid-template-columns:repeat(auto-fit,minmax(4.5rem,1fr));gap:.5rem;margin:.9rem 0}
.counts div{background-color:var(--card);border:1px solid var(--line);border-radius:14px;padding:.6rem .25rem;
text-align:center;font-size:.84rem;overflow-wrap:normal}
.counts b{display:block;font-size:1.65rem;line-height:1.15}
.counts .good{background-color:var(--good-bg);border-color:transparent}
.counts .bad{background-color:var(--bad-bg);border-color:transparent}
.counts .wait{background-color:var(--wait-bg);border-color:transparent}
ul{list-style:none;margin:0;padding:0}
li{display:flex;justify-content:space-between;gap:1rem;padding:.45rem 0;border-top:1px solid var(--line)}
li:first-child{border-top:0}
summary{cursor:pointer;font-weight:600;padding:.2rem 0}
button{font:inherit;font-weight:600;width:100%;min-height:3.1rem;border:0;border-radius:12px;cursor:pointer;color:#fff;
background:#1a7f4b}
button.no{background:#b3261e}
button:focus-visible,a:focus-visible,summary:focus-visible,textarea:focus-visible,input:focus-visible+span{
outline:3px solid var(--deed);outline-offset:2px}
form{margin:.6rem 0 0}
.reject>summary{list-style:none;text-align:center;margin-top:.7rem;min-height:3.1rem;padding:.75rem;border-radius:12px;
border:1px solid var(--bad);color:var(--bad)}
.reject>summary::-webkit-details-marker{display:none}
.reject[open]>summary{display:none}
.reject form{margin-top:1.2rem;padding-top:.9rem;border-top:1px solid var(--line)}
footer{margin-top:1.4rem;padding-top:.7rem;border-top:1px solid var(--line);color:var(--soft);font-size:.88rem}
fieldset{border:0;margin:0 0 .6rem;padding:0}
legend{padding:0;margin-bottom:.4rem}
.choice{display:inline-block;margin:0 .35rem .45rem 0}
.choice input{position:absolute;opacity:0}
.choice span{display:inline-block;padding:.5rem .85rem;border:1px solid var(--line);border-radius:999px;cursor:pointer}
.choice input:checked+span{background:var(--bad-bg);border-color:var(--bad);color:var(--bad);font-weight:600}
textarea{font:inherit;width:100%;min-height:4.5rem;padding:.6rem;border:1px solid var(--line);border-radius:12px;
background:var(--paper);color:var(--ink);margin-bottom:.6rem}
label.words{display:block;margin-bottom:.3rem}
"""
_STYLE_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
CONTENT_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src 'self' data:; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
}
PAGE_HEADERS = {**HEADERS, "Content-Security-Policy": CONTENT_POLICY}
DOCUMENT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="robots" content="noindex, nofollow">
<meta name="format-detection" content="telephone=no">
<link rel="icon" href="data:,">
{refresh}<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
REFRESH = '<meta http-equiv="refresh" content="{seconds}">\n'
ERROR = """<div class="card">
<h1>{title}</h1>
{lines}
</div>"""
LINE = "<p>{words}</p>"
BACK = '<p><a href="{path}">Back to the page</a></p>'


def document(page: Page) -> str:
    """Put a page into its frame."""
    refresh = EMPTY
    if page.refresh_after is not None:
        refresh = fill(REFRESH, seconds=int(page.refresh_after.total_seconds()))
    return fill(DOCUMENT, refresh=refresh, title=page.title, style=Html(STYLE), body=page.body)


def error_page(error: ColdshelfError, *, back: str = "") -> Page:
    """Word an error for a person who has no account; `back` leads to the page of a link that holds."""
    title = (type(error).__doc__ or "").splitlines()[0]
    words = [f"{error.message.rstrip('.')}.", error.cure]
    lines = [fill(LINE, words=line) for line in words if line not in {"", f"{title}."}]
    if back:
        lines.append(fill(BACK, path=back))
    return Page(title, fill(ERROR, title=title, lines=join(lines)))
