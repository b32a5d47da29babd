/**
 * AVCDecoderConfigurationRecord (ISO 14496-15 5.3.3.1): the parameter sets of a track. Pictures of several encoders can share one
 * track when the record holds the sets of all of them, each under an id of its own.
 */
import { err, ok, type Result } from '@millrace/result';

export interface AvcConfig {
  /** profile_idc, compatibility flags, level_idc. */
  readonly profile: number;
  readonly compatibility: number;
  readonly level: number;
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
}

/** Reads the record; undefined when it is none, or its samples have lengths of other than 4 bytes. */
export function readAvcConfig(record: Uint8Array): AvcConfig | undefined {
  if (record.length < 7 || record[0] !== 1 || ((record[4] ?? 0) & 3) !== 3) return undefined;
  let at = 5;
  const list = (count: number): readonly Uint8Array[] | undefined => {
    const sets: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const length = ((record[at] ?? 0) << 8) | (record[at + 1] ?? 0);
      if (length === 0 || at + 2 + length > record.length) return undefined;
      sets.push(record.slice(at + 2, at + 2 + length));
      at += 2 + length;
    }
    return sets;
  };
  const sps = list((record[at++] ?? 0) & 0x1f);
  const pps = sps && list(record[at++] ?? 0);
  if (sps === undefined || pps === undefined || sps.length === 0 || pps.length === 0) return undefined;
  const [profile = 0, compatibility = 0, level = 0] = record.subarray(1, 4);
  return { profile, compatibility, level, sps, pps };
}

/** One record for the pictures of all; the error says which of their sets cannot stand side by side. */
export function mergeAvcConfigs(configs: readonly AvcConfig[]): Result<AvcConfig, string> {
  const [first] = configs;
  if (first === undefined) throw new Error('expected parameter sets, got none');
  const sps = new Map<number, Uint8Array>();
  const pps = new Map<number, Uint8Array>();
  for (const config of configs) {
    if (config.profile !== first.profile) return err(`expected profile ${first.profile}, got ${config.profile}`);
    for (const [sets, of] of [
      [sps, config.sps],
      [pps, config.pps],
    ] as const) {
      for (const set of of) {
        const id = parameterSetId(set);
        const same = sets.get(id);
        if (same !== undefined && !isEqual(same, set)) return err(`two different parameter sets have the id ${id}`);
        sets.set(id, set);
      }
    }
  }
  const level = Math.max(...configs.map((config) => config.level));
  const compatibility = configs.reduce((all, config) => all & config.compatibility, 0xff);
  return ok({ profile: first.profile, compatibility, level, sps: [...sps.values()], pps: [...pps.values()] });
}

/** Profiles from High on say more behind the sets. */
const extended: ReadonlySet<number> = new Set([100, 110, 122, 144]);

/** Writes the record of progressive 8 bit 4:2:0 pictures. */
export function writeAvcConfig({ profile, compatibility, level, sps, pps }: AvcConfig): Uint8Array {
  const list = (sets: readonly Uint8Array[]) => sets.flatMap((set) => [set.length >> 8, set.length & 0xff, ...set]);
  return Uint8Array.from([
    ...[1, profile, compatibility, level, 0xff, 0xe0 | sps.length, ...list(sps), pps.length, ...list(pps)],
    ...(extended.has(profile) ? [0xfd, 0xf8, 0xf8, 0] : []),
  ]);
}

/** Ids of the sequence parameter sets. */
export function spsIdsOf({ sps }: AvcConfig): readonly number[] {
  return sps.map(parameterSetId);
}

/** seq_parameter_set_id, behind profile and level; pic_parameter_set_id at once (ISO 14496-10 7.3.2). */
function parameterSetId(set: Uint8Array): number {
  const isSequence = ((set[0] ?? 0) & 0x1f) === 7;
  return expGolomb(set, (isSequence ? 4 : 1) * 8);
}

function expGolomb(bytes: Uint8Array, bit: number): number {
  const read = (at: number) => ((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
  let zeros = 0;
  while (zeros < 16 && read(bit + zeros) === 0) zeros++;
  let value = 0;
  for (let i = 0; i <= zeros; i++) value = value * 2 + read(bit + zeros + i);
  return value - 1;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
