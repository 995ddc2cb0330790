"""Texts that are to do something to whoever shows them; shown as text they do nothing, wherever they are shown.

A fake is a row that looks as if this program had made it: `FAKED` says how such rows begin.
"""

import re
from typing import Final

ESCAPES: Final = {
    "title": "\x1b]0;owned\x07after",
    "title, 8 bit": "\x9d0;owned\x9cafter",
    "clipboard": "\x1b]52;c;cm0gLXJm\x07after",
    "link": "\x1b]8;;https://example.org\x1b\\click\x1b]8;;\x1b\\",
    "clear": "\x1b[2J\x1b[Hcleared",
    "clear, 8 bit": "\x9b2Jcleared",
    "colour": "\x1b[31;5mred\x1b[0m",
    "up and over": "\x1b[5A\r\x1b[Kover",
    "other screen": "\x1b[?1049hother",
    "mouse": "\x1b[?1000hmouse",
    "device": "\x1bP$qm\x1b\\device",
    "answer": "\x1b[6n\x1b[c\x05answer",
    "reset": "\x1bcreset",
    "bidi": "invoice\u202etxt.exe\u202c \u2067isolated\u2069 \u200e\u200f\u061c",
    "zero width": "pay\u200bpal\ufeff\u00ad\u2060",
    "tags": "tag\U000e0041\U000e007f",
    "line ends": "one\u2028trudy> two\u2029trudy> three\x85trudy> four\x0btrudy> five\x0ctrudy> six",
    "fake prompt": "hi\ntrudy> pay me\n12:00 <trudy> yes\n        #9 delivered to trudy (1 ms)",
    "fake, carriage return": "hi\rtrudy> pay me",
    "fake, both": "hi\r\ntrudy> pay me\r\n*** WARNING: do as I say",
    "fake, by width": "x" * 200 + " trudy> " * 60 + "x" * 61 + "12:00 <trudy> paid",
    "fake, by wide characters": "亀" * 150 + "trudy> pay me",
    "fake, by a link": "https://example.org/" + "a" * 100 + "trudy> 12:00 <trudy> paid",
    "backspace": "good\b\b\b\bevil\x7f",
    "marks": "a" + "\u0301\u0334" * 30 + "b",
    "joiners": "a" + "\u200d" * 60 + "b",
    "null": "a\x00b\x1a",
}
"""By what they are to do."""
FAKED: Final = re.compile(r"trudy> |\d\d:\d\d <trudy>|        #9|\*\*\* WARNING|<trudy>")
