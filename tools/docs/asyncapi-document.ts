/** docs/generated/asyncapi.json: the hub's WebSocket protocol as AsyncAPI 3, from the schemas that check what comes in. */
import { hubMessageSchema, hubRequestSchema } from '@millrace/api';
import { z } from 'zod';

interface JsonSchema {
  readonly [key: string]: unknown;
}

const said: Readonly<Record<string, string>> = {
  authenticate: 'An API token; channels subscribed from now on are seen with its role.',
  subscribe: 'Asks for a channel: from its beginning, or from where an earlier connection stood (`after`).',
  unsubscribe: 'Asks for no more of a channel.',
  ping: 'Asks for a `pong`.',
  hello: 'The first message of a connection.',
  authenticated: 'The token was taken.',
  snapshot: 'All that the channel shows, as of `position`; replaces what the client knew.',
  recovered: 'What the client missed since its position, before anything new.',
  delta: 'Changes. Without a position they are conflated (counts, health): the newest wins.',
  unsubscribed: 'The hub ended a subscription, or did not begin it.',
  refused: 'A request was not carried out.',
  reconnect: 'This instance is about to stop: come back after `after_ms`.',
  pong: 'Answer to `ping`.',
};

/** One message for each operation (`op`) of a union. */
function messagesOf(schema: z.ZodDiscriminatedUnion): Readonly<Record<string, JsonSchema>> {
  const messages: Record<string, JsonSchema> = {};
  for (const option of schema.options) {
    // Draft 7 is what AsyncAPI's own schema object is a superset of.
    const { $schema: _, ...payload } = z.toJSONSchema(option as z.ZodType, {
      target: 'draft-7',
      io: 'input',
      reused: 'inline',
      // Names of REST components mean nothing here.
      metadata: z.registry<object>(),
    }) as unknown as JsonSchema & { properties: { op: { const: string } } };
    const { const: op } = payload.properties.op;
    const summary = said[op];
    if (summary === undefined) throw new Error(`asyncapi: say in a sentence what "${op}" is for`);
    messages[op] = { name: op, summary, contentType: 'application/json', payload };
  }
  return messages;
}

export function asyncApiDocument(): Promise<string> {
  const requests = messagesOf(hubRequestSchema);
  const answers = messagesOf(hubMessageSchema);
  const refs = (messages: object, at: string) => Object.keys(messages).map((op) => ({ $ref: `${at}/${op}` }));
  const shared = { ...requests, ...answers };
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Millrace hub',
      version: '1',
      description:
        'What is live, how many watch, and how jobs go: one JSON object a text frame. Subscribe to a channel, get a snapshot and then every change. docs/realtime.md is the guide.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      front: { host: 'localhost:8080', protocol: 'ws', description: 'The same listener as the rest of Millrace.' },
    },
    channels: {
      hub: {
        address: '/ws',
        messages: Object.fromEntries(Object.keys(shared).map((op) => [op, { $ref: `#/components/messages/${op}` }])),
      },
    },
    operations: {
      ask: {
        action: 'receive',
        summary: 'What a client may send.',
        channel: { $ref: '#/channels/hub' },
        messages: refs(requests, '#/channels/hub/messages'),
      },
      tell: {
        action: 'send',
        summary: 'What the hub sends.',
        channel: { $ref: '#/channels/hub' },
        messages: refs(answers, '#/channels/hub/messages'),
      },
    },
    components: { messages: shared },
  };
  return Promise.resolve(`${JSON.stringify(document, null, 2)}\n`);
}
