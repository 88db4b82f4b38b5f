"""Texts that break pages, terminals and formats which take them for more than texts: 60 of them, each with a reason."""

from __future__ import annotations

MARKUP = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 2</script>",
    "<img src=x onerror=window.hacked=3>",
    '"><img src=x onerror=window.hacked=4>',
    "'><svg onload=window.hacked=5>",
    "<svg><script>window.hacked=6</script></svg>",
    "<svg/onload=window.hacked=7//",
    "<iframe src=javascript:window.hacked=8></iframe>",
    '<iframe srcdoc="<script>parent.hacked=9</script>"></iframe>',
    "<object data=javascript:window.hacked=10></object>",
    "<embed src=javascript:window.hacked=11>",
    "<a href=javascript:window.hacked=12>click</a>",
    "<body onload=window.hacked=13>",
    "<details open ontoggle=window.hacked=14>",
    "<input autofocus onfocus=window.hacked=15>",
    "<video><source onerror=window.hacked=16></video>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.hacked=17>",
    "<template><script>window.hacked=18</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=window.hacked=19>'>",
    "<form action=javascript:window.hacked=20><button>go</button></form>",
    "<base href=//example.invalid/>",
    "<meta http-equiv=refresh content='0;url=//example.invalid/'>",
    "<link rel=stylesheet href=//example.invalid/x.css>",
    "<img src=//example.invalid/pixel.png>",
    "<table background=//example.invalid/x.png>",
    "</td></tr></table><h1>out of the table</h1>",
    "</title></textarea></style><script>window.hacked=27</script>",
    "<!--><img src=x onerror=window.hacked=28>-->",
    "<![CDATA[<script>window.hacked=29</script>]]>",
    "&lt;script&gt;window.hacked=30&lt;/script&gt;",
    "&#60;img src=x onerror=window.hacked=31&#62;",
)
STYLES = (
    "<style>*{display:none}</style>",
    '" style="position:fixed;inset:0;background:url(//example.invalid/x)" x="',
    "' onmouseover='window.hacked=34' x='",
    "color:expression(window.hacked=35)",
    "</style><style>@import '//example.invalid/x.css'</style>",
)
ADDRESSES = (
    "javascript:window.hacked=37",
    "JaVaScRiPt:window.hacked=38",
    "data:text/html,<script>window.hacked=39</script>",
    "vbscript:msgbox(40)",
    "//example.invalid/x.js",
    "https://example.invalid/?q=<script>",
)
CODE = (
    "${window.hacked=43}",
    "`${alert(44)}`",
    "{{constructor.constructor('window.hacked=45')()}}",
    "';window.hacked=46;//",
    '"};window.hacked=47;//',
    "\\u003cscript\\u003ewindow.hacked=48\\u003c/script\\u003e",
    "__proto__",
    "constructor",
    "%3Cscript%3Ewindow.hacked=51%3C/script%3E",
)
UNSEEN = (
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "before\x00after",
    "\u202egnp.exe\u202c",
    "a\r\nb\tc\x08\x08\x08",
    "\u2066\u2067hidden\u2069",
    "\ufeffmark\u200b\u200b",
    "\ud800 half a character",
)
LONG = ("x" * 1_000_000, "word " * 20_000, "Z\u0351\u036b\u0343" * 200)
PAYLOADS = MARKUP + STYLES + ADDRESSES + CODE + UNSEEN + LONG
