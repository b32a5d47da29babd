/** Names of images: unique in the installation, made of letters, digits, `.`, `_` and `-`. Pure. */

const longest = 128;
const pattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

export function isImageName(text: string): boolean {
  return pattern.test(text);
}

/** A name that is allowed, as near to the file's as can be. */
export function imageNameOf(fileName: string): string {
  const plain = fileName
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .replace(/-+(?=\.)|-+$/g, '');
  if (plain === '') return 'image';
  if (plain.length <= longest) return plain;
  const { stem, extension } = partsOf(plain);
  return `${stem.slice(0, longest - extension.length)}${extension}`;
}

/** The name to try when `name` is taken: `sun-2.jpg` after `sun.jpg`. */
export function nextImageName(name: string): string {
  const { stem, extension } = partsOf(name);
  const [, bare = stem, number = '1'] = /^(.*)-(\d{1,4})$/.exec(stem) ?? [];
  const ending = `-${Number(number) + 1}${extension}`;
  return `${bare.slice(0, longest - ending.length)}${ending}`;
}

function partsOf(name: string): { readonly stem: string; readonly extension: string } {
  const extension = /.(\.[A-Za-z0-9]{1,5})$/.exec(name)?.[1] ?? '';
  return { stem: name.slice(0, name.length - extension.length), extension };
}
