"""What the HTML reports share: one look, light and dark, and a page in which nothing can run or be fetched."""

from __future__ import annotations

from html import escape

PAGE_STYLE = """\
:root{color-scheme:light dark;--ink:#1c2128;--dim:#59636e;--ground:#fff;--line:#d1d9e0;--soft:#f6f8fa;
--good:#1a7f37;--bad:#cf222e;--warn:#9a6700}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--ground:#0d1117;--line:#3d444d;--soft:#151b23;
--good:#3fb950;--bad:#f85149;--warn:#d29922}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);margin:2rem auto;max-width:70rem;
padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:0;display:inline}h1,h2,td,p{overflow-wrap:anywhere}
.equal{--tone:var(--good)}.different,.failed,.refused{--tone:var(--bad)}.nondeterministic,.uncompared{--tone:var(--warn)}
.badge{color:var(--tone);border:1px solid var(--tone);border-radius:1em;padding:0 .6em;font-size:.85rem;
white-space:nowrap}
.dim{color:var(--dim)}table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line)}
details td:first-child{width:12rem}details td:nth-child(2){width:8rem}
th{color:var(--dim);font-weight:500}td.detail{overflow-wrap:anywhere}code,pre{font:13px/1.5 ui-monospace,monospace}
pre{background:var(--soft);padding:.8rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
details{border:1px solid var(--line);border-radius:8px;padding:.6rem .9rem;margin:.8rem 0}summary{cursor:pointer}
.scroll{overflow-x:auto}.graph rect{fill:var(--soft);stroke:var(--tone);stroke-width:1.5}
.graph text{fill:var(--ink);text-anchor:middle;font:13px system-ui,sans-serif}
.graph .status{fill:var(--tone);font-size:11px}
.graph .flow{fill:none;stroke:var(--dim)}.graph marker path{fill:var(--dim)}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def page(title: str, style: str, body: str) -> str:
    """Returns a whole document; `body` is HTML, whose texts are escaped already."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )
