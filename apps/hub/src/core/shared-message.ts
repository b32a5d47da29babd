import type { HubMessage } from '@millrace/api';

/** One message for many receivers: it is serialised once, and encoded once for each kind of wire. */
export class SharedMessage {
  readonly message: HubMessage;
  /** A newer one makes it needless: may be dropped for a receiver that is behind. */
  readonly conflated: boolean;
  readonly #encodings = new Map<unknown, Uint8Array>();
  #json: string | undefined;

  constructor(message: HubMessage, conflated = false) {
    this.message = message;
    this.conflated = conflated;
  }

  get json(): string {
    return (this.#json ??= JSON.stringify(this.message));
  }

  /** What `encode` makes of the JSON text; made once. */
  encoded(encode: (json: string) => Uint8Array): Uint8Array {
    let bytes = this.#encodings.get(encode);
    if (bytes === undefined) {
      bytes = encode(this.json);
      this.#encodings.set(encode, bytes);
    }
    return bytes;
  }
}
