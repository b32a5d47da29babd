/** Why bytes were not taken. Messages say what was expected and what came. */
export type FlvError =
  /** A codec or packaging we do not carry; the message names it. */
  | { readonly kind: 'unsupported-codec'; readonly message: string }
  /** Well formed, but carries no media (a command frame, an unknown packet type): skip it. */
  | { readonly kind: 'not-media'; readonly message: string }
  | { readonly kind: 'malformed'; readonly message: string }
  /** Over a bound that protects memory. */
  | { readonly kind: 'too-large'; readonly message: string };

/** An error value with `kind` and `message`. */
export function flvError(kind: FlvError['kind'], message: string): FlvError {
  return { kind, message };
}
