// Drives a headless browser: reads jobs from standard input, one JSON a line, and answers each with one line.
//
// A job is {"url": …} or {"root": FOLDER, "path": FILE} for files of this machine, which are then served with byte
// ranges. One page at a time: two at once starve each other on a small machine.

import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, extname, join, resolve, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const packages = dirname(dirname(createRequire(import.meta.url).resolve('hls.js/package.json')));
const own = {
  '/': [join(here, 'player.html'), 'text/html'],
  '/player.mjs': [join(here, 'player.mjs'), 'text/javascript'],
  '/lib/hls.js': [join(packages, 'hls.js/dist/hls.min.js'), 'text/javascript'],
  '/lib/shaka.js': [join(packages, 'shaka-player/dist/shaka-player.compiled.js'), 'text/javascript'],
};
const types = {
  '.m3u8': 'application/vnd.apple.mpegurl', '.mpd': 'application/dash+xml', '.mp4': 'video/mp4',
  '.m4s': 'video/mp4', '.ts': 'video/mp2t', '.aac': 'audio/aac', '.vtt': 'text/vtt',
};

let root = null;

function serve(request, response) {
  const path = decodeURIComponent(new URL(request.url, 'http://x').pathname);
  if (own[path]) {
    const [file, type] = own[path];
    response.writeHead(200, { 'content-type': type });
    return response.end(readFileSync(file));
  }
  const file = root && path.startsWith('/media/') ? resolve(root, path.slice('/media/'.length)) : null;
  if (!file || !file.startsWith(resolve(root) + sep) || !existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404);
    return response.end();
  }
  const size = statSync(file).size;
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const first = range ? Number(range[1]) : 0;
  const last = range && range[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
  const headers = {
    'content-type': types[extname(file)] ?? 'application/octet-stream', 'accept-ranges': 'bytes',
    'content-length': last - first + 1,
  };
  if (range) headers['content-range'] = `bytes ${first}-${last}/${size}`;
  response.writeHead(range ? 206 : 200, headers);
  return createReadStream(file, { start: first, end: last }).pipe(response);
}

function program() {
  const known = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
  const found = [process.env.PLAY_BROWSER, ...known].find(path => path && existsSync(path));
  if (!found) throw new Error('there is no chromium; run scripts/setup.sh test');
  return found;
}

const server = createServer(serve);
await new Promise(ready => { server.listen(0, '127.0.0.1', ready); });
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({
  executablePath: program(),
  // Media may lie on a server that knows nothing of this page.
  args: ['--autoplay-policy=no-user-gesture-required', '--mute-audio', '--no-sandbox', '--disable-web-security'],
});

async function play(job) {
  root = job.root ?? null;
  const page = await browser.newPage({ viewport: { width: 640, height: 360 } });
  const complaints = [];
  page.on('pageerror', error => complaints.push(String(error)));
  try {
    await page.goto(`${origin}/`);
    await page.waitForFunction(() => window.play);
    const url = job.url ?? `${origin}/media/${job.path}`;
    const wishes = { player: 'hls.js', rate: 4, limit_s: 60, ...job, url };
    const told = await page.evaluate(wishes => window.play(wishes), wishes);
    if (job.screenshot) await page.screenshot({ path: job.screenshot, clip: { x: 0, y: 0, width: 640, height: 360 } });
    return { ...told, complaints };
  } finally {
    await page.close();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let told;
  try {
    told = await play(JSON.parse(line));
  } catch (error) {
    told = { failure: String(error) };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
await browser.close();
server.close();
