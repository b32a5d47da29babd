import { openDeliveryKit } from '../../test/delivery-kit.ts';
import { describePlayback } from '../../test/playback-claims.ts';

describePlayback((env) => openDeliveryKit(env));
