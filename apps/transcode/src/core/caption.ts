/**
 * A caption under a picture. Its words go to a file, never into a filter graph, so nothing that a user writes is read by ffmpeg as
 * anything but text; what stands in the graph is made by us and quoted.
 */

/** Lines of a caption at most; what is more ends in an ellipsis. */
const mostLines = 4;

/** The words as they are drawn: plain lines that fit the frame. Empty: there is nothing to draw. */
export function captionText(
  words: string,
  { width, height }: { readonly width: number; readonly height: number },
): string {
  // A letter is about half as wide as the type is high.
  const letters = Math.max(8, Math.floor((width * 0.9) / (captionSize(height) * 0.56)));
  const lines = plain(words).flatMap((line) => wrap(line, letters));
  if (lines.length <= mostLines) return lines.join('\n');
  const last = [...(lines[mostLines - 1] ?? '')].slice(0, letters - 1).join('');
  return [...lines.slice(0, mostLines - 1), `${last}…`].join('\n');
}

/** Height of the type, pixels. */
export function captionSize(height: number): number {
  return Math.max(10, Math.round(height / 18));
}

/** Draws the text of a file at the bottom, in white on a dark box. */
export function captionFilter(textFile: string, height: number): string {
  const size = captionSize(height);
  const edge = Math.round(size / 2);
  return [
    `drawtext=textfile=${quoted(textFile)}:expansion=none:font=Sans:fontsize=${size}:fontcolor=white:line_spacing=${Math.round(size / 5)}`,
    `box=1:boxcolor=black@0.55:boxborderw=${edge}:x=(w-text_w)/2:y=h-text_h-${size + edge}:fix_bounds=1`,
  ].join(':');
}

/** A value of a filter's option, escaped for the option list and then for the graph (ffmpeg-filters, "Notes on filtergraph escaping"). */
export function quoted(value: string): string {
  const inOptions = value.replaceAll(/[\\':]/g, '\\$&');
  return inOptions.replaceAll(/[\\'[\],;]/g, '\\$&');
}

/** Lines without control characters and without halves of characters. */
function plain(words: string): readonly string[] {
  return words
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) =>
      line
        .replaceAll(/[\p{Cc}\p{Cs}]+/gu, ' ')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '');
}

function wrap(line: string, letters: number): readonly string[] {
  const lines: string[] = [];
  let current: string[] = [];
  for (const word of line.split(' ')) {
    let rest = [...word];
    if (current.length > 0 && current.length + 1 + rest.length > letters) {
      lines.push(current.join(''));
      current = [];
    }
    if (current.length > 0) current.push(' ');
    while (rest.length > letters) {
      lines.push(rest.slice(0, letters).join(''));
      rest = rest.slice(letters);
    }
    current.push(...rest);
  }
  if (current.length > 0) lines.push(current.join(''));
  return lines;
}
