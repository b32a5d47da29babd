/** Reads what ffmpeg's `ebur128` filter prints of each tenth of a second. Pure. */

/** The filter says this of what is too quiet to be measured, LUFS. */
const silenceLufs = -70;
const longestRest = 1_024;

export class LoudnessReader {
  #rest = '';
  #lufs = silenceLufs;
  #peak = 0;

  feed(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-longestRest);
    for (const line of lines) this.#line(line);
  }

  /** Integrated loudness so far and the highest sample; undefined: silence. */
  get result(): { readonly lufs: number; readonly peakDbfs: number } | undefined {
    if (this.#lufs <= silenceLufs + 0.1) return undefined;
    return { lufs: this.#lufs, peakDbfs: this.#peak > 0 ? Math.max(-120, 20 * Math.log10(this.#peak)) : -120 };
  }

  /** `lavfi.r128.I=-23.012` or `lavfi.r128.sample_peaks_ch0=0.125`. */
  #line(line: string): void {
    const [key = '', text = ''] = line.split('=');
    const value = Number(text);
    if (!Number.isFinite(value) || text === '') return;
    if (key === 'lavfi.r128.I') this.#lufs = value;
    else if (key.startsWith('lavfi.r128.sample_peak')) this.#peak = Math.max(this.#peak, value);
  }
}
