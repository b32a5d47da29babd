/** Path parameters of control's routes. */
import { keyIdSchema, streamIdSchema, tokenIdSchema } from '@millrace/api';
import { z } from 'zod';

export const streamParams = z.object({ id: streamIdSchema });
export const keyParams = z.object({ id: streamIdSchema, key_id: keyIdSchema });
export const tokenParams = z.object({ id: tokenIdSchema });
