/**
 * CMCD from the three places it comes in: the query of a request, its headers, the body of an event report. Whatever comes,
 * reading never throws and its result is bounded; what cannot be used is told of by reason.
 */
import { decodeCmcd } from '@svta/cml-cmcd';
import type { CmcdReport, OnCmcdDrop } from './cmcd-report.ts';
import { readFields, readTimestamp } from './field-reader.ts';

/** Characters that one report may have, decoded. */
export const mostReportCharacters = 2_048;
/** Reports that one event body may have. */
export const mostReportsPerBody = 50;

/** The headers that carry CMCD in request mode, in lower case. */
const headerNames = ['cmcd-object', 'cmcd-request', 'cmcd-session', 'cmcd-status'] as const;

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Whether a query (without `?`) has a CMCD parameter; cheap, for every request. */
export function hasCmcdQuery(search: string): boolean {
  return search.startsWith('CMCD=') || search.includes('&CMCD=');
}

/** Whether a request's headers carry CMCD; names in lower case, as node:http gives them. */
export function hasCmcdHeaders(headers: Headers): boolean {
  return headerNames.some((name) => headers[name] !== undefined);
}

/** The report in a query; undefined when there is none of use. */
export function readCmcdQuery(search: string, onDrop: OnCmcdDrop): CmcdReport | undefined {
  const pair = search.split('&').find((text) => text.startsWith('CMCD='));
  if (pair === undefined) return undefined;
  if (pair.length > 3 * mostReportCharacters) return dropped('oversize', onDrop);
  let text: string;
  try {
    text = decodeURIComponent(pair.slice('CMCD='.length).replaceAll('+', ' '));
  } catch {
    return dropped('syntax', onDrop);
  }
  return readReport(text, 'request', onDrop);
}

/** The report in a request's headers; undefined when there is none of use. */
export function readCmcdHeaders(headers: Headers, onDrop: OnCmcdDrop): CmcdReport | undefined {
  const texts = headerNames.flatMap((name) => headers[name] ?? []).filter((text) => text !== '');
  return texts.length === 0 ? undefined : readReport(texts.join(','), 'request', onDrop);
}

/** The reports of an event body, one a line. */
export function readCmcdEvents(body: string, onDrop: OnCmcdDrop): readonly CmcdReport[] {
  const reports: CmcdReport[] = [];
  let lines = 0;
  for (let start = 0; start < body.length; ) {
    const end = body.indexOf('\n', start);
    const line = body.slice(start, end < 0 ? body.length : end).trim();
    start = end < 0 ? body.length : end + 1;
    if (line === '') continue;
    if (++lines > mostReportsPerBody) {
      onDrop('too-many');
      break;
    }
    const report = readReport(line, 'event', onDrop);
    if (report !== undefined) reports.push(report);
  }
  return reports;
}

function readReport(text: string, mode: 'request' | 'event', onDrop: OnCmcdDrop): CmcdReport | undefined {
  if (text.length > mostReportCharacters) return dropped('oversize', onDrop);
  let dictionary: Readonly<Record<string, unknown>>;
  try {
    dictionary = decodeCmcd(text);
  } catch {
    return dropped('syntax', onDrop);
  }
  const version = dictionary['v'] ?? 1; // CTA-5004: `v` left out means 1
  if ((version !== 1 && version !== 2) || (mode === 'event' && version === 1)) return dropped('version', onDrop);
  const fields = readFields(dictionary, onDrop);
  if (mode === 'event' && fields.event === undefined) return dropped('event', onDrop);
  if (Object.keys(fields).length === 0) return dropped('empty', onDrop);
  return { version, atMs: readTimestamp(dictionary['ts']), fields };
}

function dropped(reason: Parameters<OnCmcdDrop>[0], onDrop: OnCmcdDrop): undefined {
  onDrop(reason);
  return undefined;
}
