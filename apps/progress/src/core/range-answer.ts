/** What a server says of versions and ranges of a resource (RFC 9110 8.8, 13.1.5, 14.4): the parts a download is put together by. Pure. */

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A Last-Modified is strong when the resource had not changed for so long when it was said, ms (RFC 9110 8.8.2.2). */
const settledMs = 60_000;

/** What to say in If-Range, so that a part comes only of the same version; undefined: nothing that is sure. */
export function validatorOf(headers: Headers): string | undefined {
  if (headers['accept-ranges'] === 'none') return undefined;
  // a body that was encoded on its way is another one each time
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return undefined;
  const { etag } = headers;
  if (typeof etag === 'string' && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag)) return etag;
  const modified = headers['last-modified'];
  const { date } = headers;
  if (etag !== undefined || typeof modified !== 'string' || typeof date !== 'string') return undefined;
  return Date.parse(date) - Date.parse(modified) >= settledMs ? modified : undefined;
}

/** Whether an answer is the rest, from byte `from` on, of the version that `validator` names, which has `total` bytes. */
export function rangeContinues(
  answer: { readonly status: number; readonly headers: Headers },
  wanted: { readonly validator: string; readonly from: number; readonly total: number | undefined },
): boolean {
  if (answer.status !== 206) return false;
  const { headers } = answer;
  const range = headers['content-range'];
  const found = typeof range === 'string' ? /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range.trim()) : null;
  if (found === null) return false;
  const [start, end] = [Number(found[1]), Number(found[2])];
  const total = found[3] === '*' ? undefined : Number(found[3]);
  if (start !== wanted.from || end < start) return false;
  if (wanted.total !== undefined && total !== undefined && total !== wanted.total) return false;
  const whole = wanted.total ?? total;
  if (whole !== undefined && end >= whole) return false;
  // a part that says what it is of says the same; RFC 9110 15.3.7 lets it leave out Last-Modified
  const { etag, 'last-modified': modified } = headers;
  if (wanted.validator.startsWith('"')) return etag === undefined || etag === wanted.validator;
  return modified === undefined || modified === wanted.validator;
}
