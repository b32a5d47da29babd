/** What an encoder is told, in RTMP status messages; OBS shows the description. */
import type { StreamEndReason } from '@millrace/events';
import type { PublishRefusal } from '../core/ports.ts';
import type { StatusMessage } from './command-engine.ts';

const denied = 'NetStream.Publish.Denied';

const refusals: Readonly<Record<PublishRefusal, { readonly code: string; readonly description: string }>> = {
  'unknown-key': { code: denied, description: 'The stream key is not known: copy it again from the studio.' },
  'revoked-key': { code: denied, description: 'The stream key was revoked: copy a new one from the studio.' },
  'expired-key': { code: denied, description: 'The stream key has expired: copy the new one from the studio.' },
  'unknown-stream': { code: denied, description: 'The stream of this key does not exist any more.' },
  'stream-busy': {
    code: 'NetStream.Publish.BadName',
    description: 'The stream is live with another stream key.',
  },
  'not-ready': { code: denied, description: 'The server is not ready yet: try again in a few seconds.' },
  draining: { code: denied, description: 'The server is stopping: try again in a few seconds.' },
};

const ends: Readonly<Record<StreamEndReason | 'taken-over', string>> = {
  'encoder-stopped': 'The publish was stopped.',
  'reconnect-window-passed': 'The publish is over.',
  'key-revoked': 'The stream key was revoked.',
  'stream-deleted': 'The stream was deleted.',
  superseded: 'The stream is live on another server.',
  'protocol-error': 'The connection broke a rule of the protocol.',
  'timed-out': 'Nothing was received for too long.',
  draining: 'The server is stopping: connect again in a few seconds.',
  'instance-lost': 'The publish is over.',
  'taken-over': 'The same stream key was used on a newer connection.',
};

/** Why a publish is not accepted. */
export function refusalStatus(refusal: PublishRefusal): StatusMessage {
  return { level: 'error', ...refusals[refusal] };
}

/** Why a publish that was accepted is over. */
export function endStatus(reason: StreamEndReason | 'taken-over'): StatusMessage {
  const code = reason === 'encoder-stopped' ? 'NetStream.Unpublish.Success' : 'NetStream.Publish.Denied';
  return { level: reason === 'encoder-stopped' ? 'status' : 'error', code, description: ends[reason] };
}
