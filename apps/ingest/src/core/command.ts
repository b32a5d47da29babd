/** AMF0 command messages (Adobe RTMP 1.0, 7.2) of a publisher, as far as ingest acts on them. */
import { type AmfObject, type AmfValue, readAmf0 } from '@millrace/flv';
import { err, ok, type Result } from '@millrace/result';
import { type GuardFault, guardFault } from './guard-fault.ts';
import type { GuardLimits } from './guard-limits.ts';

export type Command =
  | {
      readonly kind: 'connect';
      readonly transactionId: number;
      readonly app: string;
      readonly tcUrl: string;
      /** The encoder's own name, printable ASCII, at most 64 characters. */
      readonly encoder: string | undefined;
      /** The client sent an Enhanced RTMP `fourCcList`, so it reads one in the answer. */
      readonly asksFourCcs: boolean;
    }
  | { readonly kind: 'create-stream'; readonly transactionId: number }
  | { readonly kind: 'publish'; readonly streamId: number; readonly key: string }
  | { readonly kind: 'play'; readonly streamId: number }
  /** The encoder says that it stops: deleteStream, closeStream or FCUnpublish. */
  | { readonly kind: 'finish' }
  /** Well formed, but nothing that ingest answers (releaseStream, FCPublish, _checkbw, results...). */
  | { readonly kind: 'other' };

/** Parses the AMF0 values of one command message that came on message stream `streamId`. */
export function parseCommand(
  body: Uint8Array,
  streamId: number,
  limits: Pick<GuardLimits, 'amf' | 'maxKeyLength'>,
): Result<Command, GuardFault> {
  const values = readAmf0(body, limits.amf);
  if (!values.ok) {
    const kind = values.error.kind === 'amf-limit' ? 'amf-limit' : 'bad-command';
    return err(guardFault(kind, `in a command: ${values.error.message}`));
  }
  const [name, transactionId, object, argument] = values.value;
  if (typeof name !== 'string') return err(guardFault('bad-command', 'expected a command name first'));
  switch (name) {
    case 'connect':
      return parseConnect(transactionId, object);
    case 'createStream':
      if (!isTransactionId(transactionId)) return err(noTransactionId(name));
      return ok({ kind: 'create-stream', transactionId });
    case 'publish':
      return parsePublish(argument, streamId, limits.maxKeyLength);
    case 'play':
    case 'play2':
      return ok({ kind: 'play', streamId });
    case 'deleteStream':
    case 'closeStream':
    case 'FCUnpublish':
      return ok({ kind: 'finish' });
    default:
      return ok({ kind: 'other' });
  }
}

function parseConnect(transactionId: AmfValue, object: AmfValue): Result<Command, GuardFault> {
  if (!isTransactionId(transactionId)) return err(noTransactionId('connect'));
  if (!isObject(object)) return err(guardFault('bad-command', 'expected an object in connect'));
  const { app, tcUrl, flashVer, fourCcList } = object;
  if (typeof tcUrl !== 'string' || !isRtmpUrl(tcUrl)) {
    return err(guardFault('bad-tc-url', 'expected tcUrl to be an rtmp:// or rtmps:// URL'));
  }
  if (typeof app !== 'string') return err(guardFault('bad-app', 'expected app to be a string'));
  return ok({
    kind: 'connect',
    transactionId,
    app: app.split('?', 1)[0]?.replace(/\/+$/, '') ?? '',
    tcUrl,
    encoder: encoderName(flashVer),
    asksFourCcs: Array.isArray(fourCcList),
  });
}

function parsePublish(argument: AmfValue, streamId: number, maxKeyLength: number): Result<Command, GuardFault> {
  if (typeof argument !== 'string') return err(guardFault('bad-command', 'expected a stream key in publish'));
  const key = argument.split('?', 1)[0] ?? '';
  if (key.length > maxKeyLength) {
    return err(guardFault('bad-command', `expected a stream key of at most ${maxKeyLength} characters`));
  }
  return ok({ kind: 'publish', streamId, key });
}

function isTransactionId(value: AmfValue): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function noTransactionId(name: string): GuardFault {
  return guardFault('bad-command', `expected a transaction id in ${name}`);
}

function isObject(value: AmfValue): value is AmfObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('dateMs' in value);
}

function isRtmpUrl(text: string): boolean {
  return text.length <= 1_024 && /^rtmp[a-z]{0,2}:\/\/[^\s/]+/i.test(text) && URL.canParse(text);
}

function encoderName(value: AmfValue): string | undefined {
  if (typeof value !== 'string') return undefined;
  const name = value.replace(/[^\x20-\x7e]/g, '').slice(0, 64);
  return name === '' ? undefined : name;
}
