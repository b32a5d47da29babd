import { imageNameSchema } from '@millrace/api';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { imageNameOf, isImageName, nextImageName } from './image-name.ts';

it('every file gives a name that the API takes', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ minLength: 100, maxLength: 300 })), (fileName) => {
      imageNameSchema.parse(imageNameOf(fileName));
    }),
  );
  expect(['Sonnenaufgang über Köln.JPG', '../../etc/passwd', '.hidden.png', '日本'].map(imageNameOf)).toEqual([
    ...['Sonnenaufgang-uber-Koln.JPG', 'etc-passwd', 'hidden.png', 'image'],
  ]);
});

it('each next name is another one that the API takes', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (fileName) => {
      let name = imageNameOf(fileName);
      const seen = new Set([name]);
      for (let i = 0; i < 12; i++) {
        name = nextImageName(name);
        expect(isImageName(name) && !seen.has(name), name).toBe(true);
        seen.add(name);
      }
    }),
  );
  expect([nextImageName('sun.jpg'), nextImageName('sun-2.jpg'), nextImageName('sun')]).toEqual([
    ...['sun-2.jpg', 'sun-3.jpg', 'sun-2'],
  ]);
});
