/**
 * Whether a stream key may publish, from the tables alone: no call to control, no database. Tables that are not ready are
 * waited for, then the encoder is told to try again; they are never read as empty.
 */
import { type Clock, sleep } from '@millrace/clock';
import { type IdSource, newId, parseId } from '@millrace/ids';
import { err, ok, type Result } from '@millrace/result';
import type { PublishRefusal } from '../core/ports.ts';
import type { Broadcast } from '../core/publish-state.ts';
import type { KeyTable } from './key-table.ts';
import type { StreamTable } from './stream-table.ts';

export interface KeyCheckDeps {
  readonly keys: KeyTable;
  readonly streams: StreamTable;
  readonly clock: Clock;
  readonly idSource: IdSource;
  /** Longest wait for the tables, ms. */
  readonly readyWaitMs: number;
}

export type KeyCheck = (
  key: string,
  encoder: string | undefined,
  signal: AbortSignal,
) => Promise<Result<Broadcast, PublishRefusal>>;

/** Opens the check. It ends early, as `not-ready`, when `signal` aborts. */
export function createKeyCheck(deps: KeyCheckDeps): KeyCheck {
  const { keys, streams, clock, idSource } = deps;
  const bothReady = Promise.all([keys.ready, streams.ready]);
  // The tables' owner hears of their failure; here it only means "not ready".
  bothReady.catch(() => {});
  return async (key, encoder, signal) => {
    if (!keys.isReady || !streams.isReady) {
      const stop = new AbortController();
      const late = sleep(clock, deps.readyWaitMs, AbortSignal.any([signal, stop.signal]));
      await Promise.race([bothReady.catch(() => late), late]);
      stop.abort();
      if (!keys.isReady || !streams.isReady) return err('not-ready');
    }
    const state = keys.find(key);
    if (state === undefined) return err('unknown-key');
    if (state.revoked) return err('revoked-key');
    if (state.expires_at_ms !== undefined && state.expires_at_ms <= clock.nowMs()) return err('expired-key');
    const streamId = parseId('str', state.stream_id);
    const ownerId = parseId('own', state.owner_id);
    const keyId = parseId('key', state.key_id);
    if (!streamId.ok || !ownerId.ok || !keyId.ok) return err('unknown-key');
    const latencyMode = streams.latencyMode(streamId.value);
    if (latencyMode === undefined) return err('unknown-stream');
    const publishId = newId('pub', idSource);
    return ok({
      streamId: streamId.value,
      ownerId: ownerId.value,
      keyId: keyId.value,
      publishId,
      latencyMode,
      encoder,
    });
  };
}
