import { z } from 'zod';

/** An RFC 9457 problem document, the answer of every refused call. */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'Names the kind of problem; never changes.', example: '/problems/not-found' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional().meta({ description: 'What was expected, what came, which id.' }),
    instance: z.string().optional(),
    request_id: z.string().optional().meta({ description: 'Also in the x-request-id header and the log.' }),
    errors: z
      .array(z.object({ path: z.string(), expected: z.string(), got: z.string() }))
      .optional()
      .meta({ description: 'Every part of the request that was not as documented.' }),
    task_id: z.string().optional().meta({ description: 'The job that is in the way, of a 409.' }),
    status_url: z.string().optional().meta({ description: 'Where the progress of that job is.' }),
  })
  .meta({ id: 'Problem' });
export type ProblemBody = z.infer<typeof problemSchema>;
