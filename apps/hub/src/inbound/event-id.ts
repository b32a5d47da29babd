/** Where a client of server-sent events stands in all its channels: the log's name and the positions of both boards. */
export interface EventId {
  readonly epoch: string;
  readonly streams: string;
  readonly jobs: string;
}

const noEventId: EventId = { epoch: '', streams: '', jobs: '' };

export function encodeEventId({ epoch, streams, jobs }: EventId): string {
  return `${epoch}~${streams}~${jobs}`;
}

/** Reads a Last-Event-ID; what is not one is no position at all. */
export function parseEventId(text: string): EventId {
  const match = /^([\w-]{1,64})~([0-9a-z._]{0,256})~([0-9a-z._]{0,256})$/.exec(text);
  const [, epoch, streams, jobs] = match ?? [];
  return epoch === undefined || streams === undefined || jobs === undefined ? noEventId : { epoch, streams, jobs };
}
