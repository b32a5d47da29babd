import fc from 'fast-check';
import { expect, it } from 'vitest';
import { captionFilter, captionSize, captionText, quoted } from './caption.ts';

const frame = fc.record({ width: fc.integer({ min: 64, max: 3_840 }), height: fc.integer({ min: 64, max: 2_160 }) });
const words = fc.oneof(
  fc.string({ maxLength: 500, unit: 'binary' }),
  fc.string({
    maxLength: 500,
    unit: fc.constantFrom('a', ' ', '\n', "'", ':', '\\', '%{', '}', ',', ';', '[', ']', '\0'),
  }),
  fc.string({ maxLength: 200, unit: 'grapheme' }),
);

it('whatever is written, the filter is the same: words only ever stand in the file', () => {
  fc.assert(
    fc.property(words, frame, (text, size) => {
      const drawn = captionText(text, size);
      expect(captionFilter('/scratch/caption.txt', size.height)).toContain('expansion=none');
      expect(captionFilter('/scratch/caption.txt', size.height)).not.toContain("'");
      expect(drawn).not.toMatch(/[\p{Cs}]|(?!\n)\p{Cc}/u);
      const lines = drawn.split('\n');
      expect(lines.length).toBeLessThanOrEqual(4);
      const letters = Math.max(8, (size.width * 0.9) / (captionSize(size.height) * 0.56));
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(letters);
    }),
  );
});

it('no word of a caption that fits is lost or broken', () => {
  const word = fc.string({ minLength: 1, maxLength: 7, unit: fc.constantFrom(...'abcxyzäß日') });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), (parts) => {
      const drawn = captionText(parts.join(' '), { width: 640, height: 360 });
      expect(drawn.split(/[\n ]/)).toEqual(parts);
    }),
  );
});

it('a quoted value is read back as it was by the two readers of a filter graph', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...`ab/'\\:,;[]= `) }), (value) => {
      expect(unescape(unescape(quoted(value)))).toBe(value);
      // nothing that ends a value, an option or a filter stands unescaped
      expect(quoted(value).replaceAll(/\\./g, '')).not.toMatch(/['[\],;]/);
      expect(unescape(quoted(value)).replaceAll(/\\./g, '')).not.toMatch(/[':]/);
    }),
  );
});

/** What each of ffmpeg's readers does to a backslash outside of quotes. */
function unescape(text: string): string {
  return text.replaceAll(/\\(.)/gs, '$1');
}
