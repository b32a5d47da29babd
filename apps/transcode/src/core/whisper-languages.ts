/** Whisper names languages in English ("german") where the API is OpenAI's, and by code where the server is whisper.cpp's. */

/** ISO 639-1 codes that Whisper knows, by which names are found. */
const codes =
  'af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha he hi hr ht hu hy id is it ja ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo zh'.split(
    ' ',
  );
const names = new Intl.DisplayNames('en', { type: 'language' });
const byName = new Map(codes.map((code) => [names.of(code)?.toLowerCase(), code]));

/** The BCP 47 tag of what a recogniser calls a language; undefined when it says nothing that we know. */
export function languageTag(said: string | undefined): string | undefined {
  const name = said?.trim().toLowerCase();
  if (name === undefined || name === '') return undefined;
  return codes.includes(name) ? name : byName.get(name);
}
