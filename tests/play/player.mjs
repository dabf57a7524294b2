// What happens inside the page: plays one address with one player and tells what was seen on the way.

const video = document.getElementById('video');

/** Keeps count of what a viewer would notice. */
class Watch {
  waits = 0;
  longestFreezeMs = 0;
  #hasPlayed = false;
  #lastTime = -1;
  #lastMove = 0;

  constructor() {
    video.addEventListener('playing', () => { this.#hasPlayed = true; });
    video.addEventListener('waiting', () => { if (this.#hasPlayed && !video.ended) this.waits += 1; });
    this.timer = setInterval(() => this.#look(), 20);
  }

  #look() {
    const now = performance.now();
    const stands = video.currentTime === this.#lastTime;
    if (stands && this.#hasPlayed && !video.paused && !video.ended) {
      this.longestFreezeMs = Math.max(this.longestFreezeMs, Math.round(now - this.#lastMove));
    } else {
      this.#lastMove = now;
    }
    this.#lastTime = video.currentTime;
  }
}

/** Starts hls.js; rejects on its first fatal error. */
function startHls(job, fail, notes) {
  const config = { enableWorker: false };
  if (job.licence) {
    config.emeEnabled = true;
    config.drmSystems = { 'org.w3.clearkey': { licenseUrl: job.licence } };
  }
  const hls = new Hls(config);
  hls.on(Hls.Events.ERROR, (_, data) => {
    const text = `${data.details}: ${data.error?.message ?? data.reason ?? ''}`;
    if (data.fatal) fail(new Error(`hls.js: ${text}`)); else notes.push(text);
  });
  hls.on(Hls.Events.MANIFEST_PARSED, (_, data) => {
    notes.levels = data.levels.map(level => [level.width, level.height]);
    if (job.level != null) hls.currentLevel = job.level;
  });
  hls.loadSource(job.url);
  hls.attachMedia(video);
  return { tracks: () => hls.audioTracks.length, end: () => hls.destroy() };
}

/** Starts Shaka Player. */
async function startShaka(job, fail, notes) {
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  player.addEventListener('error', event => fail(new Error(`shaka: ${event.detail.code} ${event.detail.data}`)));
  const drm = {};
  if (job.keys) drm.clearKeys = job.keys;
  else if (job.licence) drm.servers = { 'org.w3.clearkey': job.licence };
  player.configure({ drm, abr: { enabled: job.level == null } });
  await player.attach(video);
  try {
    await player.load(job.url);
  } catch (error) {
    throw new Error(`shaka: ${error.code} ${error.data}`);
  }
  const variants = player.getVariantTracks().filter(track => track.videoId != null)
    .sort((a, b) => a.bandwidth - b.bandwidth);
  notes.levels = variants.map(track => [track.width, track.height]);
  if (job.level != null) player.selectVariantTrack(variants[job.level], true);
  return { tracks: () => player.getAudioTracks().length, end: () => player.destroy() };
}

/** The browser by itself: plain files, and HLS where it can. */
async function startNative(job, fail) {
  video.addEventListener('error', () => fail(new Error(`browser: ${video.error.message}`)));
  video.src = job.url;
  return { tracks: () => null, end: () => video.removeAttribute('src') };
}

const starts = { 'hls.js': startHls, shaka: startShaka, native: startNative };

function buffered() {
  return Array.from({ length: video.buffered.length }, (_, n) => [video.buffered.start(n), video.buffered.end(n)]);
}

/** Plays to the end, or says why not. Called by the driver. */
window.play = async job => {
  const notes = [];
  const watch = new Watch();
  let player, failure = null, ranges = [];
  const ended = new Promise((resolve, reject) => {
    video.addEventListener('ended', resolve, { once: true });
    window.failPlayback = reject;
    setTimeout(() => reject(new Error(`not at the end after ${job.limit_s} s`)), job.limit_s * 1000);
  });
  const collect = setInterval(() => { if (video.buffered.length) ranges = buffered(); }, 50);
  try {
    player = await Promise.race([starts[job.player](job, window.failPlayback, notes), ended]);
    video.playbackRate = job.rate;
    // A source that is attached later starts at the usual rate again.
    video.addEventListener('loadedmetadata', () => { video.playbackRate = job.rate; });
    await Promise.race([video.play(), ended]);
    video.playbackRate = job.rate;
    await ended;
  } catch (error) {
    failure = String(error.message ?? error);
  }
  clearInterval(collect);
  clearInterval(watch.timer);
  const quality = video.getVideoPlaybackQuality();
  return {
    failure,
    ended: video.ended,
    duration_s: Number.isFinite(video.duration) ? video.duration : null,
    at_s: video.currentTime,
    frames: quality.totalVideoFrames,
    dropped: quality.droppedVideoFrames,
    size: [video.videoWidth, video.videoHeight],
    waits: watch.waits,
    longest_freeze_ms: watch.longestFreezeMs,
    buffered_s: video.buffered.length ? buffered() : ranges,
    levels: notes.levels ?? [],
    audio_tracks: player?.tracks?.() ?? null,
    notes: [...notes].slice(0, 20),
  };
};
