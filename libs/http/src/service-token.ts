import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { problem, writeProblem } from './problem.ts';
import type { HttpMount } from './service.ts';

/** Says whether a request carries `Authorization: Bearer <service token>`. */
export type ServiceTokenGuard = (request: IncomingMessage) => boolean;

/**
 * The check of `/internal/*`: compares SHA-256 digests in constant time, so neither the token's length nor a common prefix
 * shows. A token shorter than 16 characters is refused here, because it could be guessed.
 */
export function serviceTokenGuard(token: string): ServiceTokenGuard {
  if (token.length < 16) throw new Error(`service token: expected at least 16 characters, got ${token.length}`);
  const expected = digest(token);
  return (request) => {
    const match = /^Bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '');
    return timingSafeEqual(digest(match?.[1] ?? ''), expected);
  };
}

/** `mount` behind the guard: 401 without the token, and a refused Upgrade is closed. */
export function guardMount(mount: HttpMount, guard: ServiceTokenGuard): HttpMount {
  const upgrade = mount.upgrade?.bind(mount);
  return {
    prefix: mount.prefix,
    ...(mount.holdsAnswers === undefined ? {} : { holdsAnswers: mount.holdsAnswers }),
    ...(mount.takesLongBodies === undefined ? {} : { takesLongBodies: mount.takesLongBodies }),
    handle(request, response) {
      if (guard(request)) return mount.handle(request, response);
      const detail = 'expected "Authorization: Bearer <service token>"';
      return writeProblem(response, problem(401, 'bad-service-token', 'Service token refused', { detail }), {
        'www-authenticate': 'Bearer',
      });
    },
    ...(upgrade === undefined
      ? {}
      : {
          upgrade(request, socket, head) {
            if (guard(request)) return upgrade(request, socket, head);
            socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
          },
        }),
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
