// Runs in the page before its own scripts: reads the barcode clock out of every video frame that is presented and keeps
// [time of presentation, brightness of the 40 blocks] in window.millraceClock. Classic script; no imports.
(() => {
  const columns = 8;
  const rows = 5;
  const blockPx = 32;
  const clock = { readings: [], firstFrameMs: undefined, waits: 0, longestGapMs: 0, latencySettings: undefined };
  window.millraceClock = clock;
  const canvas = document.createElement('canvas');
  canvas.width = columns * blockPx;
  canvas.height = rows * blockPx;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  let lastAt;

  function read(video, now, frame) {
    const presentMs = Math.max(now, frame.expectedDisplayTime);
    if (clock.firstFrameMs === undefined) clock.firstFrameMs = presentMs;
    if (lastAt !== undefined) clock.longestGapMs = Math.max(clock.longestGapMs, presentMs - lastAt);
    lastAt = presentMs;
    context.drawImage(video, 0, 0, canvas.width, canvas.height, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const blocks = [];
    for (let index = 0; index < columns * rows; index++) {
      const x = (index % columns) * blockPx + blockPx / 2;
      const y = Math.floor(index / columns) * blockPx + blockPx / 2;
      blocks.push(data[(y * canvas.width + x) * 4 + 1]);
    }
    clock.readings.push([Date.now() + Math.max(0, presentMs - performance.now()), blocks]);
    if (clock.readings.length > 6_000) clock.readings.splice(0, 1_000);
    video.requestVideoFrameCallback((at, next) => read(video, at, next));
  }

  const search = setInterval(() => {
    const video = document.querySelector('video');
    if (!video) return;
    clearInterval(search);
    video.muted = true;
    video.requestVideoFrameCallback((at, frame) => read(video, at, frame));
    video.addEventListener('waiting', () => {
      // A seek, such as ours to the live edge at the start, waits too, and is no stall.
      if (clock.firstFrameMs !== undefined && !video.seeking) clock.waits++;
    });
  }, 10);
})();
