/**
 * What a service gives to the process that runs it. `main.ts` mounts its routes on a public and an internal listener;
 * `standalone` mounts those of every service on one front.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** A handler of every path that starts with `prefix`. The longest matching prefix wins (`createMountTable` has the rules). */
export interface HttpMount {
  /** Path prefix on a segment boundary: `/api/v1/streams/{id}/metrics`, `/live`; `/` matches what nothing else does. */
  readonly prefix: string;
  /** Answers may be held on purpose (blocking reload, long poll): they are not logged as slow requests. */
  readonly holdsAnswers?: boolean;
  /** Bodies may take as long as the line needs (uploads): only silence ends them. */
  readonly takesLongBodies?: boolean;
  /** Answers the request; must not throw. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Takes over an HTTP/1.1 Upgrade, if the mount knows any; otherwise the server answers 404. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Whether a service can do its work now; `reasons` names what is missing, for `/readyz`. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** A running service. Closing it drains: stop accepting, finish, close what it opened. */
export interface Service extends AsyncDisposable {
  readonly name: string;
  /** Routes for everybody. */
  readonly publicMounts: readonly HttpMount[];
  /** Routes for other services (`/internal/...`), behind the service token; empty where the port is by reference. */
  readonly internalMounts: readonly HttpMount[];
  readiness(): Readiness;
}
