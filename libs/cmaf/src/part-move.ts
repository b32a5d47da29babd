import { boxType, viewOf } from './box.ts';
import type { CmafPart } from './cmaf-reader.ts';

/** The part with its first sample decoded at `dts` ticks; the media bytes are shared, not copied. */
export function movePart(part: CmafPart, dts: number): readonly Uint8Array[] {
  const [head, ...media] = part.bytes;
  if (head === undefined) throw new Error('a part without bytes');
  const moved = head.slice();
  const view = viewOf(moved);
  const at = findTfdt(moved);
  if (moved[at + 8] === 1) {
    view.setUint32(at + 12, Math.floor(dts / 2 ** 32));
    view.setUint32(at + 16, dts >>> 0);
  } else if (dts < 2 ** 32) view.setUint32(at + 12, dts);
  else throw new Error(`expected a decode time of 32 bits, got ${dts}`);
  return [moved, ...media];
}

/** Where the tfdt starts: the reader has taken the part, so it is there, below moof and traf. */
function findTfdt(head: Uint8Array): number {
  const view = viewOf(head);
  let at = 0;
  while (at + 8 <= head.length) {
    const type = boxType(head, at);
    if (type === 'tfdt') return at;
    at += type === 'moof' || type === 'traf' ? 8 : view.getUint32(at);
  }
  throw new Error('a part without a tfdt');
}
