/** Just enough XML to write a presentation with: elements that escape what they are given. */
export interface XmlElement {
  readonly text: string;
}

/** An element; attributes without a value are left out. Content in quotes is text, elements are as they are. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  ...content: readonly (XmlElement | string)[]
): XmlElement {
  const head = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
    .join('');
  if (content.length === 0) return { text: `<${name}${head}/>` };
  const inner = content.map((one) => (typeof one === 'string' ? escaped(one) : one.text)).join('');
  return { text: `<${name}${head}>${inner}</${name}>` };
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Text that means itself in content and in attributes; characters that XML cannot hold are replaced. */
function escaped(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (char) => entities[char] ?? '')
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');
}
