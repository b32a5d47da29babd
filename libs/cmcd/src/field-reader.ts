/** From the decoded dictionary of a report to its bounded fields. */
import { type CmcdFields, cmcdEvents, cmcdStates, type OnCmcdDrop } from './cmcd-report.ts';

type Dictionary = Readonly<Record<string, unknown>>;

const hourMs = 3_600_000;
const mostKbps = 100_000_000;
const mostErrorCodes = 4;
const mostCharacters = 64;
const printable = /^[\x20-\x7e]*$/;

interface NumberField {
  readonly key: string;
  readonly name: keyof CmcdFields;
  readonly most: number;
  /** Fractions are rounded, except where they mean something. */
  readonly fraction?: boolean;
}

/** Numeric keys; in version 2 most are inner lists with one item for each object type. */
const numberFields: readonly NumberField[] = [
  { key: 'msd', name: 'startup_ms', most: hourMs },
  { key: 'bsa', name: 'starved_count', most: 1_000_000 },
  { key: 'bsda', name: 'starved_total_ms', most: 24 * hourMs },
  { key: 'bsd', name: 'starved_ms', most: 24 * hourMs },
  { key: 'ltc', name: 'latency_ms', most: 24 * hourMs },
  { key: 'dfa', name: 'dropped_frames', most: 1_000_000_000 },
  { key: 'br', name: 'bitrate_kbps', most: mostKbps },
  { key: 'pb', name: 'playhead_kbps', most: mostKbps },
  { key: 'tpb', name: 'top_kbps', most: mostKbps },
  { key: 'tb', name: 'top_kbps', most: mostKbps },
  { key: 'bl', name: 'buffer_ms', most: 24 * hourMs },
  { key: 'mtp', name: 'throughput_kbps', most: mostKbps },
  { key: 'pr', name: 'playback_rate', most: 64, fraction: true },
  { key: 'sn', name: 'sequence', most: 1_000_000_000 },
];

/** Reads the fields that are of use; a value outside its type or limits is left out and told of. */
export function readFields(dictionary: Dictionary, onDrop: OnCmcdDrop): CmcdFields {
  const fields: Record<string, unknown> = {};
  const put = (key: string, name: keyof CmcdFields, read: (value: unknown) => unknown) => {
    if (!Object.hasOwn(dictionary, key)) return;
    const value = read(dictionary[key]);
    if (value === undefined) onDrop('value');
    else fields[name] = value;
  };
  for (const { key, name, most, fraction } of numberFields) {
    put(key, name, (value) => readNumber(value, most, fraction === true));
  }
  put('sta', 'state', (value) => cmcdStates.find((state) => state === value));
  put('e', 'event', (value) => cmcdEvents.find((event) => event === value));
  put('bs', 'starved', (value) => (typeof value === 'boolean' ? value : undefined));
  put('ot', 'object_type', (value) => readText(value, 3));
  put('sid', 'player_session', (value) => readText(value, mostCharacters));
  put('ec', 'error_codes', readErrorCodes);
  return fields;
}

/** A timestamp in ms, or none. */
export function readTimestamp(value: unknown): number | undefined {
  return readNumber(value, Number.MAX_SAFE_INTEGER, false);
}

function readNumber(value: unknown, most: number, fraction: boolean): number | undefined {
  const bare = bareItem(value);
  if (typeof bare !== 'number' || !Number.isFinite(bare) || bare < 0 || bare > most) return undefined;
  return fraction ? bare : Math.round(bare);
}

/** Of an inner list the item of the video (`v`, `av`), else the first; without its parameters. */
function bareItem(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const video = items.find((item) => hasParameter(item, 'v') || hasParameter(item, 'av'));
    return bareItem(video ?? items[0]);
  }
  return isObject(value) && Object.hasOwn(value, 'value') ? value['value'] : value;
}

function hasParameter(item: unknown, name: string): boolean {
  return isObject(item) && isObject(item['params']) && Object.hasOwn(item['params'], name);
}

function readText(value: unknown, most: number): string | undefined {
  const bare = bareItem(value);
  if (typeof bare !== 'string' || bare.length === 0 || bare.length > most || !printable.test(bare)) return undefined;
  return bare;
}

function readErrorCodes(value: unknown): string[] | undefined {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  const codes = items.slice(0, mostErrorCodes).flatMap((item) => readText(item, mostCharacters) ?? []);
  return codes.length === 0 ? undefined : codes;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
