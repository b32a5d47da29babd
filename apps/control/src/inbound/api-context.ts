import type { TokenSigner, TokenTable, TokenVerifier } from '@millrace/auth';
import type { Clock } from '@millrace/clock';
import type { HealthSample, VideoState } from '@millrace/events';
import type { ApiVariables } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import type { Actor } from '../core/access.ts';
import type { Addresses } from '../core/addresses.ts';
import type { ControlStore } from '../core/store.ts';
import type { ControlMetrics } from '../metrics.ts';

/** hono's environment of the control API: `actor` is there on every route behind `access`. */
export interface ControlEnv {
  Variables: ApiVariables & { readonly actor: Actor };
}

/** What the routes need. */
export interface RouteDeps {
  readonly store: ControlStore;
  readonly signer: TokenSigner;
  readonly verifier: TokenVerifier;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly metrics: ControlMetrics;
  readonly addresses: () => Addresses;
  /** Newest health sample of a stream's epoch. */
  readonly health: (streamId: string, epoch: number) => HealthSample | undefined;
  /** Makes a revocation count here at once; other services learn it from the topic. */
  readonly onRevoked: (jti: string, expiresAtMs: number) => void;
  /** Videos of the services that process them, by id. */
  readonly videos: TokenTable<VideoState>;
  readonly limits: ApiLimits;
}

export interface ApiLimits {
  readonly maxStreamsPerOwner: number;
  readonly maxTokensPerOwner: number;
  /** How long a token of a sign-in works, seconds. */
  readonly signInLifetimeS: number;
}
