import { z } from 'zod';
import { pageOf, timeSchema } from './page.ts';
import { keyIdSchema, titleSchema } from './stream.ts';

const streamKey = {
  id: keyIdSchema,
  label: z.string(),
  last4: z.string().length(4).meta({ description: 'Last four characters of the key.' }),
  created_at: timeSchema,
  last_used_at: timeSchema.nullable(),
  expires_at: timeSchema.nullable().meta({ description: 'Set by a rotation: until then old and new key both work.' }),
  revoked_at: timeSchema.nullable(),
};

/** A stream key without the key. */
export const streamKeySchema = z.object(streamKey).meta({ id: 'StreamKey' });
export type StreamKey = z.infer<typeof streamKeySchema>;
export const streamKeyPageSchema = pageOf('StreamKeyPage', streamKeySchema);
export type StreamKeyPage = z.infer<typeof streamKeyPageSchema>;

/** The one answer that holds the key itself. */
export const createdStreamKeySchema = z
  .object({ ...streamKey, key: z.string().meta({ description: 'Shown this once; only its hash is kept.' }) })
  .meta({ id: 'CreatedStreamKey' });
export type CreatedStreamKey = z.infer<typeof createdStreamKeySchema>;

export const streamKeyInputSchema = z
  .strictObject({ label: titleSchema.default('default') })
  .meta({ id: 'StreamKeyInput' });
export type StreamKeyInput = z.input<typeof streamKeyInputSchema>;

export const rotateInputSchema = z
  .strictObject({
    overlap_s: z
      .int()
      .min(0)
      .max(2_592_000)
      .default(3600)
      .meta({ description: 'How long the old key goes on working.' }),
  })
  .meta({ id: 'RotateInput' });
export type RotateInput = z.input<typeof rotateInputSchema>;
