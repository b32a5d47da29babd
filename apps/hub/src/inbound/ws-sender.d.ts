/** `Sender` is public in `ws` and missing in its types. */
import 'ws';

declare module 'ws' {
  class Sender {
    /** Header and payload of one frame. */
    static frame(
      data: Buffer,
      options: {
        readonly fin: boolean;
        readonly rsv1: boolean;
        readonly opcode: number;
        readonly mask: boolean;
        readonly readOnly: boolean;
      },
    ): Buffer[];
  }
}
