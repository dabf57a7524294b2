#!/usr/bin/env python3
"""Writes a page that plays what `make run` made: the ladder (where the browser knows HLS), the renditions, the sprite."""

import html
import pathlib
import sys
import urllib.parse

folder = pathlib.Path(sys.argv[1])
names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def link(name):
    return html.escape(urllib.parse.quote(name), quote=True)


masters = [name for name in names if name.endswith(".m3u8") and "#EXT-X-STREAM-INF" in (folder / name).read_text()]
films = [name for name in names if name.endswith(".mp4") and "_transcode_" in name]
sheets = [name for name in names if "imageSprite" in name and name.endswith((".jpg", ".png", ".webp"))]
sources = [f'<source src="{link(name)}" type="application/vnd.apple.mpegurl">' for name in masters]
sources += [f'<source src="{link(name)}" type="video/mp4">' for name in films]
page = f"""<!doctype html>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Freedom MPS: the sample</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
video, img {{ width: 100%; background: #000; border-radius: 6px; }}
</style>
<h1>The sample</h1>
<p>A ladder of HLS; a browser that does not know HLS plays an MP4 instead.</p>
<video controls muted preload="metadata">{"".join(sources)}</video>
<h2>Its sprite</h2>
{"".join(f'<img src="{link(name)}" alt="small pictures">' for name in sheets)}
<h2>All files</h2>
<ul>{"".join(f'<li><a href="{link(name)}">{html.escape(name)}</a></li>' for name in names)}</ul>
"""
(folder / "index.html").write_text(page)
