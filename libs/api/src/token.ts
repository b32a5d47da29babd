import { z } from 'zod';
import { pageOf, timeSchema } from './page.ts';
import { ownerIdSchema, titleSchema, tokenIdSchema } from './stream.ts';

export const roleSchema = z.enum(['admin', 'broadcaster', 'analyst', 'viewer']).meta({ id: 'Role' });
export type ApiRole = z.infer<typeof roleSchema>;

const apiToken = {
  id: tokenIdSchema,
  label: z.string(),
  role: roleSchema,
  owner_id: ownerIdSchema,
  created_at: timeSchema,
  expires_at: timeSchema,
  revoked_at: timeSchema.nullable(),
};

/** An API token without the token. */
export const apiTokenSchema = z.object(apiToken).meta({ id: 'ApiToken' });
export type ApiToken = z.infer<typeof apiTokenSchema>;
export const apiTokenPageSchema = pageOf('ApiTokenPage', apiTokenSchema);
export type ApiTokenPage = z.infer<typeof apiTokenPageSchema>;

/** The one answer that holds the token itself. */
export const createdApiTokenSchema = z
  .object({ ...apiToken, token: z.string().meta({ description: 'Shown this once.' }) })
  .meta({ id: 'CreatedApiToken' });
export type CreatedApiToken = z.infer<typeof createdApiTokenSchema>;

export const apiTokenInputSchema = z
  .strictObject({
    label: titleSchema,
    role: roleSchema,
    expires_in_s: z.int().min(60).max(31_622_400).default(7_776_000),
    owner_id: z
      .union([ownerIdSchema, z.literal('new')])
      .optional()
      .meta({
        description: 'Whose resources it reaches. Absent: yours. An owner, or `new` for a fresh one: admins only.',
      }),
  })
  .meta({ id: 'ApiTokenInput' });
export type ApiTokenInput = z.input<typeof apiTokenInputSchema>;

export const signInInputSchema = z
  .strictObject({
    code: z.string().min(1).max(200).meta({ description: 'The part of the admin link after `#code=`.' }),
  })
  .meta({ id: 'SignInInput' });
export const signInSchema = z
  .object({ token: z.string(), expires_at: timeSchema, role: roleSchema, owner_id: ownerIdSchema })
  .meta({ id: 'SignIn' });
export type SignIn = z.infer<typeof signInSchema>;

export const meSchema = z
  .object({ owner_id: ownerIdSchema, role: roleSchema, token_id: tokenIdSchema, expires_at: timeSchema })
  .meta({ id: 'Me' });
export type Me = z.infer<typeof meSchema>;
