#!/usr/bin/env python3
"""Draws a terminal transcript as SVG: scripts/terminal_svg.py < transcript > picture.svg

Lines that begin with "$ ", and those that continue one after a backslash, are what was typed and are drawn brighter.
"""

import html
import sys

CHAR_WIDTH, LINE_HEIGHT, MARGIN, BAR = 8.4, 20, 18, 30


def main() -> None:
    lines = sys.stdin.read().rstrip("\n").split("\n")
    width = round(MARGIN * 2 + max(map(len, lines)) * CHAR_WIDTH)
    height = BAR + MARGIN + len(lines) * LINE_HEIGHT
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f'<rect width="{width}" height="{height}" rx="8" fill="#11151c"/>',
    ]
    for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        out.append(f'<circle cx="{MARGIN + 2 + number * 18}" cy="{BAR / 2 + 3}" r="5" fill="{colour}"/>')
    out.append('<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="14">')
    continues = False
    for number, line in enumerate(lines):
        typed = line.startswith("$ ") or continues
        continues = typed and line.endswith("\\")
        colour = "#e6edf3" if typed else "#7ee787"
        y = BAR + MARGIN + number * LINE_HEIGHT
        text = html.escape(line, quote=False)
        out.append(f'<text x="{MARGIN}" y="{y}" fill="{colour}" xml:space="preserve">{text}</text>')
    out.append("</g></svg>")
    print("\n".join(out))


if __name__ == "__main__":
    main()
