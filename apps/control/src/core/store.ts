/**
 * What control asks of its database. Rows are reached by noun; inside `transaction` the same nouns join one transaction,
 * together with what it publishes. A `lock...` takes the row's lock until the end of the transaction: it comes before
 * every change, so that facts of one entity are published in the order of their commits.
 */
import type { Role } from '@millrace/auth';
import type { NewRecord } from '@millrace/eventlog';
import type { LiveRecord } from '@millrace/events';
import type { PageRequest } from '@millrace/http';
import type { AnswerRows } from '@millrace/postgres';
import type { StreamRecord } from './stream.ts';
import type { KeyRecord } from './stream-key.ts';

export interface StreamRows {
  insert(stream: StreamRecord): Promise<void>;
  get(streamId: string): Promise<StreamRecord | undefined>;
  byPlaybackId(playbackId: string): Promise<StreamRecord | undefined>;
  lock(streamId: string): Promise<StreamRecord | undefined>;
  save(stream: StreamRecord): Promise<void>;
  /** Removes the stream with its keys and live state. */
  remove(streamId: string): Promise<void>;
  list(ownerId: string | undefined, page: PageRequest): Promise<readonly StreamRecord[]>;
  count(ownerId: string): Promise<number>;
}

export interface KeyRows {
  insert(key: KeyRecord): Promise<void>;
  lock(streamId: string, keyId: string): Promise<KeyRecord | undefined>;
  lockAllOf(streamId: string): Promise<readonly KeyRecord[]>;
  save(key: KeyRecord): Promise<void>;
  list(streamId: string, page: PageRequest): Promise<readonly KeyRecord[]>;
  count(streamId: string): Promise<number>;
  /** Notes that a key was used; a later time is never overwritten by an earlier one. */
  touch(keyId: string, atMs: number): Promise<void>;
  /** Removes at most `limit` keys that expired or were revoked before `endedBeforeMs`; gives their ids. */
  sweep(endedBeforeMs: number, limit: number): Promise<readonly string[]>;
}

/** An API token that was issued. Times are ms since 1970. */
export interface TokenRecord {
  readonly jti: string;
  readonly ownerId: string;
  readonly role: Role;
  readonly label: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly revokedAtMs: number | undefined;
}

export interface TokenRows {
  insert(token: TokenRecord): Promise<void>;
  lock(jti: string): Promise<TokenRecord | undefined>;
  save(token: TokenRecord): Promise<void>;
  list(ownerId: string | undefined, page: PageRequest): Promise<readonly TokenRecord[]>;
  /** Tokens of an owner that still work. */
  countUsable(ownerId: string, nowMs: number): Promise<number>;
  /** Removes at most `limit` tokens that expired before `expiredBeforeMs`; gives the ids of those that were revoked. */
  sweep(
    expiredBeforeMs: number,
    limit: number,
  ): Promise<{ readonly removed: number; readonly revokedJtis: readonly string[] }>;
}

export interface SignInRows {
  /** The owner of the admin link; made with `freshOwnerId` when there is none yet. */
  firstAdmin(freshOwnerId: string, nowMs: number): Promise<string>;
  addOwner(ownerId: string, nowMs: number): Promise<void>;
  ownerExists(ownerId: string): Promise<boolean>;
  addCode(code: {
    sha256: string;
    ownerId: string;
    role: Role;
    createdAtMs: number;
    expiresAtMs: number;
  }): Promise<void>;
  /** Uses a code up: the answer comes once for each code, and never after its expiry. */
  redeem(sha256: string, nowMs: number): Promise<{ readonly ownerId: string; readonly role: Role } | undefined>;
  /** Whether any code was ever used: until then every start prints a link. */
  anybodySignedIn(): Promise<boolean>;
  /** Removes expired codes that were not used, and used ones but the first; gives how many. */
  sweep(expiredBeforeMs: number): Promise<number>;
}

export interface LiveRows {
  get(streamId: string): Promise<LiveRecord | undefined>;
  ofStreams(streamIds: readonly string[]): Promise<ReadonlyMap<string, LiveRecord>>;
  lock(streamId: string): Promise<LiveRecord | undefined>;
  /** Stores the state unless the stream is gone or a greater one (epoch, ended, position) is there. */
  save(state: LiveRecord): Promise<boolean>;
  /** At most `limit` states that are live or interrupted. */
  running(limit: number): Promise<readonly LiveRecord[]>;
}

export interface Rows {
  readonly streams: StreamRows;
  readonly keys: KeyRows;
  readonly tokens: TokenRows;
  readonly signIns: SignInRows;
  readonly live: LiveRows;
  readonly answers: AnswerRows;
}

export interface Transaction extends Rows {
  /** Publishes with the commit: all of it or nothing. */
  publish(records: readonly NewRecord[]): Promise<void>;
}

export interface ControlStore extends Rows {
  /** Runs `work` in one transaction; when it rejects, nothing has happened. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}
