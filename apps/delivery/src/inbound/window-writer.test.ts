import { defineWindowWriterContract } from '@millrace/handover/testing';
import { openDeliveryKit } from '../../test/delivery-kit.ts';

defineWindowWriterContract('the live window by reference', async () => {
  const kit = await openDeliveryKit();
  const { streamId } = await kit.define();
  return { writer: kit.service.writer, streamId, [Symbol.asyncDispose]: () => kit[Symbol.asyncDispose]() };
});
