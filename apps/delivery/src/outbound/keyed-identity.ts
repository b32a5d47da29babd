import { createHmac } from 'node:crypto';
import type { IdSource } from '@millrace/ids';
import { readUserAgent } from '../core/user-agent.ts';
import { networkOf, type ViewerIdentity } from '../core/viewer-identity.ts';
import type { CountryLookup } from './country-database.ts';
import type { DaySalt } from './day-salt.ts';

/** Hex digits of a viewer's hash: 64 bits tell a day's viewers apart. */
const hashDigits = 16;

/** Hashes addresses with the salt of the day; the address itself goes no further than this. */
export function createKeyedIdentity(deps: {
  readonly salt: DaySalt;
  readonly countries: CountryLookup;
  readonly idSource: IdSource;
}): ViewerIdentity {
  const { salt, countries, idSource } = deps;
  const processKey = idSource.random(new Uint8Array(32));
  return {
    identify(address, userAgent) {
      const viewer = createHmac('sha256', salt.of(idSource.nowMs())).update(`${address}\n${userAgent ?? ''}`);
      const network = createHmac('sha256', processKey).update(networkOf(address));
      return {
        addressKey: network.digest('base64url').slice(0, hashDigits),
        profile: {
          viewerHash: viewer.digest('hex').slice(0, hashDigits),
          country: countries.of(address),
          ...readUserAgent(userAgent),
        },
      };
    },
  };
}
