/** The part of tus 1.0 that an upload needs, in memory, on a network that the test can break. */
import type { IncomingMessage, ServerResponse } from 'node:http';

interface FakeUpload {
  readonly videoId: string;
  readonly bytes: number;
  received: number;
}

export class FakeUploads {
  readonly all = new Map<string, FakeUpload>();
  /** Requests for uploads get no answer from now on. */
  away = false;
  /** The next transfer breaks off after so many bytes, and `away` begins. */
  breakAfter: number | undefined;
  /** Called with the video whose file is whole. */
  onWhole: (videoId: string) => void = () => undefined;

  /** Answers `/api/v1/uploads[/id]`. */
  async answer(id: string | undefined, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.away) return void response.destroy();
    const headers = { 'tus-resumable': '1.0.0', 'cache-control': 'no-store' };
    if (request.method === 'POST') {
      const metadata = String(request.headers['upload-metadata'] ?? '');
      const video = /(?:^|,)video_id ([^,]*)/.exec(metadata)?.[1] ?? '';
      const upload = {
        videoId: Buffer.from(video, 'base64').toString(),
        bytes: Number(request.headers['upload-length']),
      };
      const name = `upl_${this.all.size + 1}`;
      this.all.set(name, { ...upload, received: 0 });
      return void response.writeHead(201, { ...headers, location: `/api/v1/uploads/${name}` }).end();
    }
    const upload = this.all.get(id ?? '');
    if (upload === undefined) return void response.writeHead(404, headers).end();
    if (request.method === 'DELETE') {
      this.all.delete(id ?? '');
      return void response.writeHead(204, headers).end();
    }
    if (request.method === 'PATCH') {
      for await (const part of request) {
        upload.received += Buffer.from(part).length;
        if (this.breakAfter === undefined || upload.received < this.breakAfter) continue;
        this.breakAfter = undefined;
        this.away = true;
        return void response.destroy();
      }
      if (upload.received === upload.bytes) this.onWhole(upload.videoId);
    }
    const offset = { 'upload-offset': String(upload.received), 'upload-length': String(upload.bytes) };
    response.writeHead(request.method === 'PATCH' ? 204 : 200, { ...headers, ...offset }).end();
  }
}
