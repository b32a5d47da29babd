import { anAssignment } from './assignment.ts';
import { createRecordingWriter } from './recording-writer.ts';
import { defineWindowWriterContract } from './window-writer-contract.ts';

defineWindowWriterContract('the recording fake', async () => {
  const writer = createRecordingWriter(7);
  return {
    writer,
    streamId: anAssignment().streamId,
    takenBytes: (write) =>
      Buffer.concat(
        writer.parts.find(
          ({ rendition, segment, part }) =>
            rendition === write.rendition && segment === write.segment && part === write.part,
        )?.bytes ?? [],
      ),
    async [Symbol.asyncDispose]() {},
  };
});
