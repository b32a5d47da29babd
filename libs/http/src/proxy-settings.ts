/** Which proxies stand before the public listeners: one agreement for every service that asks who a client is. */
import { defineSettings, type Settings, setting } from '@millrace/config';
import { z } from 'zod';
import { parseTrustedProxies } from './client-address.ts';

const ranges = setting.list({
  doc: 'Addresses and networks of proxies whose word on the client address is believed, comma-separated.',
  fallback: '',
});

/** Taken by the settings of each service that limits or counts by address. */
export const proxySettings = defineSettings({
  TRUSTED_PROXIES: {
    ...ranges,
    schema: ranges.schema.transform((listed, context) => {
      const proxies = parseTrustedProxies(listed);
      if (proxies.ok) return proxies.value;
      context.addIssue(proxies.error);
      return z.NEVER;
    }),
  },
  FORWARDED_HEADER: setting.oneOf({
    doc: 'The one header in which they say it; the other is not read.',
    fallback: 'x-forwarded-for',
    values: ['x-forwarded-for', 'forwarded'],
  }),
});

export type ProxySettings = Settings<typeof proxySettings>;
