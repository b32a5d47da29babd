/** Refusals of uploads as problem documents: @tus/server throws and answers plain texts. */
import { type Problem, problem, problemResponse } from '@millrace/http';

/** A refusal that @tus/server passes on: it looks for `status_code` and `body`. */
export class UploadRefused extends Error {
  readonly status_code: number;
  readonly body: string;

  constructor(value: Problem) {
    super(value.detail ?? value.title);
    this.name = 'UploadRefused';
    this.status_code = value.status;
    this.body = JSON.stringify(value);
  }
}

/** A refusal of kind `kind`, a kebab-case name. */
export function refused(status: number, kind: string, detail: string): UploadRefused {
  return new UploadRefused(problem(status, kind, 'The upload was refused', { detail }));
}

/** The refusal of an upload that is not there or not the caller's. */
export function noUpload(uploadId: string): UploadRefused {
  return refused(404, 'upload-not-found', `there is no upload ${uploadId.slice(0, 40)}`);
}

/** The answer of @tus/server, with its plain text made a problem document. */
export async function asProblem(answer: Response, requestId: string): Promise<Response> {
  if (answer.status < 400 || answer.body === null) return answer;
  const text = await answer.text();
  const value = text.startsWith('{')
    ? (JSON.parse(text) as Problem)
    : problem(answer.status, 'upload-refused', 'The upload was refused', { detail: text.trim() });
  const headers = Object.fromEntries(answer.headers);
  delete headers['content-length'];
  return problemResponse({ ...value, request_id: requestId }, headers);
}
